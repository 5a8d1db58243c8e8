"""Plants one mistake at a time in what backward and step compute, and asks whether the tests notice.

Mutated are the bodies named backward and step in include/inlay/blocks and combine, what they call there and in kernels,
and TableGrads::put. A mistake is a sign, a dropped term or factor, a bound, a lost `+=` or a lost statement. A mutant
that does not compile does not count, nor one that EQUIVALENT names with a reason; of the others 95 % have to be caught.
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import queue
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import compilers

# (file, line as it stands, what it becomes, or None for any): why the mutant computes the same.
EQUIVALENT = {}
# Tests to try first where the names in them do not tell.
FIRST = {"blocks/embed_shared.hpp": ["combine/share"], "combine/keep.hpp": ["combine/keep"]}
LAWS_FIRST, UNITS_NEXT, LAWS_LAST = 3, 4, 2  # how many tests a mutant has to survive, by kind

INLAY = compilers.INCLUDE / "inlay"
TESTS = compilers.ROOT / "tests"
SKIPPED = re.compile(r"static_assert|^\s*(using|template|static constexpr|requires)\b")
KEPT = re.compile(r"return\b|static_cast<void>|if\b|for\b|while\b|else\b|using\b|continue\b|break\b")
STATEMENT = re.compile(r"(?:template |[\w:.]|->|<[\w:<>, +\-]*>|\[[^\]]*\])+\(|\([^;{}]*\)\.store\(|"  # a call, or
                       r"\*?\w+(?:(?:->|\.)\w+|\[[^\]]*\]|\([^()]*\))* [-+*/]?= ")                     # an assignment
NOT_A_CALL = {"if", "for", "while", "switch", "return", "sizeof", "noexcept", "decltype", "alignas", "constexpr", "catch"}


# ------------------------------------------------------------------------------------------------ reading C++

def without_comments(text):
    """The text with comments and strings blanked: places stay the same."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def matching(code, at):
    """The place behind the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if depth == 0:
            return i + 1
    return len(code)


@dataclasses.dataclass
class Function:
    name: str
    file: str
    begin: int
    end: int
    calls: set


def functions_of(file, code):
    found = []
    for m in re.finditer(r"\b(\w+)\(", code):
        if m[1] in NOT_A_CALL:
            continue
        behind = re.compile(r"\s*(?:const|noexcept(?:\([^()]*\))?|\s)*\{").match(code, matching(code, m.end() - 1))
        if behind and re.search(r"[\w>&*]\s+$", code[:m.start()]) and not re.search(r"\b(return|else)\s+$", code[:m.start()]):
            begin, end = behind.end() - 1, matching(code, behind.end() - 1)
            calls = set(re.findall(r"\b(\w+)(?:<[^;(){}]*>)?\(", code[begin:end])) - NOT_A_CALL
            found.append(Function(m[1], file, begin, end, calls))
    return found


def primary_end(code, at):
    """The place behind the operand that starts at `at`: signs, a name or a bracket, and what hangs on it."""
    at = re.compile(r"\s*[-!*&~]*").match(code, at).end()
    part = re.compile(r"(?:\.|->|::)?(?:template )?[\w']+(?:\.\d+)?(?:<[\w:, +\-*]*>(?=[(:{]))?")
    m = part.match(code, at)
    at = m.end() if m else matching(code, at) if code[at] in "([{" else at
    while at < len(code):
        if code[at] in "([{" and code[at - 1] != " ":
            at = matching(code, at)
        elif re.compile(r"\.\w|->|::").match(code, at):
            at = part.match(code, at).end()
        else:
            return at
    return at


def operand_end(code, at, operator):
    at = primary_end(code, at)
    while operator in "+-" and (m := re.compile(r"\s[*/%]\s").match(code, at)):
        at = primary_end(code, m.end())
    return at


def arguments_of(code, at):
    """The places of the arguments of the call whose bracket opens at `at`."""
    end, begin, i, found = matching(code, at) - 1, at + 1, at + 1, []
    while i < end:
        i = matching(code, i) if code[i] in "([{" else i + 1
        if i >= end or code[i] == ",":
            found.append((begin, min(i, end)))
            begin = i = i + 1
    return found


def statement_end(code, at):
    """The place of the `;` that ends the statement at `at`."""
    while code[at] not in ";{})":
        at = matching(code, at) if code[at] in "([" else at + 1
    return at


# ------------------------------------------------------------------------------------------------ making mutants

@dataclasses.dataclass
class Mutant:
    file: str
    line: int
    function: str
    kind: str
    was: str      # the line as it stands
    becomes: str  # and as the mutant has it
    text: str     # the whole file
    hooks: list   # (place, text) to make the mistake at run time
    length: int   # of what is replaced, to nest hooks

    def __str__(self):
        return f"{self.file}:{self.line} [{self.kind}]\n  - {self.was}\n  + {self.becomes}"


def edits_of(code, begin, end):
    """(kind, from, to, replacement, hooks) for each mistake in a body. The hooks are texts to put in at places so that
    the mistake is made while the program runs as mutant @; without hooks it has to be compiled by itself."""
    headers = [(m.end() - 1, matching(code, m.end() - 1)) for m in re.finditer(r"\bfor \(", code[:end]) if m.start() >= begin]

    def header(at):
        return next(((a, b) for a, b in headers if a < at < b), None)

    def each(pattern):
        return (m for m in re.compile(pattern).finditer(code, begin, end))

    def around(what, a, b):
        a += len(code[a:b]) - len(code[a:b].lstrip())
        return [(a, f"::mutant::{what}<@>("), (b, ")")]

    for m in each(r"(?<=[\w)\]]) ([-+*/])(?=\s)(?!\s\.\.\.)"):
        last = operand_end(code, m.end(), m[1])
        if m[1] in "+-":
            yield "sign", m.start(1), m.end(1), "-" if m[1] == "+" else "+", around("minus", m.end(), last)
            yield "term", m.start(), last, "", around("zero", m.end(), last)
        else:
            yield "factor", m.start(), last, "", around("one", m.end(), last)
    for m in each(r"([\w.]+(?:(?:->|\.)\w+|\[[^\]]*\]|\([^()]*\))*) ([-+*/])= "):
        if not header(m.start()):
            last = statement_end(code, m.end())
            yield "+=", m.start(2), m.end(2), "", around("set_zero" if m[2] in "+-" else "set_one", m.start(1), m.end(1))
            if m[2] in "+-":
                yield "sign", m.start(2), m.end(2), "-" if m[2] == "+" else "+", around("minus", m.end(), last)
    for m in each(r"(?<=[(=,:?] )-(?=[\w(])|(?<=[(,])-(?=[\w(])"):
        yield "sign", m.start(), m.end(), "", around("minus", m.start(), primary_end(code, m.start()))
    for m in each(r"\bsimd::fma\("):
        (a, b), (c, d), (e, f) = arguments_of(code, m.end() - 1)
        product = f"(({code[a:b]}) * ({code[c:d].strip()}))"
        yield "+=", m.start(), f + 1, product, around("zero", e, f)
        yield "sign", m.start(), f + 1, f"(({code[e:f].strip()}) - {product})", around("minus", a, b)
    for m in each(r" < "):
        stride = (h := header(m.start())) and re.search(r"\w \+= ([\w* ]+)$", code[h[0]:h[1] - 1])
        by = stride[1] if stride else "1"
        yield "bound", m.start(), m.end(), f" + {by} < ", [(m.start(), f" + ::mutant::on<@>() * {by}")]
    for m in each(r" (<=|>=) "):
        yield "bound", m.start(1), m.end(1), m[1][0], None
    for m in each(r"(?<= > )\d+\b"):
        yield "bound", m.start(), m.end(), str(int(m[0]) + 1), [(m.end(), " + ::mutant::on<@>()")]
    for a, b in headers:
        for m in re.compile(r"(?<= = )0(?=[;,])").finditer(code, a, code.index(";", a) + 1):
            yield "bound", m.start(), m.end(), "1", [(m.end(), " + ::mutant::on<@>()")]
    for m in each(r"(?<=[ (])(true|false)(?=\);)"):
        yield "+=", m.start(), m.end(), "false" if m[0] == "true" else "true", [(m.end(), " != bool(::mutant::on<@>())")]
    for m in each(r"(?:[;{})]|\belse)\s+(?=([\w*(]))"):
        if header(m.start(1)) or KEPT.match(code, m.start(1)):
            continue
        last = statement_end(code, m.start(1))
        if STATEMENT.match(code[m.start(1):last]) and code[last] == ";":
            yield "statement", m.start(1), last, "", [(m.start(1), "if (::mutant::on<@>()) {} else ")]


def mutants_of(texts, codes, functions):
    seen = set()
    for f in functions:
        text, code = texts[f.file], codes[f.file]
        for kind, a, b, new, hooks in edits_of(code, f.begin, f.end):
            mutated = text[:a] + new + text[b:]
            first, last = text.rfind("\n", 0, a) + 1, text.find("\n", b)
            was = text[first:last]
            if SKIPPED.search(text[first:text.find("\n", a)]) or mutated in seen:
                continue
            seen.add(mutated)
            plain = [" ".join(s.split()) for s in (was, text[first:a] + new + text[b:last])]
            yield Mutant(f.file, text.count("\n", 0, a) + 1, f.name, kind, *plain, mutated, hooks, b - a)


def targets(functions):
    """backward and step of blocks and combinators, and whatever they reach; put of a table's gradient."""
    reached, names = [], {"backward", "step", "put"}
    while True:
        more = [f for f in functions if f.name in names and f not in reached]
        if not more:
            return sorted(reached, key=lambda f: (f.file, f.begin))
        reached += more
        for f in more:
            names |= f.calls - {"forward", "visit", "describe", "initialize", "scratch", "step_scratch"}


HOOKS = """
#pragma once
#include <cstdio>
#include <cstdlib>
#include <type_traits>
namespace mutant {
inline int const active = std::getenv("INLAY_MUTANT") ? std::atoi(std::getenv("INLAY_MUTANT")) : 0;
inline bool reached = false;
template <int N> constexpr int on() noexcept {
    if (std::is_constant_evaluated() || active != N) return 0;
    if (!reached) std::fputs("mutant reached", stderr);
    reached = true;
    return 1;
}
template <int N, class T> constexpr std::decay_t<T> zero(T const& x) noexcept { return on<N>() ? std::decay_t<T>(0) : x; }
template <int N, class T> constexpr std::decay_t<T> one(T const& x) noexcept { return on<N>() ? std::decay_t<T>(1) : x; }
template <int N, class T> constexpr std::decay_t<T> minus(T const& x) noexcept {
    if (on<N>()) return std::decay_t<T>(0) - x;
    return x;
}
template <int N, class T> constexpr T& set_zero(T& x) noexcept {
    if (on<N>()) x = T(0);
    return x;
}
template <int N, class T> constexpr T& set_one(T& x) noexcept {
    if (on<N>()) x = T(1);
    return x;
}
}
"""


def hooked(text, mutants):
    """The file with the hooks of all of the mutants, numbered from 1: outer ones open first and close last."""
    places = []
    for n, m in enumerate(mutants, 1):
        for k, (at, hook) in enumerate(m.hooks):
            closing = k == 1 or hook.startswith(" ")
            span = abs(m.hooks[-1][0] - m.hooks[0][0]) if len(m.hooks) == 2 else m.length
            order = (at, 0, span, n) if k == 1 else (at, 1, 0, n) if closing else (at, 2, -span, -n)
            places.append((order, at, hook.replace("@", str(n))))
    for _, at, hook in sorted(places, reverse=True):
        text = text[:at] + hook + text[at:]
    return text


# ------------------------------------------------------------------------------------------------ choosing tests

class Choice:
    """Which tests concern a function: those that name what its header, or a header that uses it, declares."""

    def __init__(self, codes, functions):
        self.codes, self.functions = codes, functions
        self.tests = {}
        for room in ("laws", "kernels", "blocks", "combine"):
            for path in sorted((TESTS / room).glob("*.test.cpp")):
                if path.name != "planted.test.cpp":
                    self.tests[f"{room}/{path.name[:-9]}"] = path.read_text()
        self.known = {}

    def headers(self, file, name):
        if not file.startswith(("kernels/", "core/")):
            return {file}
        names, found = {name}, set()
        while True:
            users = {f for f in range(len(self.functions)) if self.functions[f].calls & names}
            more = {self.functions[f].name for f in users} - names - {"forward", "backward", "step"}
            if not more:
                return {self.functions[f].file for f in users if not self.functions[f].file.startswith("kernels/")} | {file}
            names |= more

    def of(self, file, name):
        if (file, name) not in self.known:
            headers = self.headers(file, name)
            for _ in range(3):
                words = {w for h in headers for w in re.findall(
                    r"^(?:template <[^\n]*> )?(?:struct|using) ([A-Z]\w+)", self.codes[h], re.M)} - {"EmbedBlock"}
                pattern = re.compile(r"\b(" + "|".join(sorted(words) or ["-"]) + r")\b")
                weights = {t: len(pattern.findall(text)) / (1 + text.count("TEST_CASE") + text.count("laws_in_float<"))
                           for t, text in self.tests.items()}
                if any(weights.values()):
                    break
                headers |= {h for h in self.codes for g in headers if f"<inlay/{g}>" in self.codes[h]}
            stem = pathlib.Path(file).stem
            ranked = sorted((t for t in weights if weights[t] or pathlib.Path(t).name == stem),
                            key=lambda t: (pathlib.Path(t).name != stem, -weights[t], t))
            laws = [t for t in ranked if t.startswith("laws/")]
            units = [t for t in ranked if t not in laws]
            first = FIRST.get(file, [])
            self.known[file, name] = ([(t, 1) for t in first] + [(t, 1) for t in laws[:LAWS_FIRST]] +
                                      [(t, 1) for t in units[:UNITS_NEXT] if t not in first] + [(t, 3) for t in laws[:LAWS_LAST]])
        return self.known[file, name]


# ------------------------------------------------------------------------------------------------ trying mutants

class Bench:
    """A scratch copy of include/ per worker, a precompiled header of what no mutant touches, and the compiler."""

    def __init__(self, options, room, jobs):
        self.room, self.seconds = pathlib.Path(room), options.seconds
        compiler = next((c for c in options.compilers if not compilers.is_clang(c)), options.compilers[0])
        self.call = ["nice", "-n", "10", compiler, "-std=c++20", "-O0", "-w", "-march=x86-64-v3", f"-I{TESTS}"]
        if options.xsimd and options.xsimd != "/usr/include":
            self.call += ["-isystem", options.xsimd]
        fixed = ["doctest/doctest.h", "xsimd/xsimd.hpp", "fstream", "iostream", "sstream", "filesystem", "map", "variant",
                 "unordered_map", "charconv", "chrono", "thread", "tuple", "optional", "numeric", "reference/all.hpp"]
        (self.room / "hooks.hpp").write_text(HOOKS)
        (self.room / "fixed.hpp").write_text('#include "hooks.hpp"\n' + "".join(f"#include <{name}>\n" for name in fixed))
        self.must(*self.call, "-x", "c++-header", self.room / "fixed.hpp", "-o", self.room / "fixed.hpp.gch")
        self.must(*self.call, "-c", TESTS / "doctest_main.cpp", "-o", self.room / "main.o")
        self.free = queue.Queue()
        for n in range(jobs):
            shutil.copytree(compilers.INCLUDE, self.room / str(n))
            self.free.put(n)
        self.sound = {}

    def must(self, *call):
        code, words = compilers.run([str(c) for c in call])
        if code:
            sys.exit(words)

    def build(self, n, file, text, test, size):
        """Compiles a test with a header's text changed; returns the program or nothing."""
        at, program = self.room / str(n) / "inlay" / file, self.room / f"{n}.program"
        at.write_text(text)
        code, words = compilers.run(self.call + [
            f"-I{self.room / str(n)}", f"-DINLAY_LAWS_SIZES={size}", "-include", str(self.room / "fixed.hpp"),
            str(TESTS / f"{test}.test.cpp"), str(self.room / "main.o"), "-o", str(program)])
        at.write_text((INLAY / file).read_text())
        self.words = words
        return None if code else program

    def passes(self, program, mutant=0):
        """Whether a test passes, and whether it came by the mutant."""
        try:
            done = subprocess.run([program, "--abort-after=1"], capture_output=True, timeout=self.seconds, cwd=compilers.ROOT,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
                                  env={**os.environ, "INLAY_MUTANT": str(mutant)})
        except subprocess.TimeoutExpired:
            return False, True
        return done.returncode == 0, b"mutant reached" in done.stderr

    def judge_one(self, n, mutant, tests):
        """caught, survived or not compiling, by the text of the mutant itself."""
        for test, size in tests:
            if (test, size) not in self.sound:  # the test has to pass without the mutant
                program = self.build(n, mutant.file, (INLAY / mutant.file).read_text(), test, size)
                self.sound[test, size] = bool(program) and self.passes(program)[0]
            if not self.sound[test, size]:
                continue
            program = self.build(n, mutant.file, mutant.text, test, size)
            if not program:
                return "not compiling", test
            if not self.passes(program)[0]:
                return "caught", f"{test} at {size}"
        return "survived", "all"

    def judge_hooked(self, n, mutants, tests, reached, verdicts):
        """Tries all mutants of one file in one program a test. What does not compile together is tried in halves."""
        alive = list(mutants)
        for test, size in tests:
            alive = [m for m in alive if id(m) not in verdicts]
            if not alive:
                return
            program = self.build(n, alive[0].file, hooked((INLAY / alive[0].file).read_text(), alive), test, size)
            if not program:
                if os.environ.get("INLAY_MUTATE_VERBOSE"):
                    print(f"{len(alive)} hooks of {alive[0].file} do not compile: {self.words[:600]}", flush=True)
                if len(alive) > 1:
                    for half in (alive[:len(alive) // 2], alive[len(alive) // 2:]):
                        self.judge_hooked(n, half, tests, reached, verdicts)
                return
            if not self.passes(program)[0]:
                self.sound[test, size] = False
                continue
            for k, m in enumerate(alive, 1):
                passed, came_by = self.passes(program, k)
                reached |= {id(m)} if came_by else set()
                if not passed:
                    verdicts[id(m)] = "caught", f"{test} at {size}"

    def judge(self, mutants, tests):
        """The verdict on each mutant of a file. One that no program came by at run time is compiled by itself."""
        n, reached, verdicts = self.free.get(), set(), {}
        try:
            self.judge_hooked(n, [m for m in mutants if m.hooks], tests, reached, verdicts)
            return [(m, *(verdicts.get(id(m)) or (("survived", "all") if id(m) in reached else self.judge_one(n, m, tests))))
                    for m in mutants]
        finally:
            self.free.put(n)


def known(mutant):
    line = (mutant.file, mutant.was)
    return EQUIVALENT.get(line + (mutant.becomes,)) or EQUIVALENT.get(line + (None,))


def main():
    parser = compilers.arguments(__doc__.splitlines()[0])
    parser.add_argument("--file", action="append", help="only headers whose path ends so")
    parser.add_argument("--limit", type=int, help="only the first so many mutants")
    parser.add_argument("--sample", type=int, help="only so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20, help="how long a test may run")
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    options = parser.parse_args()
    compilers.check_compilers(options)

    files = [p for room in ("blocks", "combine", "kernels") for p in sorted((INLAY / room).glob("*.hpp"))]
    texts = {str(p.relative_to(INLAY)): p.read_text() for p in files + [INLAY / "core/tensor.hpp"]}
    codes = {file: without_comments(text) for file, text in texts.items()}
    functions = [f for file, code in codes.items() for f in functions_of(file, code) if file != "core/tensor.hpp" or f.name == "put"]
    mutants = list(mutants_of(texts, codes, targets(functions)))
    if options.file:
        mutants = [m for m in mutants if m.file.endswith(tuple(options.file))]
    if options.sample:
        mutants = sorted(random.Random(options.seed).sample(mutants, min(options.sample, len(mutants))), key=lambda m: (m.file, m.line))
    mutants = mutants[:options.limit]
    choice = Choice(codes, functions)
    if options.list:
        for m in mutants:
            print(m, [f"{t}@{s}" for t, s in choice.of(m.file, m.function)], sep="\n  ")
        sys.exit(f"{len(mutants)} mutants")

    start, counts, survivors = time.monotonic(), dict.fromkeys(["not compiling", "caught", "survived", "equivalent"], 0), []
    with tempfile.TemporaryDirectory() as room, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        bench = Bench(options, room, options.jobs)

        groups = {}
        for m in mutants:
            if known(m):
                counts["equivalent"] += 1
            else:
                groups.setdefault((m.file, tuple(choice.of(m.file, m.function))), []).append(m)
        for done in concurrent.futures.as_completed(pool.submit(bench.judge, ms, tests) for (_, tests), ms in groups.items()):
            for m, verdict, by in done.result():
                counts[verdict] += 1
                if verdict == "survived":
                    survivors.append(m)
                if verdict == "survived" or os.environ.get("INLAY_MUTATE_VERBOSE"):
                    print(f"{verdict} {by}: {m}", flush=True)
        for (test, size), sound in bench.sound.items():
            if not sound:
                print(f"not used: {test} at {size} fails without any mutant")
    counted = counts["caught"] + counts["survived"]
    print(f"\n{len(mutants)} mutants in {time.monotonic() - start:.0f} s: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    good = counted > 0 and counts["caught"] >= 0.95 * counted
    print(f"caught {100 * counts['caught'] / max(counted, 1):.1f} % of {counted}; 95 % are asked for")
    print(f"{int(good)} passed, {int(not good)} failed")
    sys.exit(not good)


if __name__ == "__main__":
    main()
