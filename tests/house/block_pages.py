#!/usr/bin/env python3
"""The page that Doxygen makes of a block says what one has to know of it: shapes, parameters, cost, state, errors and what
it is in PyTorch. Activations say it once, in `docs/blocks.md` and in what they are made of.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAYS = {
    "shapes": r"[Ss]hapes?\b|\[[A-Z][^]]*\]|outputs are",
    "parameters": r"[Pp]arameters?\b|As \w+\b|as \w+'s",
    "cost": r"\b[Cc]osts?\b",
    "state": r"[Ss]tate\b|[Ss]tream",
    "errors": r"[Ee]rrors?\b",
    "PyTorch": r"PyTorch|torch",
}
# A comment, and what it stands above, if that is a struct with a block of its own.
DOCUMENTED = re.compile(r"((?:^///.*\n)+)(?:template <.*\n?(?: +requires.*\n)?)?struct (\w+)\b[^;{]*\{", re.M)


def pages(header):
    """Name and comment of each block that is not a detail."""
    code = header.read_text()
    for page in DOCUMENTED.finditer(code):
        end = code.find("\n};", page.end())
        before = code[:page.start()]
        detail = before.count("\nnamespace detail {") > before.count("\n} // namespace detail")
        if not detail and code[page.end()] != "}" and "struct Block" in code[page.end():end if end > 0 else None]:
            yield page[2], page[1]


def main():
    wrong, count = [], 0
    for folder in ("blocks", "combine"):
        for header in sorted((ROOT / "include/inlay" / folder).glob("*.hpp")):
            for name, text in pages(header):
                count += 1
                missing = [what for what, pattern in SAYS.items() if not re.search(pattern, text)]
                if missing:
                    wrong.append(f"{header.relative_to(ROOT)}: {name} does not say its {', '.join(missing)}")
    assert count > 40, count
    print(*wrong, f"{count - len(wrong)} passed, {len(wrong)} failed", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
