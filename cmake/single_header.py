#!/usr/bin/env python3
"""single_header.py OUTPUT [UMBRELLA...]: inlay as one file, for places that take one. xsimd stays apart.

The umbrellas are inlay.hpp, data.hpp and train.hpp unless others are named, relative to include/inlay.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r"\s*#\s*include\s*<(inlay/[^>]+)>")


def paste(header, seen, out):
    """Appends a header with those that it includes, each once, where it is first needed."""
    if header in seen:
        return
    seen.add(header)
    for line in (ROOT / "include" / header).read_text().split("\n"):
        include = INCLUDE.match(line)
        if include:
            paste(include.group(1), seen, out)
        elif not re.match(r"\s*#\s*pragma\s+once|// SPDX-License-Identifier", line):
            out.append(line)


def single(umbrellas):
    version = ".".join(re.findall(r"INLAY_VERSION_\w+ (\d+)", (ROOT / "include/inlay/version.hpp").read_text()))
    licence = "\n".join(f"// {line}".rstrip() for line in (ROOT / "LICENSE").read_text().strip().split("\n"))
    out = [f"// inlay {version} in one file: {', '.join(umbrellas)}. It needs C++20 and xsimd's headers.",
           "// SPDX-License-Identifier: BSD-3-Clause", "//", licence, "#pragma once", ""]
    seen = set()
    for umbrella in umbrellas:
        paste(f"inlay/{umbrella}", seen, out)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).rstrip() + "\n"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    pathlib.Path(sys.argv[1]).write_text(single(sys.argv[2:] or ["inlay.hpp", "data.hpp", "train.hpp"]))


if __name__ == "__main__":
    main()
