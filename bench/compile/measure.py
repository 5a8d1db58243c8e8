#!/usr/bin/env python3
"""What models cost to compile: seconds, peak memory and bytes of the object file, per compiler, at -O3 for this machine.

usage: measure.py [--xsimd FOLDER] [--compilers g++-12 clang++-19]; one compiler runs at a time."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PROGRAM = """#include <inlay/inlay.hpp>
using namespace inlay;
using M = Model<{model}>;
using B = M::Block;
using R = M::Scalar;
using Tape = B::Tape<8>;
using Grads = B::Grads<8>;
void forward(M::Params const& p, float const* x, float* y, Tape& tape, std::byte* room) {{
    Context<> const c{{.rows = 8, .capacity = 8, .depth = M::depth}};
    B::forward(c, p, In<M::Input, R>{{x}}, Out<M::Output, R>{{y}}, tape, Scratch{{room}});
}}
void backward(M::Params const& p, float const* x, Tape const& tape, float const* dy, float* dx, Grads& g,
              std::byte* room) {{
    Context<> const c{{.rows = 8, .capacity = 8, .depth = M::depth}};
    B::backward(c, p, In<M::Input, R>{{x}}, tape, In<M::Output, R>{{dy}}, Out<M::Input, R>{{dx}}, g, Scratch{{room}});
}}
"""


def programs():
    yield "the umbrella inlay.hpp, nothing used", "#include <inlay/inlay.hpp>\n"
    for n in (4, 16, 64):
        layers = ", ".join(f"Dense<{17 + i}>" for i in range(n))
        yield f"{n} distinct Dense, forward and backward", PROGRAM.format(model=f"Vector<16>, {layers}")
    for n in (1, 64):
        yield f"Repeat<{n}, Dense<32>, Relu>, both ways", PROGRAM.format(model=f"Vector<32>, Repeat<{n}, Dense<32>, Relu>")


def compile_once(compiler, options, text):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "a.cpp", pathlib.Path(folder) / "a.o"
        source.write_text(text)
        call = [compiler, "-std=c++20", "-O3", "-march=native", f"-I{ROOT / 'include'}"]
        if options.xsimd:
            call += ["-isystem", options.xsimd]
        begin = time.monotonic()
        child = subprocess.Popen([*call, "-c", str(source), "-o", str(target)])
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"{compiler} failed on\n{text}")
        # Time of the processor, which other work on the machine disturbs less than the clock's.
        return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024, target.stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    unpacked = ROOT / "build/deps/xsimd/usr/include"
    parser.add_argument("--xsimd", default=str(unpacked) if unpacked.exists() else None)
    parser.add_argument("--compilers", nargs="+", default=["g++-12", "clang++-19"])
    options = parser.parse_args()
    print("| program | compiler | processor s | elapsed s | peak MB | object KB |\n| --- | --- | ---: | ---: | ---: | ---: |")
    for name, text in programs():
        for compiler in options.compilers:
            if shutil.which(compiler):
                cpu, wall, memory, size = compile_once(compiler, options, text)
                print(f"| {name} | {compiler} | {cpu:.1f} | {wall:.1f} | {memory:.0f} | {size / 1024:.0f} |", flush=True)


if __name__ == "__main__":
    main()
