#!/usr/bin/env python3
"""Reads and runs the ONNX files that inlay writes, by a reader of its own; with onnxruntime too where it is installed.

Only what onnx.proto says is known here: messages, field numbers and the meaning of operators, over lists of numbers.
"""
import functools
import itertools
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402

SOURCES = sorted(pathlib.Path(__file__).parent.glob("onnx_*.cpp"))
TOLERANCE = 1e-5


def fields(data):
    """{field number: [int or bytes, ...]} of a protobuf message."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - (1 << 64) if value >> 63 else value
    while at < len(data):
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            value = varint()
        else:
            size = varint() if wire == 2 else {1: 8, 5: 4}[wire]
            value = data[at:at + size]
            assert len(value) == size, "a field past the end"
            at += size
        found.setdefault(number, []).append(value)
    return found


def text(message, field):
    return message[field][0].decode() if field in message else ""


def size(shape):
    return math.prod(shape)


class Tensor:
    def __init__(self, shape, numbers):
        self.shape, self.numbers = list(shape), list(numbers)
        assert size(self.shape) == len(self.numbers), (self.shape, len(self.numbers))

    def at(self, index):
        place = 0
        for i, n in zip(index, self.shape):
            place = place * n + (i if n > 1 else 0)
        return self.numbers[place]


def constant(data):
    message = fields(data)
    shape, kind = message.get(1, []), message[2][0]
    assert kind in (1, 7, 11), "FLOAT, INT64 or DOUBLE"
    raw = message.get(9, [b""])[0]
    numbers = message.get(7, []) if kind == 7 else [v for v, in struct.iter_unpack("<f" if kind == 1 else "<d", raw)]
    return text(message, 8), Tensor(shape, numbers)


def broadcast(a, b, function):
    rank = max(len(a.shape), len(b.shape))
    a = Tensor([1] * (rank - len(a.shape)) + a.shape, a.numbers)
    b = Tensor([1] * (rank - len(b.shape)) + b.shape, b.numbers)
    for n, m in zip(a.shape, b.shape):
        assert n == m or 1 in (n, m), (a.shape, b.shape)
    shape = [max(n, m) for n, m in zip(a.shape, b.shape)]
    return Tensor(shape, [function(a.at(i), b.at(i)) for i in itertools.product(*map(range, shape))])


def matmul(a, b):
    outer = broadcast(Tensor(a.shape[:-2], range(size(a.shape[:-2]))), Tensor(b.shape[:-2], range(size(b.shape[:-2]))),
                      lambda i, j: (i, j))
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    assert inner == b.shape[-2], (a.shape, b.shape)
    out = []
    for i, j in outer.numbers:
        x, y = a.numbers[i * rows * inner:], b.numbers[j * inner * columns:]
        out += [sum(x[r * inner + k] * y[k * columns + c] for k in range(inner))
                for r in range(rows) for c in range(columns)]
    return Tensor(outer.shape + [rows, columns], out)


def transpose(x, perm):
    shape = [x.shape[p] for p in perm]
    back = [perm.index(d) for d in range(len(perm))]
    return Tensor(shape, [x.at([i[b] for b in back]) for i in itertools.product(*map(range, shape))])


def reshape(x, wanted):
    shape = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted.numbers)]
    return Tensor(shape, x.numbers)


def over_axis(x, axis, function, keep):
    """function takes the numbers along an axis and returns those in their place (keep: of one)."""
    axis %= len(x.shape)
    before, n, after = size(x.shape[:axis]), x.shape[axis], size(x.shape[axis + 1:])
    count, out = None, {}
    for i, j in itertools.product(range(before), range(after)):
        numbers = function([x.numbers[(i * n + k) * after + j] for k in range(n)])
        count = len(numbers)
        for k, value in enumerate(numbers):
            out[(i * count + k) * after + j] = value
    middle = [count] if keep or count > 1 else []
    return Tensor(x.shape[:axis] + middle + x.shape[axis + 1:], [out[i] for i in range(len(out))])


def softmax(numbers):
    top = max(numbers)
    weights = [math.exp(v - top) for v in numbers]
    return [w / sum(weights) for w in weights]


def layer_norm(x, weight, bias=None, *, epsilon):
    shifts = bias.numbers if bias else [0.0] * len(weight.numbers)

    def normal(row):
        mean = sum(row) / len(row)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in row) / len(row) + epsilon)
        return [(v - mean) / deviation * w + b for v, w, b in zip(row, weight.numbers, shifts)]
    return over_axis(x, -1, normal, True)


def gather(x, index, axis):
    axis %= len(x.shape)
    before, n, after = size(x.shape[:axis]), x.shape[axis], size(x.shape[axis + 1:])
    out = []
    for b in range(before):
        for i in index.numbers:
            assert -n <= i < n
            i %= n
            out += x.numbers[(b * n + i) * after:(b * n + i + 1) * after]
    return Tensor(x.shape[:axis] + index.shape + x.shape[axis + 1:], out)


def concat(tensors, axis):
    axis %= len(tensors[0].shape)
    before = size(tensors[0].shape[:axis])
    out = []
    for b in range(before):
        for t in tensors:
            n = size(t.shape[axis:])
            out += t.numbers[b * n:(b + 1) * n]
    shape = list(tensors[0].shape)
    shape[axis] = sum(t.shape[axis] for t in tensors)
    return Tensor(shape, out)


def pad(x, amounts, value=Tensor([], [0.0])):
    rank = len(x.shape)
    first, last = amounts.numbers[:rank], amounts.numbers[rank:]
    shape = [a + n + b for a, n, b in zip(first, x.shape, last)]
    inside = [[i - a for i, a in zip(index, first)] for index in itertools.product(*map(range, shape))]
    return Tensor(shape, [x.at(i) if all(0 <= a < n for a, n in zip(i, x.shape)) else value.numbers[0]
                          for i in inside])


def convolution(x, weight, bias, pads, dilations, group, kernel_shape):
    """x [B, C, T], weight [O, C / group, taps]."""
    (batch, channels, length), (outputs, part, taps) = x.shape, weight.shape
    assert kernel_shape == [taps] and part * group == channels
    x = pad(x, Tensor([6], [0, 0, pads[0], 0, 0, pads[1]]), Tensor([], [0.0]))
    length = x.shape[2] - (taps - 1) * dilations[0]
    out = []
    for b, o, t in itertools.product(range(batch), range(outputs), range(length)):
        first = o // (outputs // group) * part
        out.append((bias.numbers[o] if bias else 0.0) +
                   sum(weight.at([o, c, i]) * x.at([b, first + c, t + i * dilations[0]])
                       for c in range(part) for i in range(taps)))
    return Tensor([batch, outputs, length], out)


def recurrence(op, x, weight, state_weight, bias, hidden_size, linear_before_reset=0):
    """x [T, B, D]; gates z, r, h of a GRU, i, o, f, c of an LSTM; what comes is [T, 1, B, H]."""
    length, batch, width = x.shape
    H, gates = hidden_size, {"GRU": 3, "LSTM": 4}[op]
    assert weight.shape == [1, gates * H, width] and state_weight.shape == [1, gates * H, H]
    assert op == "LSTM" or linear_before_reset == 1
    sigmoid, b = ONE["Sigmoid"], bias.numbers if bias else [0.0] * (2 * gates * H)
    out = [0.0] * (length * batch * H)
    for n in range(batch):
        h, c = [0.0] * H, [0.0] * H
        for t in range(length):
            row = x.numbers[(t * batch + n) * width:]
            of_x = [sum(weight.at([0, g, i]) * row[i] for i in range(width)) + b[g] for g in range(gates * H)]
            of_h = [sum(state_weight.at([0, g, i]) * h[i] for i in range(H)) + b[gates * H + g]
                    for g in range(gates * H)]
            both = [p + q for p, q in zip(of_x, of_h)]
            for i in range(H) if op == "GRU" else []:
                z, r = sigmoid(both[i]), sigmoid(both[H + i])
                h[i] = (1 - z) * math.tanh(of_x[2 * H + i] + r * of_h[2 * H + i]) + z * h[i]
            for i in range(H) if op == "LSTM" else []:
                c[i] = sigmoid(both[2 * H + i]) * c[i] + sigmoid(both[i]) * math.tanh(both[3 * H + i])
                h[i] = sigmoid(both[H + i]) * math.tanh(c[i])
            out[(t * batch + n) * H:(t * batch + n + 1) * H] = h
    return Tensor([length, 1, batch, H], out)


def scan(x, attribute, values):
    """A state, and tensors that are taken apart along an axis: the last state, and what the body gave, side by side."""
    count, axes = attribute["num_scan_inputs"], attribute["scan_input_axes"]
    assert count == len(axes) == len(x) - 1
    graph, state, given = fields(attribute["body"]), x[0], []
    [axis] = attribute["scan_output_axes"]
    names = [text(fields(info), 1) for info in graph[11]]
    for t in range(x[1].shape[axes[0]]):
        slices = [gather(part, Tensor([], [t]), a) for part, a in zip(x[1:], axes)]
        found = run_graph(graph, {**values, **dict(zip(names, [state, *slices]))})
        state, out = (found[text(fields(info), 1)] for info in graph[12])
        given.append(Tensor(out.shape[:axis] + [1] + out.shape[axis:], out.numbers))
    return [state, concat(given, axis)]


def largest(x, count, axis):
    """The first of each line by size, and their places."""
    k = count.numbers[0]
    return [over_axis(x, axis, lambda line: sorted(line, reverse=True)[:k], True),
            over_axis(x, axis, lambda line: sorted(range(len(line)), key=lambda i: -line[i])[:k], True)]


ONE = {
    "Relu": lambda v: max(v, 0.0), "Tanh": math.tanh, "Sigmoid": lambda v: 0.5 + 0.5 * math.tanh(v / 2),
    "Softplus": lambda v: max(v, 0.0) + math.log1p(math.exp(-abs(v))), "Erf": math.erf, "Sqrt": math.sqrt, "Identity": lambda v: v,
    "Exp": math.exp, "Elu": lambda v: v if v > 0 else math.expm1(v), "Log": math.log, "Abs": abs, "Floor": math.floor,
    "Round": round, "Cos": math.cos, "Sin": math.sin,
}


def divided(a, b):
    return a / b if isinstance(a, float) or isinstance(b, float) else int(a / b)


TWO = {"Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b, "Div": divided,
       "Mod": lambda a, b: a % b, "Equal": lambda a, b: a == b, "Less": lambda a, b: a < b,
       "Greater": lambda a, b: a > b, "GreaterOrEqual": lambda a, b: a >= b, "Max": max, "Min": min}


def run_node(op, x, attribute):
    if op in ONE:
        return Tensor(x[0].shape, map(ONE[op], x[0].numbers))
    if op in TWO:
        return functools.reduce(lambda a, b: broadcast(a, b, TWO[op]), x)
    if op == "Cast":
        return Tensor(x[0].shape, map(int if attribute["to"] == 7 else float, x[0].numbers))
    if op == "Clip":
        low, high = x[1].numbers[0], x[2].numbers[0]
        return Tensor(x[0].shape, [min(max(v, low), high) for v in x[0].numbers])
    if op == "LeakyRelu":
        return Tensor(x[0].shape, [v if v > 0 else attribute["alpha"] * v for v in x[0].numbers])
    if op == "PRelu":
        return broadcast(*x, lambda v, slope: v if v > 0 else slope * v)
    if op == "MatMul":
        return matmul(*x)
    if op == "Transpose":
        return transpose(x[0], attribute["perm"])
    if op == "Reshape":
        return reshape(*x)
    if op == "Softmax":
        return over_axis(x[0], attribute["axis"], softmax, True)
    if op == "LayerNormalization":
        assert attribute["axis"] == -1
        return layer_norm(*x, epsilon=attribute["epsilon"])
    if op in ("ReduceMean", "ReduceMax"):
        function = max if op == "ReduceMax" else lambda v: sum(v) / len(v)
        return over_axis(x[0], attribute["axes"][0], lambda v: [function(v)], attribute["keepdims"])
    if op == "OneHot":
        assert attribute["axis"] == -1
        return Tensor(x[0].shape + x[1].numbers, [x[2].numbers[i == place] for place in x[0].numbers
                                                  for i in range(x[1].numbers[0])])
    if op == "Gather":
        return gather(x[0], x[1], attribute.get("axis", 0))
    if op == "Concat":
        return concat(x, attribute["axis"])
    if op == "Pad":
        return pad(*x)
    if op == "Shape":
        return Tensor([len(x[0].shape)], x[0].shape)
    if op == "Expand":
        return broadcast(x[0], Tensor(x[1].numbers, [0] * size(x[1].numbers)), lambda a, _: a)
    if op == "Conv":
        return convolution(x[0], x[1], x[2] if len(x) > 2 else None, **attribute)
    if op in ("GRU", "LSTM"):
        return recurrence(op, x[0], x[1], x[2], x[3] if len(x) > 3 else None, **attribute)
    if op == "Slice" and len(x) == 3:
        return over_axis(x[0], 0, lambda v: v[x[1].numbers[0]:x[2].numbers[0]], True)
    if op == "Slice":
        first, last, axis = (t.numbers[0] for t in x[1:])
        return over_axis(x[0], axis, lambda v: v[first:last], True)
    raise AssertionError(f"an operator that nobody reads: {op}")


def attributes(node):
    found = {}
    for data in node.get(5, []):
        message = fields(data)
        kind = message[20][0]
        found[text(message, 1)] = (struct.unpack("<f", message[2][0])[0] if kind == 1 else
                                   message[3][0] if kind == 2 else message[6][0] if kind == 5 else message[8])
    return found


def value_info(data):
    message = fields(data)
    tensor = fields(fields(message[2][0])[1][0])
    extents = [fields(e) for e in fields(tensor[2][0])[1]]
    return text(message, 1), tensor[1][0], [text(e, 2) or e[1][0] for e in extents]


def run_graph(graph, values):
    """All values of a graph, from those of its inputs and of the graph around it."""
    for data in graph.get(5, []):
        name, tensor = constant(data)
        assert name not in values, "a value made twice"
        values[name] = tensor
    for data in graph[1]:
        node = fields(data)
        op, inputs = text(node, 4), [values[i.decode()] for i in node[1]]
        if op == "Scan":
            found = scan(inputs, attributes(node), values)
        elif op == "TopK":
            found = largest(*inputs, attributes(node)["axis"])
        else:
            found = [run_node(op, inputs, attributes(node))]
        assert len(found) == len(node[2])
        for output, value in zip(node[2], found):
            assert output.decode() not in values, "a value made twice"
            values[output.decode()] = value
    return values


def evaluate(data, given, batch):
    """What the file makes of its inputs' numbers, and the inputs by name."""
    model = fields(data)
    assert model[1] == [8] and fields(model[8][0])[2] == [17], "IR 8 and opset 17"
    graph, inputs = fields(model[7][0]), {}
    for info in graph[11]:
        name, kind, shape = value_info(info)
        assert shape[0] == "batch" and kind in (1, 7)
        inputs[name] = kind, [batch, *shape[1:]]
    values = run_graph(graph, {name: Tensor(shape, map(int if kind == 7 else float, given[name]))
                               for name, (kind, shape) in inputs.items()})
    name, kind, shape = value_info(graph[12][0])
    assert name == "y" and kind == 1 and values["y"].shape == [batch, *shape[1:]], (values["y"].shape, shape)
    return values["y"].numbers, inputs


def by_onnxruntime(data, given, inputs):
    try:
        import numpy
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(None, {name: numpy.array(given[name], "int64" if kind == 7 else "float32").reshape(shape)
                              for name, (kind, shape) in inputs.items()})[0].reshape(-1).tolist()


def check(path):
    data, batch, given = path.read_bytes(), 5, {}
    for line in path.with_suffix(".txt").read_text().splitlines():
        name, *numbers = line.split()
        given[name] = [float(v) for v in numbers]
    got, inputs = evaluate(data, given, batch)
    for who, values in (("this reader", got), ("onnxruntime", by_onnxruntime(data, given, inputs))):
        if values is None:
            continue
        if len(values) != len(given["y"]):
            return f"{who}: {len(values)} numbers for {len(given['y'])}"
        worst = max(abs(a - b) / max(1, abs(b)) for a, b in zip(values, given["y"]))
        if not worst < TOLERANCE:
            return f"{who}: {worst:.3g} from what inlay gives"
    return None


def unnamed():
    """Blocks, forms of Cross and patterns of keys that no source here writes, nor says to be refused."""
    public = set()
    for header in [*compilers.INCLUDE.glob("inlay/blocks/**/*.hpp"), *compilers.INCLUDE.glob("inlay/combine/*.hpp")]:
        code = header.read_text()
        public |= set(re.findall(r"using Spec = ([A-Z]\w+);", code)) - {"Spec_"}
        public |= set(re.findall(r"struct (\w+) : detail::(?:Activation<|\w*Pattern|OfPrompts<)", code))
        public |= set(re.findall(r"struct (\w+) \{(?:(?!struct)[^}])*using PolicyKind = CrossForm;", code))
    assert len(public) > 70, sorted(public)
    said = set(re.findall(r"\w+", "".join(source.read_text() for source in SOURCES)))
    missing = sorted(name for name in public - {"Function", "Self"} if not {name, name.removeprefix("Basic")} & said)
    return f"neither written nor refused: {', '.join(missing)}" if missing else None


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            program = pathlib.Path(folder) / source.stem
            code, output = compilers.run(
                compilers.command(options.compilers[0], options, "-O0", source, "-o", program))
            assert code == 0, output[:4000]
            subprocess.run([str(program), folder], check=True)
        files = sorted(pathlib.Path(folder).glob("*.onnx"))
        assert files
        compilers.report([("every block", unnamed), *((path.name, lambda path=path: check(path)) for path in files)])


if __name__ == "__main__":
    main()
