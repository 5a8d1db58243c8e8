#!/usr/bin/env python3
"""Reads the object file of a program, from both compilers at -O2.

--pure             it refers to nothing but mathematics and mem*
--direct REGEX     the functions whose plain name matches, and whatever they reach in the object, call nothing
                   indirectly and allocate nothing
"""
import functools
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import compilers  # noqa: E402

MATH = set("acos asin atan atan2 cbrt ceil cos cosh erf erfc exp exp2 expm1 floor fma fmax fmin fmod frexp ldexp log "
           "log10 log1p log2 lround modf nearbyint pow remainder rint round scalbn sin sinh sqrt tan tanh tgamma lgamma "
           "trunc".split())
MATH |= {name + "f" for name in MATH}
MEMORY = {"memcpy", "memmove", "memset", "memcmp"}
# The compilers' own; a program cannot avoid them. GCC names the personality in the unwind tables of any noexcept
# function into which others were inlined, and calls nothing by it; -fno-exceptions takes it away.
LINKER = {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "__gxx_personality_v0"}
ALLOCATION = re.compile(r"^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|_Zn[wa]|_Zd[la]|__cxa_)")


def undefined(path):
    code, output = compilers.run(["nm", "--undefined-only", "--format=posix", str(path)])
    return {line.split()[0].split("@")[0] for line in output.splitlines() if line}, code


def functions(path):
    """name -> (names it calls or jumps to, lines that call through a register or memory)"""
    _, output = compilers.run(["objdump", "-dr", "--no-show-raw-insn", str(path)])
    result, name, line = {}, None, ""
    for line in output.splitlines():
        start = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if start:
            name = start.group(1)
            result[name] = (set(), [])
        elif name and (relocation := re.search(r"R_\S+\s+([\w.$]+)", line)):
            result[name][0].add(relocation.group(1))
        elif name and (target := re.search(r"\b(?:call|jmp|bl|b)\s+[0-9a-f]+ <([\w.$]+)", line)):
            result[name][0].add(target.group(1))
        if name and (re.search(r"\b(call|jmp)q?\s+\*", line) or re.search(r"\bblr\s", line)) and "notrack" not in line:
            result[name][1].append(line.strip())
    return result


def pure(path):
    names, _ = undefined(path)
    other = sorted(names - MATH - MEMORY - LINKER)
    return f"refers to {', '.join(other)}" if other else None


def direct(path, pattern):
    code = functions(path)
    reach = [name for name in code if re.search(pattern, name)]
    if not reach:
        return f"no function matches {pattern}"
    seen, wrong = set(), []
    while reach:
        name = reach.pop()
        if ALLOCATION.match(name):
            wrong.append(f"reaches {name}")
        if name in seen or name not in code:
            continue
        seen.add(name)
        reach += code[name][0]
        wrong += [f"{name}: {line}" for line in code[name][1]]
    return "\n".join(wrong) or None


def examine(compiler, options, folder):
    path = pathlib.Path(folder) / f"{compiler}.o"
    # A switch is no indirect call, and without jump tables does not look like one.
    code, output = compilers.run(compilers.command(compiler, options, "-O2", "-fno-jump-tables", "-c", options.source,
                                                   "-o", path))
    if code:
        return output[:4000]
    found = [pure(path)] if options.pure else []
    if options.direct:
        found.append(direct(path, options.direct))
    return "\n".join(filter(None, found)) or None


def main():
    parser = compilers.arguments(__doc__)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--pure", action="store_true")
    parser.add_argument("--direct", metavar="REGEX")
    options = parser.parse_args()
    compilers.check_compilers(options)
    with tempfile.TemporaryDirectory() as folder:
        compilers.report([(f"{options.source.name}, {compiler}",
                           functools.partial(examine, compiler, options, folder)) for compiler in options.compilers])


if __name__ == "__main__":
    main()
