#!/usr/bin/env python3
"""Compiles the C++ of the README and of docs/, one translation unit a page.

A block that begins ```cpp holds declarations, which later blocks of the page may use, or a whole program; a second
program may give the same names anew. The statements of a block that begins ```cpp body are put into a function. What
is no C++ of today begins ```text.
"""
import functools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402


def blocks(page):
    """(line number, what stands after ```, lines) of each fenced block."""
    found, opened = [], None
    for number, line in enumerate(page.read_text().split("\n"), 1):
        if not line.startswith("```"):
            if opened:
                opened[2].append(line)
        elif opened:
            found.append(opened)
            opened = None
        else:
            opened = (number + 1, line[3:].split(), [])
    return found


def unit(page):
    """The translation unit of a page, or an empty string; #line makes the compiler name the page."""
    includes, body = {}, []
    for number, info, lines in blocks(page):
        if info[:1] != ["cpp"]:
            continue
        includes |= {line.split("//")[0].strip(): None for line in lines if re.match(r"\s*#\s*include", line)}
        before, after = "", ""
        if info[1:] == ["body"]:
            before, after = f"void block_{number}() {{", "}"
        elif any(re.match(r"int main\(", line) for line in lines):
            before, after = f"namespace program_{number} {{", f"}} using namespace program_{number};"
        lines = ["" if re.match(r"\s*#\s*include", line) else line for line in lines]
        body += [before, f'#line {number} "{page.relative_to(compilers.ROOT)}"', *lines, after]
    return "\n".join([*includes, *body, ""]) if body else ""


def compiles(text, compiler, options):
    # A main inside a namespace returns no 0 by itself.
    flags = ["-Wall", "-Wextra", "-Wno-unused", "-Wno-return-type", "-Werror", "-fsyntax-only", "-x", "c++", "-"]
    code, output = compilers.run(compilers.command(compiler, options, *flags), text)
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
