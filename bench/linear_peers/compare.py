#!/usr/bin/env python3
"""Linear attention beside others, one core: the gated delta rule over a sequence beside ONNX Runtime's LinearAttention
operator, and a training step of a hybrid language model beside PyTorch.

    compare.py PROGRAM [--onnx PYTHON] [--torch PYTHON] [--tokens N] [--widths N...] [--repeat N]

PROGRAM is the target `linear_peers`. PYTHON is an interpreter that has onnx and onnxruntime, or torch; without one its
part is left out. Programs take turns; of each the best run is shown, since whatever else the machine does only adds time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADS, CHUNKS = 4, (16, 32, 64)


def line(*call):
    pin = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if hasattr(os, "sched_getaffinity") else []
    done = subprocess.run([*pin, *map(str, call)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)["best_s"]


def race(contestants, repeat):
    best = {}
    for _ in range(repeat):
        for name, call in contestants.items():
            best[name] = min(line(*call), best.get(name, float("inf")))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--onnx")
    parser.add_argument("--torch")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"| gated delta rule, {HEADS} heads, {options.tokens} tokens | inlay, ns a token | chunk | ONNX Runtime | times |\n"
          "| --- | ---: | ---: | ---: | ---: |")
    for width in (32, 64, 128):
        calls = {chunk: [options.program, "forward", options.tokens, HEADS, width, chunk] for chunk in CHUNKS}
        if options.onnx:
            calls["onnx"] = [options.onnx, HERE / "peers.py", "onnx", options.tokens, HEADS, width]
        best = race(calls, options.repeat)
        peer = best.pop("onnx", float("nan"))
        chunk = min(best, key=best.get)
        scale = 1e9 / options.tokens
        print(f"| width {width} | {best[chunk] * scale:.0f} | {chunk} | {peer * scale:.0f} | {peer / best[chunk]:.2f} |", flush=True)
    print("\n| a training step, 16 x 256 bytes | inlay, ms | PyTorch, ms | times |\n| --- | ---: | ---: | ---: |")
    for width in options.widths:
        calls = {"inlay": [options.program, "train", width, 3]}
        if options.torch:
            calls["torch"] = [options.torch, HERE / "peers.py", "torch", width, 3]
        best = race(calls, 1 if width > 64 else 2)
        peer = best.get("torch", float("nan"))
        print(f"| width {width} | {best['inlay'] * 1e3:.0f} | {peer * 1e3:.0f} | {peer / best['inlay']:.2f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
