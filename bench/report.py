#!/usr/bin/env python3
"""Runs the benchmarks of both compilers and writes docs/performance.md and its picture.

usage: report.py TREE=COMPILER... [-- ARGUMENT...]; `./run bench` calls it."""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


LIMITS = """
## Where it falls short

- A B^T of 8 rows at k = 64 is at 76 to 80 % of the peak from run to run, of 16 rows at 76 to 84 %, always as far ahead of
  the peers: what is packed and turned over is not paid back by 64 multiplications. At k = 256 both are at 85 % and more.
- 4096,64,64 streams 2 MB of A and C through the second cache, and libxsmm is 2 to 4 % ahead there. 7,13,5 is a call of
  7 ns, inlined: 1.4 to 1.5 times faster than libxsmm's with GCC, from .93 to 1.12 times from run to run with Clang.
- 64,100,100 is .98 to 1.00 times libxsmm.
- One row by 256 x 256: 190 GB/s, all that the second cache gives, and packing cannot add to it. Tried: panels of 4, 8
  and 16 vectors, 0 to 16 rows ahead; none is faster than rows as they lie. The best peer is 1.08 times slower, the
  others 1.5 times. Packed panels pay where the matrix is past that cache.
- 512,512,512 moves by 10 % from run to run with the cache that is shared; so do its peers.
- e^x takes 1.33 to 1.43 ns for 16 numbers; 2^x takes .93 to 1.17.
"""


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


def version(compiler):
    return subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def measure(tree, arguments):
    """What the programs of a tree print, on one core where that can be asked for."""
    pin = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if hasattr(os, "sched_getaffinity") else []
    text = ""
    for program in sorted((ROOT / tree / "bench").glob("bench_*")):
        if not (program.is_file() and os.access(program, os.X_OK)):
            continue
        if program.name == "bench_tables":  # minutes to fill tables, for a table in docs/online.md
            continue
        if program.name == "bench_math":
            text += "" if arguments else medians(pin, program)
        else:
            text += subprocess.run([*pin, str(program), *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
    return text


def medians(pin, program):
    """The medians of what Google Benchmark measures there."""
    call = [*pin, str(program), "--benchmark_format=json", "--benchmark_repetitions=9", "--benchmark_report_aggregates_only",
            "--benchmark_enable_random_interleaving"]
    runs = json.loads(subprocess.run(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout)
    text = "\n### Elementary functions, and a pooled gather from 64 MB\n\n| what | ns | per |\n| --- | ---: | --- |\n"
    for run in runs["benchmarks"]:
        if run.get("aggregate_name") == "median":
            counter = next(c for c in ("ns_per_16", "ns_per_row") if c in run)
            text += f"| {run['run_name']} | {run[counter]:.2f} | {counter.removeprefix('ns_per_').replace('16', '16 numbers')} |\n"
    return text


def picture(text, title):
    """Percent of the FMA peak for every product A B, ours and the best peer's."""
    rows = []
    for part in (part for part in text.split("\n### ") if part.startswith("C += A B ") or part.startswith("C += A B,")):
        for line in re.findall(r"^\| (\d+,\d+,\d+) \| [\d.]+ \| (\d+) \| (\S[^|]*) \| ([\d.]+) \|", part, re.M):
            rows.append((line[0], float(line[1]), float(line[1]) / float(line[3]) if float(line[3]) else 0, line[2]))
    height = 24 * len(rows) + 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{height}" font-family="sans-serif" '
           f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
           f'<text x="10" y="20" font-size="14">{title}</text>']
    for i, (name, ours, best, peer) in enumerate(rows):
        y = 36 + 24 * i
        out.append(f'<text x="100" y="{y + 13}" text-anchor="end">{name}</text>'
                   f'<rect x="110" y="{y}" width="{4 * ours:.0f}" height="9" fill="#2563a8"/>'
                   f'<rect x="110" y="{y + 10}" width="{4 * best:.0f}" height="9" fill="#c9c9c9"/>'
                   f'<text x="{118 + 4 * max(ours, best):.0f}" y="{y + 13}">{ours:.0f} % ({peer} {best:.0f} %)</text>')
    out.append(f'<line x1="510" y1="30" x2="510" y2="{height - 20}" stroke="black"/>'
               f'<text x="510" y="{height - 6}" text-anchor="middle">FMA peak</text></svg>')
    return "\n".join(out) + "\n"


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    trees, arguments = [a.split("=") for a in sys.argv[1:split]], sys.argv[split + 1:]
    results = [(compiler, measure(tree, arguments)) for tree, compiler in trees]
    for compiler, text in results:
        print(f"\n## {version(compiler)}\n{text}")
    if arguments:
        return  # a part, or fewer rounds: not for the page
    page = f"""# Performance

Written by `./run bench` on one core of {processor()}; run it on yours.

Every line is a race in one process: all contestants and a loop of nothing but FMAs take turns, and the numbers are
medians of 31 rounds. Percentages are of the FMA loop in the same round, and count the multiplications that were asked
for, not those with pads. A ratio is the peer's time over inlay's: above 1 inlay is faster. All get the same memory, rows
padded to whole vectors, one thread, and are checked against sums in double before they are timed. OpenBLAS chooses its
core type itself: variables that force another are removed.

![Percent of the FMA peak](performance.svg)
"""
    for compiler, text in results:
        page += f"\n## {version(compiler)}\n{text}"
    page += "\n## What models cost to compile\n\n" + subprocess.run(
        [sys.executable, str(ROOT / "bench/compile/measure.py")], stdout=subprocess.PIPE, text=True, check=True).stdout
    page += LIMITS
    (ROOT / "docs/performance.md").write_text(page)
    (ROOT / "docs/performance.svg").write_text(
        picture(results[0][1], f"C += A B (M,N,K), float, one core, {version(results[0][0]).split(' (')[0]}"))


if __name__ == "__main__":
    main()
