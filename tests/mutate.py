"""Plants one mistake at a time in what backward and step compute, and asks whether the tests notice.

Mutated are the bodies named backward and step in include/inlay/blocks and combine, what they call there and in kernels,
and TableGrads::put. A mistake is a sign, a dropped term or factor, a bound, a lost `+=` or a lost statement. A mutant
that does not compile does not count, nor one that EQUIVALENT names with a reason; of the others 95 % have to be caught.
"""
import concurrent.futures
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
from mutants import HOOKS, functions_of, hooked, mutants_of, targets, without_comments

# (file, line as it stands, what it becomes, or None for any): why the mutant computes the same.
EQUIVALENT = {
    ("blocks/cross/keys.hpp", "if constexpr (ids > 0) {", None): "no field has one id alone: 0 is the unseen one",
    ("blocks/dropout.hpp", "y[i] = draw[k] >= limit ? x[i] * scale : T(0);", "y[i] = draw[k] > limit ? x[i] * scale : T(0);"):
        "one draw in 2^32",
    ("blocks/pool.hpp", "else kernels::clear(dsum, stride);", None): "a mean of nothing has no token to give a gradient to",
    ("blocks/pool.hpp", "d->count = 0;", None): "nobody reads the count of a state's cotangent",
    ("blocks/pool.hpp", "d_in->count = 0;", None): "nobody reads the count of a state's cotangent",
    ("blocks/pool.hpp", "kernels::scale<W>(stride, T(1) / T(count > 0 ? count : 1), sum, y);",
     "kernels::scale<W>(stride, T(1) / T(count > 1 ? count : 1), sum, y);"): "the other choice for a count of 1 is 1",
    ("kernels/map.hpp", "for (; i + W <= n; i += W) simd::fma(va, V::load(x + i), V::load(y + i)).store(y + i);",
     "for (; i + W < n; i += W) simd::fma(va, V::load(x + i), V::load(y + i)).store(y + i);"): "the tail does the last vector",
    ("kernels/map.hpp", "for (; i + W <= n; i += W) (va * V::load(x + i)).store(y + i);",
     "for (; i + W < n; i += W) (va * V::load(x + i)).store(y + i);"): "the tail does the last vector",
    ("kernels/map.hpp", "for (; i + W <= n; i += W) s = simd::fma(V::load(x + i), V::load(y + i), s);",
     "for (; i + W < n; i += W) s = simd::fma(V::load(x + i), V::load(y + i), s);"): "the tail does the last vector",
    ("kernels/gemm.hpp", "for (; j + 4 <= n; j += 4) {", "for (; j + 4 < n; j += 4) {"): "the tail does the last four",
    ("kernels/gemm.hpp", "rows(std::integral_constant<int, 4>{});", None): "the tile of one row does them all, slower",
    ("combine/stack.hpp", "return In<shape<j + 1>, R>(view_at<shape<j + 1>, R>(turn[(j + 1) % 2], lengths[j + 1]));",
     "return In<shape<j + 1>, R>(view_at<shape<j + 1>, R>(turn[(j - 1) % 2], lengths[j + 1]));"): "as odd or even",
    ("combine/stack.hpp", "else return reinterpret_cast<TokenOf<shape<j + 1>, R>*>(turn[(j + 1) % 2]);",
     "else return reinterpret_cast<TokenOf<shape<j + 1>, R>*>(turn[(j - 1) % 2]);"): "as odd or even",
    ("blocks/pool.hpp", "kernels::clear_pads(d_in->max[0], D, stride);", None): "nobody reads the pads of that cotangent",
}
# Tests to try first where the names in them do not tell.
FIRST = {"blocks/embed/shared.hpp": ["combine/share"], "combine/keep.hpp": ["combine/keep"],
         "combine/parallel.hpp": ["combine/parallel"], "combine/stack.hpp": ["laws/combine"], "kernels/gemm.hpp": ["laws/dense"]}
LAWS_FIRST, UNITS_NEXT, LAWS_LAST = 3, 4, 2  # how many tests a mutant has to survive, by kind

INLAY = compilers.INCLUDE / "inlay"
TESTS = compilers.ROOT / "tests"


# ------------------------------------------------------------------------------------------------ choosing tests

class Choice:
    """Which tests concern a function: those that name what its header, or a header that uses it, declares."""

    def __init__(self, texts, functions):
        self.texts, self.functions = texts, functions
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
                return {self.functions[f].file for f in users if not self.functions[f].file.startswith("kernels/")} or {file}
            names |= more

    def declared(self, header):
        """What a test can name of a header, or of those that include it where it has only details."""
        public = re.sub(r"^namespace detail \{.*?^\} // namespace detail", "", self.texts[header], flags=re.S | re.M)
        found = re.findall(r"^(?:template <[^\n]*> )?(?:struct|using) ([A-Z]\w+)", public, re.M)
        return set(found) or set().union(*(self.declared(h) for h in self.texts if f"<inlay/{header}>" in self.texts[h]))

    def of(self, file, name):
        if (file, name) not in self.known:
            headers = self.headers(file, name)
            words = sorted(set().union(*map(self.declared, headers)))
            pattern = re.compile(r"\b(" + "|".join(words) + r")\b")
            weights = {t: len(pattern.findall(text)) / (1 + text.count("TEST_CASE") + text.count("laws_in_float<"))
                       for t, text in self.tests.items()}
            stem = pathlib.Path(file).stem
            ranked = sorted((t for t in weights if weights[t] or pathlib.Path(t).name == stem),
                            key=lambda t: (pathlib.Path(t).name != stem, -weights[t], t))
            laws = [t for t in ranked if t.startswith("laws/")]
            units = [t for t in ranked if t not in laws]
            first = FIRST.get(file, [])
            laws = [t for t in first if t.startswith("laws/")] + [t for t in laws if t not in first]
            self.known[file, name] = ([(t, 1) for t in first] + [(t, 1) for t in laws[:LAWS_FIRST] if t not in first] +
                                      [(t, 1) for t in units[:UNITS_NEXT] if t not in first] + [(t, 3) for t in laws[:LAWS_LAST]])
        return self.known[file, name]


# ------------------------------------------------------------------------------------------------ trying mutants

class Bench:
    """A scratch copy of include/ per worker, a precompiled header of what no mutant touches, and the compiler."""

    def __init__(self, options, texts, room):
        self.texts = texts
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
        for n in range(options.jobs):
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
        code, _ = compilers.run(self.call + [
            f"-I{self.room / str(n)}", f"-DINLAY_LAWS_SIZES={size}", "-include", str(self.room / "fixed.hpp"),
            str(TESTS / f"{test}.test.cpp"), str(self.room / "main.o"), "-o", str(program)])
        at.write_text(self.texts[file])
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
            if size > 1:
                break  # each costs a compilation
            if (test, size) not in self.sound:  # the test has to pass without the mutant
                program = self.build(n, mutant.file, self.texts[mutant.file], test, size)
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
            program = self.build(n, alive[0].file, hooked(self.texts[alive[0].file], alive), test, size)
            if not program:
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
    parser.add_argument("--verbose", action="store_true", help="show what became of every mutant")
    parser.add_argument("--limit", type=int, help="only the first so many mutants")
    parser.add_argument("--sample", type=int, help="only so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20, help="how long a test may run")
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    options = parser.parse_args()
    compilers.check_compilers(options)

    files = [p for room in ("blocks", "combine", "kernels") for p in sorted((INLAY / room).rglob("*.hpp"))]
    texts = {str(p.relative_to(INLAY)): p.read_text() for p in files + [INLAY / "core/tensor.hpp"]}
    codes = {file: without_comments(text) for file, text in texts.items()}
    functions = [f for file, code in codes.items() for f in functions_of(file, code) if file != "core/tensor.hpp" or f.name == "put"]
    mutants = list(mutants_of(texts, codes, targets(functions)))
    if options.file:
        mutants = [m for m in mutants if m.file.endswith(tuple(options.file))]
    if options.sample:
        mutants = sorted(random.Random(options.seed).sample(mutants, min(options.sample, len(mutants))), key=lambda m: (m.file, m.line))
    mutants = mutants[:options.limit]
    choice = Choice(texts, functions)
    if options.list:
        for m in mutants:
            print(m, [f"{t}@{s}" for t, s in choice.of(m.file, m.function)], sep="\n  ")
        return print(f"{len(mutants)} mutants")

    start, counts, survivors = time.monotonic(), dict.fromkeys(["not compiling", "caught", "survived", "equivalent"], 0), []
    with tempfile.TemporaryDirectory() as room, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        bench = Bench(options, texts, room)

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
                if verdict == "survived" or options.verbose:
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
