#!/usr/bin/env python3
"""Linear attention beside others, one core: the gated delta rule over a sequence beside ONNX Runtime's LinearAttention
operator, and a training step of a hybrid language model beside PyTorch.

    compare.py PROGRAM [--onnx PYTHON] [--torch PYTHON] [--compile] [--tokens N] [--widths N...] [--repeat N]

PROGRAM is the target `linear_peers`. PYTHON is an interpreter that has onnx and onnxruntime, or torch; without one its
part is left out. With --compile PyTorch takes part behind torch.compile as well, which needs a C++ compiler and some
minutes. Programs take turns; of each the best run is shown, since whatever else the machine does only adds time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADS, CHUNK = 4, 32


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
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--tokens", type=int, default=2048)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"| gated delta rule, {HEADS} heads, {options.tokens} tokens | inlay, ns a token | ONNX Runtime | times |\n"
          "| --- | ---: | ---: | ---: |")
    for width in (32, 64, 128):
        calls = {"inlay": [options.program, "forward", options.tokens, HEADS, width, CHUNK]}
        if options.onnx:
            calls["onnx"] = [options.onnx, HERE / "peers.py", "onnx", options.tokens, HEADS, width]
        best = race(calls, options.repeat)
        ours, peer, scale = best["inlay"], best.get("onnx", float("nan")), 1e9 / options.tokens
        print(f"| width {width} | {ours * scale:.0f} | {peer * scale:.0f} | {peer / ours:.2f} |", flush=True)
    kinds = (["torch"] + ["compiled"] * options.compile) if options.torch else []
    print("\n| a training step, 16 x 256 bytes | inlay, ms |" + "".join(f" {kind}, ms | times |" for kind in kinds) +
          "\n| --- | ---: |" + " ---: | ---: |" * len(kinds))
    for width in options.widths:
        calls = {"inlay": [options.program, "train", width, 3]}
        for kind in kinds:
            calls[kind] = [options.torch, HERE / "peers.py", kind, width, 3]
        best = race(calls, 1 if width > 64 else 2)
        ours = best["inlay"]
        print(f"| width {width} | {ours * 1e3:.0f} |" +
              "".join(f" {best[kind] * 1e3:.0f} | {best[kind] / ours:.2f} |" for kind in kinds), flush=True)


if __name__ == "__main__":
    sys.exit(main())
