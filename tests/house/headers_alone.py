#!/usr/bin/env python3
"""Every header compiles by itself, with warnings as errors, and without exceptions and RTTI unless it is about files;
and all of them in one unit, where no two may mean different things by one name."""
import functools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402

# What reads and writes files throws. The other tests try the rest with exceptions.
THROWS = ("io/", "data/", "data.hpp")


def compiles(text, flags, compiler, options):
    flags = [*compilers.WARNINGS, *([] if compilers.is_clang(compiler) else compilers.GCC_12_WARNINGS), *flags]
    # Handed in by name, since warnings about a main file are others.
    code, output = compilers.run(compilers.command(compiler, options, *flags, "-fsyntax-only", "-x", "c++", "-",
                                                   isa="x86-64-v2"),  # the fewest intrinsics to read: a third less time
                                 text)
    return output[:4000] if code else None


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    jobs, every = [], []
    for number, path in enumerate(sorted((compilers.INCLUDE / "inlay").rglob("*.hpp"))):
        header = path.relative_to(compilers.INCLUDE / "inlay").as_posix()
        flags = [] if header.startswith(THROWS) else ["-fno-exceptions", "-fno-rtti"]
        for compiler in compilers.for_what_is_right(number, options):
            text = f"#include <inlay/{header}>\n"
            # Twice: a header without its guard fails.
            jobs.append((f"{header}, {compiler}", functools.partial(compiles, text * 2, flags, compiler, options)))
        every.append(text)
    jobs.append(("all together", functools.partial(compiles, "".join(every), [], options.compilers[0], options)))
    compilers.report(jobs)


if __name__ == "__main__":
    main()
