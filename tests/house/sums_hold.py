#!/usr/bin/env python3
"""Files that other programs wrote are as they wrote them: each stands in the SHA256SUMS beside it, with its sum."""
import hashlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    passed, wrong = 0, []
    for sums in sorted([*ROOT.glob("tests/**/SHA256SUMS"), *ROOT.glob("examples/**/SHA256SUMS")]):
        place = sums.relative_to(ROOT).parent
        listed = dict(reversed(line.split("  ", 1)) for line in sums.read_text().splitlines())
        for name in sorted({*listed, *(file.name for file in sums.parent.glob("*.safetensors"))}):
            file = sums.parent / name
            if name not in listed:
                wrong.append(f"{place / name}: expected a line in SHA256SUMS, found none")
            elif not file.is_file():
                wrong.append(f"{place / name}: expected by SHA256SUMS, not found")
            elif (found := hashlib.sha256(file.read_bytes()).hexdigest()) != listed[name]:
                wrong.append(f"{place / name}: expected {listed[name]}, found {found}")
            else:
                passed += 1
    print("\n".join(wrong))
    print(f"{passed} passed, {len(wrong)} failed")
    sys.exit(1 if wrong or not passed else 0)


if __name__ == "__main__":
    main()
