"""The mutants of the library's headers: reads enough C++ to find function bodies and operands, and plants mistakes."""
import dataclasses
import re

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
        head = code[max(code.rfind(c, 0, m.start()) for c in ";{}") + 1:m.start()]
        if re.search(r"\bconst(expr|eval)\b", head):
            continue  # sizes and offsets, found at compile time
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
