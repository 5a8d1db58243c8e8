#!/usr/bin/env python3
"""Compiles the C++ of the README and of docs/, one translation unit a page.

A block that begins ```cpp holds declarations (or a whole program), and may use what earlier blocks of the page
declare. The statements of a block that begins ```cpp body are put into a function. What is no C++ of today begins
```text.
"""
import functools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402


def unit(page):
    """The translation unit of a page, or an empty string; #line makes the compiler name the page."""
    lines = page.read_text().split("\n")
    includes, body, inside, kind = {}, [], False, ""
    blocks = 0
    for number, line in enumerate(lines, 1):
        fence = re.match(r"```(\S*)\s*(\S*)", line)
        if fence and not inside:
            inside, kind = fence.group(1) == "cpp", fence.group(2)
            if not inside:
                inside = None  # a block of something else, up to its end
                continue
            blocks += 1
            body.append(f"void block_{blocks}() {{" if kind == "body" else "")
            body.append(f'#line {number + 1} "{page.relative_to(compilers.ROOT)}"')
        elif fence and inside is None:
            inside = False
        elif fence:
            inside = False
            body.append("}" if kind == "body" else "")
        elif inside and re.match(r"\s*#\s*include", line):
            includes[line.split("//")[0].strip()] = None
            body.append("")
        elif inside:
            # Several programs of a page meet in one unit.
            body.append(re.sub(r"\bint main\(", f"int main_{blocks}(", line))
    return "\n".join([*includes, *body, ""]) if blocks else ""


def compiles(text, compiler, options):
    code, output = compilers.run(compilers.command(compiler, options, "-Wall", "-Wextra", "-Wno-unused", "-Werror",
                                                   "-fsyntax-only", "-x", "c++", "-"), text)
    return output[:4000] if code else None


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    pages = [compilers.ROOT / "README.md", *sorted((compilers.ROOT / "docs").rglob("*.md"))]
    units = {page: unit(page) for page in pages if page.exists()}
    compilers.report([(f"{page.relative_to(compilers.ROOT)}, {compiler}",
                       functools.partial(compiles, text, compiler, options))
                      for page, text in units.items() if text for compiler in options.compilers[:1]])


if __name__ == "__main__":
    main()
