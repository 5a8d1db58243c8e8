#!/usr/bin/env python3
"""serve.py LIBRARY: a model behind C functions, called by ctypes, and the same model in plain Python beside it."""
import array
import ctypes
import json
import math
import pathlib
import random
import struct
import sys
import tempfile

HIDDEN, INPUTS, OUTPUTS = 5, 3, 2


def save(path, tensors):
    """Writes {name: (shape, numbers)} as safetensors."""
    header, data = {}, b""
    for name, (shape, numbers) in tensors.items():
        begin = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


class Filter:
    """The shared library's functions."""

    def __init__(self, library, weights):
        self.c = ctypes.CDLL(library)
        self.c.filter_create.restype = ctypes.c_void_p
        self.c.filter_error.restype = ctypes.c_char_p
        sizes = (ctypes.c_int * 4)()
        self.c.filter_sizes(sizes)
        self.rows, self.inputs, self.output_rows, self.outputs = sizes
        handle = self.c.filter_create(str(weights).encode())
        if not handle:
            raise ValueError(self.c.filter_error().decode())
        self.model = ctypes.c_void_p(handle)

    def infer(self, sequences):
        """All sequences at once, shorter ones too: a list of lists of rows."""
        lengths = (ctypes.c_int32 * len(sequences))(*map(len, sequences))
        empty = [0.0] * self.inputs
        packed = [v for s in sequences for row in s + [empty] * (self.rows - len(s)) for v in row]
        y = (ctypes.c_float * (len(sequences) * self.output_rows * self.outputs))()
        self.c.filter_infer(self.model, (ctypes.c_float * len(packed))(*packed), lengths, len(sequences), y)
        n = self.output_rows * self.outputs
        return [[list(y[b * n + t * self.outputs:b * n + (t + 1) * self.outputs]) for t in range(len(s))]
                for b, s in enumerate(sequences)]

    def step(self, row):
        y = (ctypes.c_float * self.outputs)()
        assert self.c.filter_step(self.model, (ctypes.c_float * self.inputs)(*row), y)
        return list(y)

    def reset(self):
        self.c.filter_reset(self.model)

    def __del__(self):
        if hasattr(self, "model"):
            self.c.filter_destroy(self.model)


def single(values):
    return array.array("f", values).tolist()


def in_python(tensors, sequence):
    """PyTorch's nn.GRU and nn.Linear, number by number."""
    def times(name, x):
        (rows, width), w = tensors[name]
        return [sum(w[r * width + c] * x[c] for c in range(width)) for r in range(rows)]

    def sigmoid(v):
        return 1 / (1 + math.exp(-v))
    h, out = [0.0] * HIDDEN, []
    for x in sequence:
        a = [u + b for u, b in zip(times("0.weight_ih", x), tensors["0.bias_ih"][1])]
        c = [u + b for u, b in zip(times("0.weight_hh", h), tensors["0.bias_hh"][1])]
        reset = [sigmoid(a[i] + c[i]) for i in range(HIDDEN)]
        update = [sigmoid(a[HIDDEN + i] + c[HIDDEN + i]) for i in range(HIDDEN)]
        new = [math.tanh(a[2 * HIDDEN + i] + reset[i] * c[2 * HIDDEN + i]) for i in range(HIDDEN)]
        h = [(1 - update[i]) * new[i] + update[i] * h[i] for i in range(HIDDEN)]
        out.append([u + b for u, b in zip(times("1.weight", h), tensors["1.bias"][1])])
    return out


def main():
    library = sys.argv[1]
    draw = random.Random(3)
    shapes = {"0.weight_ih": [3 * HIDDEN, INPUTS], "0.weight_hh": [3 * HIDDEN, HIDDEN], "0.bias_ih": [3 * HIDDEN],
              "0.bias_hh": [3 * HIDDEN], "1.weight": [OUTPUTS, HIDDEN], "1.bias": [OUTPUTS]}
    tensors = {name: (s, single(draw.uniform(-1, 1) for _ in range(math.prod(s)))) for name, s in shapes.items()}
    sequences = [[single(draw.gauss(0, 1) for _ in range(INPUTS)) for _ in range(n)] for n in [8, 5, 1] * 7]
    with tempfile.TemporaryDirectory() as folder:
        weights = pathlib.Path(folder) / "filter.safetensors"
        save(weights, tensors)
        model = Filter(library, weights)
        save(weights, {name: t for name, t in tensors.items() if name != "1.bias"})
        try:
            Filter(library, weights)
            sys.exit("a file without a bias was taken")
        except ValueError as error:
            assert "no 1.bias" in str(error), error
    worst = 0.0
    for sequence, rows in zip(sequences, model.infer(sequences)):
        model.reset()
        for wanted, row, token in zip(in_python(tensors, sequence), rows, sequence):
            worst = max([worst] + [abs(a - b) for a, b in zip(wanted + wanted, row + model.step(token))])
    print(f"{len(sequences)} sequences, at once and token by token: within {worst:.1e} of plain Python")
    assert worst < 1e-5


if __name__ == "__main__":
    main()
