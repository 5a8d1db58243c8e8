"""What the scripts of words/ and house/ share: the two compilers, their flags, and a tally."""
import argparse
import concurrent.futures
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"
WARNINGS = ("-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wdouble-promotion -Wold-style-cast "
            "-Wundef -Wcast-align -Wnon-virtual-dtor -Werror").split()
# False alarms inside GCC 12's AVX-512 intrinsics (GCC PR105593).
GCC_12_WARNINGS = ["-Wno-maybe-uninitialized", "-Wno-uninitialized"]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--xsimd", help="the folder that holds xsimd/xsimd.hpp")
    parser.add_argument("--compilers", nargs="+", default=["g++-12", "clang++-19"])
    parser.add_argument("--every", action="store_true", help="what is right is compiled by every compiler, not in turn")
    return parser


def for_what_is_right(number, options):
    """The compilers that try the source of that number: what is right seldom is so for one of them alone."""
    return options.compilers if options.every else [options.compilers[number % len(options.compilers)]]


def check_compilers(options):
    for compiler in options.compilers:
        if not shutil.which(compiler):
            sys.exit(f"{compiler} is not installed")


def is_clang(compiler):
    return "clang" in os.path.basename(compiler)


def command(compiler, options, *flags, isa="x86-64-v3"):
    """A call of the compiler, from ROOT, that finds inlay and xsimd; the C locale keeps its words and quotes plain."""
    result = [compiler, "-std=c++20", f"-march={isa}", f"-I{INCLUDE.relative_to(ROOT)}"]
    if options.xsimd and options.xsimd != "/usr/include":  # -isystem /usr/include hides the C headers from GCC
        result += ["-isystem", options.xsimd]
    result.append("-fno-color-diagnostics" if is_clang(compiler) else "-fdiagnostics-color=never")
    return result + [str(flag) for flag in flags]


def run(call, text=None):
    done = subprocess.run(call, input=text, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


_precompiling = threading.Lock()


@functools.cache
def _precompiled(call, text, header, result):
    header.write_text(text)
    code, output = run([*call, "-x", "c++-header", header, "-o", result])
    if code:
        sys.exit(f"cannot precompile {text}{output[:4000]}")


def precompiled(compiler, options, text, folder, *flags, **isa):
    """The flags that have the compiler begin with a text, which it reads once; the other flags must be the same."""
    call = tuple(command(compiler, options, *flags, **isa))
    name = "before" + hashlib.sha256(repr((call, text)).encode()).hexdigest()[:8]
    header = pathlib.Path(folder) / f"{name}.hpp"
    result = pathlib.Path(f"{header}.{'pch' if is_clang(compiler) else 'gch'}")
    with _precompiling:
        _precompiled(call, text, header, result)
    return ["-include-pch", result] if is_clang(compiler) else ["-include", header, "-Winvalid-pch"]


def report(jobs):
    """Runs (name, function) pairs two at a time; a function returns its complaint, or nothing. Ends the program."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, complaint in zip([name for name, _ in jobs], pool.map(lambda job: job[1](), jobs)):
            if complaint:
                failed += 1
                print(f"FAILED {name}\n{complaint.rstrip()}\n", flush=True)
    print(f"{len(jobs) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not jobs else 0)
