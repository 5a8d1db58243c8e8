#!/usr/bin/env python3
"""check.py OBJECT...: an object shows one symbol, and no instruction wider than its name (..._v2.o) allows."""
import re
import subprocess
import sys

WIDER = {"v2": r"%[yz]mm\d", "v3": r"%zmm\d", "v4": None}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main():
    wrong = []
    for path in sys.argv[1:]:
        isa = re.search(r"_(v\d)\.o$", path).group(1)
        shown = [line.split()[-1] for line in output("nm", "--defined-only", "--extern-only", path).splitlines()]
        if shown != [f"ranker_{isa}"]:
            wrong.append(f"{path} shows {shown[:9]}")
        code = output("objdump", "-d", path)
        if "%xmm" not in code:
            wrong.append(f"{path} has no vectors")
        if isa != "v2" and ("%ymm" if isa == "v3" else "%zmm") not in code:
            wrong.append(f"{path} is narrower than its name")
        if WIDER[isa] and re.search(WIDER[isa], code):
            wrong.append(f"{path} has wider vectors than its machine")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
