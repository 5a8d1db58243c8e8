#!/usr/bin/env python3
"""The version in version.hpp and the packages' own copies of it are one; so is the least xsimd."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def found(path, pattern):
    match = re.search(pattern, (ROOT / path).read_text())
    return match.group(1) if match else "nothing"


def main():
    text = (ROOT / "include/inlay/version.hpp").read_text()
    version = ".".join(re.search(rf"INLAY_VERSION_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR", "PATCH"))
    floor = found("cmake/inlay-xsimd.cmake", r"set\(inlay_xsimd_floor (\d+)\)")
    expected = {
        "vcpkg.json": (json.loads((ROOT / "vcpkg.json").read_text())["version"], version),
        "tests/package/vcpkg/inlay/vcpkg.json":
            (json.loads((ROOT / "tests/package/vcpkg/inlay/vcpkg.json").read_text())["version"], version),
        "CITATION.cff": (found("CITATION.cff", r"(?m)^version: (\S+)"), version),
        "conanfile.py, xsimd": (found("conanfile.py", r'"xsimd/\[>=(\d+)'), floor),
        "cmake/inlay.pc.in, xsimd": (found("cmake/inlay.pc.in", r"xsimd >= (\d+)"), floor),
    }
    wrong = [f"{place}: expected {want}, found {have}" for place, (have, want) in expected.items() if have != want]
    print("\n".join(wrong))
    print(f"{len(expected) - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
