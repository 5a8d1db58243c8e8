#!/usr/bin/env python3
"""Attention beside PyTorch's scaled_dot_product_attention and a transformer block beside ONNX Runtime, in one run.

    compare.py PROGRAM [--rounds N]

PROGRAM is the target `attention_peers`; the interpreter needs torch, numpy, onnx and onnxruntime. All work on the same
numbers and have to agree. One thread each, on one core; they take turns, round after round, and what is shown are medians
of times, and of the ratios within a round.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

HEADS, T, D, HIDDEN = 4, 16, 32, 64


def timed(call):
    """Nanoseconds of a call, over at least 50 ms."""
    times = 1
    while True:
        begin = time.perf_counter()
        for _ in range(times):
            call()
        seconds = time.perf_counter() - begin
        if seconds > 0.05:
            return seconds / times * 1e9
        times *= 2


def agree(what, got, wanted, tolerance):
    worst = float(np.abs(got - wanted).max() / np.abs(wanted).max())
    if not worst <= tolerance:
        sys.exit(f"{what}: {worst:.1e} apart")


def attention(read, name):
    """Calls of PyTorch: forward, and backward through a graph that is kept."""
    n, d = (int(part) for part in name.split(","))
    tensors = {key: torch.from_numpy(read(f"{name}.{key}", 1, HEADS, n, d)) for key in "q k v dout".split()}
    q, k, v = (tensors[key].requires_grad_() for key in "qkv")
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    gradients = torch.autograd.grad(out, (q, k, v), tensors["dout"], retain_graph=True)
    for key, got in zip("out dq dk dv".split(), (out, *gradients)):
        agree(f"{name}.{key}", got.detach().numpy(), read(f"{name}.{key}", 1, HEADS, n, d), 1e-5)

    def forward():
        with torch.no_grad():
            torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return {f"{name} forward": {"PyTorch": forward},
            f"{name} backward": {"PyTorch": lambda: torch.autograd.grad(out, (q, k, v), tensors["dout"],
                                                                        retain_graph=True)}}


def block_graph(weights, fused):
    """The block as ONNX Runtime's own operators (com.microsoft), or as plain ones that it may fuse."""
    constants = [numpy_helper.from_array(np.ascontiguousarray(value), key) for key, value in weights.items()]
    nodes = []

    def add(kind, inputs, output, domain="", **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def number(name, value, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def norm(x, weight, output):
        if fused:
            return add("SimplifiedLayerNormalization", [x, weight], output, axis=-1, epsilon=1e-6)
        mean = add("ReduceMean", [add("Mul", [x, x], output + "_square"), number(output + "_axis", [2], np.int64)],
                   output + "_mean")
        root = add("Sqrt", [add("Add", [mean, number(output + "_eps", 1e-6)], output + "_sum")], output + "_root")
        return add("Mul", [add("Div", [x, root], output + "_unit"), weight], output)

    n = norm("x", "0.0.weight", "n")
    q, k, v = (add("MatMul", [n, f"0.1.{key}.weight"], key) for key in "qkv")
    if fused:
        mixed = add("MultiHeadAttention", [q, k, v], "mixed", "com.microsoft", num_heads=2, unidirectional=1)
    else:
        shape, back = number("split", [1, T, 2, D // 2], np.int64), number("join", [1, T, D], np.int64)
        heads = {key: add("Transpose", [add("Reshape", [key, shape], key + "_split")], key + "_heads",
                          perm=[0, 2, 3, 1] if key == "k" else [0, 2, 1, 3]) for key in "qkv"}
        scores = add("Mul", [add("MatMul", [heads["q"], heads["k"]], "products"), number("scale", (D // 2) ** -0.5)], "s")
        mask = number("mask", np.where(np.tri(T) > 0, 0, -1e9))
        weight = add("Softmax", [add("Add", [scores, mask], "masked")], "weight", axis=-1)
        mixed = add("Transpose", [add("MatMul", [weight, heads["v"]], "o_heads")], "o_tokens", perm=[0, 2, 1, 3])
        mixed = add("Reshape", [mixed, back], "mixed")
    h = add("Add", ["x", add("MatMul", [mixed, "0.1.o.weight"], "o")], "h")
    m = norm(h, "1.0.weight", "m")
    hidden = add("Relu", [add("Add", [add("MatMul", [m, "1.1.0.weight"], "up"), "1.1.0.bias"], "up_bias")], "hidden")
    down = add("Add", [add("MatMul", [hidden, "1.1.2.weight"], "down"), "1.1.2.bias"], "down_bias")
    add("Add", [h, down], "y")
    io = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, T, D]) for name in "xy"]
    graph = helper.make_graph(nodes, "block", io[:1], io[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 9
    return model


def block(read, names):
    """Calls of ONNX Runtime with its input and output bound, and of PyTorch."""
    weights = {}
    for name in names:
        value = read(f"block.{name}")
        weights[name] = value.reshape(-1, {"1.1.2.weight": HIDDEN}.get(name, D)).T if value.size > HIDDEN else value
    x, y = read("block.x", 1, T, D), read("block.y", 1, T, D)
    calls = {}
    for name, fused in (("ONNX Runtime, fused", True), ("ONNX Runtime", False)):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(block_graph(weights, fused).SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
        agree(name, session.run(None, {"x": x})[0], y, 1e-5)
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(np.empty_like(y)))
        calls[name] = lambda session=session, binding=binding: session.run_with_iobinding(binding)
    t = {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in weights.items()}
    tx = torch.from_numpy(x)

    def torch_block():
        with torch.inference_mode():
            n = torch.nn.functional.rms_norm(tx, (D,), t["0.0.weight"], 1e-6)
            q, k, v = ((n @ t[f"0.1.{key}.weight"]).view(1, T, 2, D // 2).transpose(1, 2) for key in "qkv")
            o = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            h = tx + o.transpose(1, 2).reshape(1, T, D) @ t["0.1.o.weight"]
            m = torch.nn.functional.rms_norm(h, (D,), t["1.0.weight"], 1e-6)
            return h + torch.relu(m @ t["1.1.0.weight"] + t["1.1.0.bias"]) @ t["1.1.2.weight"] + t["1.1.2.bias"]
    agree("PyTorch", torch_block().numpy(), y, 1e-5)
    return {"block forward": {**calls, "PyTorch": torch_block}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        ours = subprocess.Popen([options.program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if ours.stdout.readline().strip() != "ready":
            sys.exit("the program did not start")

        def read(name, *shape):
            return np.fromfile(pathlib.Path(folder) / name, dtype=np.float32).reshape(shape or -1)

        def inlay(case):
            ours.stdin.write(case + "\n")
            ours.stdin.flush()
            return float(ours.stdout.readline())
        names = [p.name[6:] for p in sorted(pathlib.Path(folder).glob("block.*.weight"))]
        names += [p.name[6:] for p in sorted(pathlib.Path(folder).glob("block.*.bias"))]
        cases = {**attention(read, "1024,64"), **attention(read, "64,64"), **block(read, names)}
        print("| what | inlay, µs | peer | µs | peer / inlay |\n| --- | ---: | --- | ---: | ---: |")
        for case, peers in cases.items():
            rounds = [(inlay(case), {who: timed(call) for who, call in peers.items()}) for _ in range(options.rounds)]
            for who in peers:
                print(f"| {case} | {statistics.median(r[0] for r in rounds) / 1e3:.2f} | {who} | "
                      f"{statistics.median(r[1][who] for r in rounds) / 1e3:.2f} | "
                      f"{statistics.median(r[1][who] / r[0] for r in rounds):.2f} |", flush=True)
        ours.stdin.close()
        ours.wait()


if __name__ == "__main__":
    main()
