#!/usr/bin/env python3
"""inlay beside other names and beside itself.

names/using.cpp and names/macros.cpp compile: users' own names, and those of other libraries. names/unit.cpp twice in one
binary links (no function lacks its `inline`), and compiled for two machines each half keeps its own code.
"""
import functools
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402

NAMES = pathlib.Path("tests/house/names")


def compiles(source, compiler, options):
    flags = [*compilers.WARNINGS, *([] if compilers.is_clang(compiler) else compilers.GCC_12_WARNINGS)]
    code, output = compilers.run(compilers.command(compiler, options, *flags, "-fsyntax-only", NAMES / source))
    return output[:4000] if code else None


def links(isas, level, compiler, options, folder):
    objects = []
    for function, isa in zip(("first", "second"), isas):
        objects.append(pathlib.Path(folder) / f"{compiler}{level}{'-'.join(isas)}.{function}.o")
        code, output = compilers.run(compilers.command(compiler, options, level, f"-DFUNCTION={function}", "-c",
                                                       NAMES / "unit.cpp", "-o", objects[-1], isa=isa))
        if code:
            return output[:4000]
    program = objects[0].with_suffix(".program")
    code, output = compilers.run([compiler, "-std=c++20", f"-DDIFFERENT={int(isas[0] != isas[1])}",
                                  str(NAMES / "main.cpp"), *map(str, objects), "-o", str(program)])
    if not code:
        code, output = compilers.run([str(program)])
    return output[:4000] or "failed" if code else None


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    cpu = pathlib.Path("/proc/cpuinfo")
    has_avx2 = cpu.exists() and " avx2 " in cpu.read_text()
    jobs = []
    with tempfile.TemporaryDirectory() as folder:
        for compiler in options.compilers:
            for source in ("using.cpp", "macros.cpp"):
                jobs.append((f"{source}, {compiler}", functools.partial(compiles, source, compiler, options)))
            jobs.append((f"two units, {compiler}", functools.partial(links, ("x86-64-v2", "x86-64-v2"), "-O0", compiler,
                                                                     options, folder)))
            for level in ("-O0", "-O2") if has_avx2 else ():
                jobs.append((f"two machines {level}, {compiler}",
                             functools.partial(links, ("x86-64-v2", "x86-64-v3"), level, compiler, options, folder)))
        compilers.report(jobs)


if __name__ == "__main__":
    main()
