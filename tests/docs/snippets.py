#!/usr/bin/env python3
"""Compiles and runs the C++ of the README and of docs/.

A block that begins ```cpp holds declarations, which later blocks of the page may use, or a whole program: ```cpp run
ARGUMENT... is run with these arguments and must return 0; paths among them are from the repository's root. Any other
program is only built. The statements of a block that begins ```cpp body become a function, which is called. What is no
C++ of today begins ```text.
"""
import functools
import pathlib
import re
import subprocess
import sys
import tempfile

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


def units(page):
    """(name, text, arguments or None) of each program that a page makes; #line makes the compiler name the page."""
    made, includes, shared, bodies = [], {}, [], []
    name = page.relative_to(compilers.ROOT)
    for number, info, lines in blocks(page):
        if info[:1] != ["cpp"]:
            continue
        includes |= {line.split("//")[0].strip(): None for line in lines if re.match(r"\s*#\s*include", line)}
        lines = [f'#line {number} "{name}"', *("" if re.match(r"\s*#\s*include", line) else line for line in lines)]
        if any(re.match(r"int main\(", line) for line in lines):
            arguments = info[2:] if info[1:2] == ["run"] else None
            made.append((f"{name}:{number}", "\n".join([*includes, *shared, *lines, ""]), arguments))
        elif info[1:] == ["body"]:
            bodies.append(f"block_{number}();")
            shared += [f"static void block_{number}() {{", *lines, "}"]
        else:
            shared += lines
    if shared:
        made.append((f"{name}", "\n".join([*includes, *shared, f"int main() {{ {' '.join(bodies)} }}", ""]), []))
    return made


def works(text, arguments, compiler, options, folder, number):
    program = pathlib.Path(folder) / f"program{number}"
    flags = ["-O1", "-Wall", "-Wextra", "-Wno-unused", "-Werror", "-pthread", "-x", "c++", "-", "-o", program]
    if not compilers.is_clang(compiler):
        flags += compilers.GCC_12_WARNINGS
    code, output = compilers.run(compilers.command(compiler, options, *flags), text)
    if code or arguments is None:
        return output[:4000] if code else None
    paths = [str(compilers.ROOT / a) if (compilers.ROOT / a).exists() else a for a in arguments]
    # In a folder of its own, since programs save what they trained.
    here = pathlib.Path(folder) / f"run{number}"
    here.mkdir()
    done = subprocess.run([str(program), *paths], capture_output=True, text=True, errors="replace", cwd=here)
    return f"returned {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}" if done.returncode else None


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    pages = [compilers.ROOT / "README.md", *sorted((compilers.ROOT / "docs").rglob("*.md"))]
    made = [unit for page in pages if page.exists() for unit in units(page)]
    with tempfile.TemporaryDirectory() as folder:
        compilers.report([(f"{name}, {compiler}",
                           functools.partial(works, text, arguments, compiler, options, folder, number))
                          for compiler in options.compilers[:1] for number, (name, text, arguments) in enumerate(made)])


if __name__ == "__main__":
    main()
