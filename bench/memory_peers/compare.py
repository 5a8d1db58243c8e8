#!/usr/bin/env python3
"""A memory that learns beside titans-pytorch's NeuralMemory, one core, in turns: tokens a second of forward and backward,
and of a stream of one token at a time. Both have four heads of 16, two layers with an expansion of 4, GELU, a norm with a
residual, momentum, forgetting and chunks of 64, and read the memory as the chunk began.

    compare.py PROGRAM [--torch PYTHON]      PROGRAM is memory_peers; PYTHON has torch and titans-pytorch
    compare.py titans train|stream           a line of JSON for one of them
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()


def titans(what):
    import torch
    from titans_pytorch import NeuralMemory

    torch.set_num_threads(1)
    torch.manual_seed(1)
    memory = NeuralMemory(dim=64, chunk_size=64, heads=4, dim_head=16, momentum=True)
    best = float("inf")
    if what == "train":
        x, dy = torch.randn(4, 512, 64, requires_grad=True), torch.randn(4, 512, 64)
        for _ in range(5):
            begin = time.perf_counter()
            y, _ = memory(x)
            y.backward(dy)
            best = min(best, (time.perf_counter() - begin) / (4 * 512))
    else:
        x = torch.randn(1, 512, 64)
        with torch.no_grad():
            for _ in range(2):
                state = None
                begin = time.perf_counter()
                for t in range(256):
                    _, state = memory(x[:, t:t + 1], state=state)
                best = min(best, (time.perf_counter() - begin) / 256)
    return {"ns_a_token": best * 1e9, "parameters": sum(p.numel() for p in memory.parameters())}


def line(*call):
    pin = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if hasattr(os, "sched_getaffinity") else []
    done = subprocess.run([*pin, *map(str, call)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["ns_a_token"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("what", nargs="?")
    parser.add_argument("--torch")
    options = parser.parse_args()
    if options.program == "titans":
        print(json.dumps(titans(options.what)))
        return
    print("| a memory of two layers | inlay, tokens a second | titans-pytorch | times |\n| --- | ---: | ---: | ---: |")
    for what in ("train", "stream"):
        own = min(line(options.program, what) for _ in range(2))
        peer = line(options.torch, HERE, "titans", what) if options.torch else float("nan")
        own = min(own, line(options.program, what))
        print(f"| {what} | {1e9 / own:,.0f} | {1e9 / peer:,.0f} | {peer / own:.1f} |", flush=True)


if __name__ == "__main__":
    main()
