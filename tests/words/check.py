#!/usr/bin/env python3
"""Compiles every tests/words/NAME.cpp as it stands, which must succeed, and with -DMISTAKE, which must fail in few words.

A file begins with `// words: REGEX` lines; each must be found in the output. Where the mistake is one of flags, a line
`// flags: ...` gives them to the second call. See README.md beside this file.
"""
import functools
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import compilers  # noqa: E402

MAX_LINES, MAX_CHARACTERS, MAX_DISTANCE = 12, 2000, 300


def judge(output, wanted):
    """What is wrong with a compiler's output, or an empty string."""
    wrong = []
    errors = len(re.findall(r"(?m)^\S.*\berror: ", output))
    if errors != 1:
        wrong.append(f"{errors} `error:` lines, expected 1")
    lines = len(output.rstrip("\n").split("\n"))
    if lines > MAX_LINES:
        wrong.append(f"{lines} lines, expected at most {MAX_LINES}")
    if len(output) > MAX_CHARACTERS:
        wrong.append(f"{len(output)} characters, expected at most {MAX_CHARACTERS}")
    starts = [found.start() for found in re.finditer("inlay:(?!:)", output)]
    if not starts:
        wrong.append("`inlay:` is not in the output")
    for pattern in wanted:
        places = [found for found in re.finditer(pattern, output)]
        if not places:
            wrong.append(f"/{pattern}/ is not in the output")
        elif starts and not any(abs(place.start() - start) <= MAX_DISTANCE for place in places for start in starts):
            wrong.append(f"/{pattern}/ is further than {MAX_DISTANCE} characters from `inlay:`")
    return "; ".join(wrong)


def read_before(compiler, options, source, folder):
    """Flags for a source that includes <inlay/inlay.hpp>, which the compiler has then read already; --every lets it
    read the header itself, as users do."""
    if options.every or "#include <inlay/inlay.hpp>" not in (compilers.ROOT / source).read_text():
        return []
    return compilers.precompiled(compiler, options, "#include <inlay/inlay.hpp>\n", folder)


def correct(compiler, options, folder, source):
    flags = read_before(compiler, options, source, folder)
    code, output = compilers.run(compilers.command(compiler, options, *flags, "-fsyntax-only", source))
    return f"does not compile without the mistake\n{output[:4000]}" if code else None


def mistaken(compiler, options, folder, source):
    wanted = re.findall(r"(?m)^// words: (.+?)\s*$", (compilers.ROOT / source).read_text())
    if not wanted:
        return "has no line `// words: REGEX`"
    flags = " ".join(re.findall(r"(?m)^// flags: (.+)$", (compilers.ROOT / source).read_text())).split()
    if not flags:
        flags = read_before(compiler, options, source, folder)
    code, output = compilers.run(compilers.command(compiler, options, "-fsyntax-only", "-DMISTAKE", *flags, source))
    if code == 0:
        return "compiles with the mistake"
    # Clang names what was precompiled by its full path, and with a line more.
    output = re.sub(rf"(?m)^In file included from {re.escape(folder)}.*\n", "", output).replace(f"{compilers.ROOT}/", "")
    wrong = judge(output, wanted)
    return f"{wrong}\n{output[:4000]}" if wrong else None


def main():
    parser = compilers.arguments(__doc__)
    parser.add_argument("sources", nargs="*", type=pathlib.Path, help="default: all")
    options = parser.parse_args()
    compilers.check_compilers(options)
    sources = [source.resolve() for source in options.sources] or sorted(HERE.glob("*.cpp"))
    # From the repository's root, so that messages do not grow with the path to it.
    sources = [source.relative_to(compilers.ROOT) for source in sources]
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for number, source in enumerate(sources):
            for how, by in ((correct, compilers.for_what_is_right(number, options)), (mistaken, options.compilers)):
                jobs += [(f"{source.stem}, {compiler}, {how.__name__}",
                          functools.partial(how, compiler, options, folder, source)) for compiler in by]
        compilers.report(jobs)


if __name__ == "__main__":
    main()
