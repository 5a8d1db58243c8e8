#!/usr/bin/env python3
"""Rows a second of a click log's shape: inlay, a PyTorch loop, and Vowpal Wabbit for the wide part, on the same file.

    compare.py PROGRAM [--rows N] [--torch PYTHON] [--vw PYTHON] [--folder DIR] [--threads N...]

PROGRAM is the target `criteo`. PYTHON is an interpreter that has torch and numpy, or vowpalwabbit; without one its part
is left out. Every run is repeated and the best is shown, since whatever else the machine does only adds time; rates are
by the clock, and by seconds of processor, which count what all threads of a program used.
"""
import argparse
import json
import math
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
COUNTS = 13


def lines(*call):
    done = subprocess.run([str(c) for c in call], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def best(runs):
    """Of several runs' lines, the fastest of each kind."""
    fastest = {}
    for line in (line for run in runs for line in run):
        key = line["what"], line["threads"]
        if key not in fastest or line["rows_per_cpu_s"] > fastest[key]["rows_per_cpu_s"]:
            fastest[key] = line
    return list(fastest.values())


def to_vw(source, target):
    """The same features as the wide model: buckets of counts and categories, none where one is missing."""
    with open(source) as rows, open(target, "w") as out:
        for line in rows:
            cells = line.rstrip("\n").split("\t")
            features = [f"i{f}_{1 + min(int(math.log2(1 + max(float(c), 0))), 19)}"
                        for f, c in enumerate(cells[1:1 + COUNTS]) if c]
            features += [f"c{f}_{c}" for f, c in enumerate(cells[1 + COUNTS:]) if c]
            out.write(f"{'1' if cells[0] == '1' else '-1'} | {' '.join(features)}\n")


def vw(python, folder, rows):
    """Vowpal Wabbit reads and learns in one pass; its reader is a thread of its own."""
    call = [python, "-m", "vowpalwabbit", "--loss_function", "logistic", "-b", "18", "--ftrl", "--ftrl_alpha", "0.1",
            "--ftrl_beta", "1", "-d"]
    def used():
        return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    begin, unused = time.perf_counter(), used()
    text = subprocess.run([*call, folder / "train.vw", "-f", folder / "model"], capture_output=True, text=True, check=True)
    seconds, processor = time.perf_counter() - begin, used() - unused
    test = subprocess.run([python, "-m", "vowpalwabbit", "--loss_function", "logistic", "-t", "-i", folder / "model", "-d", folder / "test.vw"],
                          capture_output=True, text=True, check=True)
    losses = [float(re.search(r"average loss = ([\d.]+)", run.stderr + run.stdout)[1]) for run in (text, test)]
    return [{"what": "wide", "threads": 2, "rows_per_s": round(rows / seconds),
             "rows_per_cpu_s": round(rows / processor), "progressive_loss": losses[0],
             "test_loss": losses[1]}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--torch")
    parser.add_argument("--vw")
    parser.add_argument("--folder")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        train, test = folder / "train.tsv", folder / "test.tsv"
        for file, rows, seed in ((train, options.rows, 1), (test, options.rows // 10, 2)):
            subprocess.run([options.program, "make", str(file), str(rows), str(seed)], check=True)
        def add(who, runs):
            for line in best(runs):
                print(who, json.dumps(line), flush=True)
        again = range(options.repeat)
        for threads in options.threads:
            add("inlay", [lines(options.program, "run", train, test, threads) for _ in again])
            if options.torch:
                add("PyTorch", [lines(options.torch, HERE / "torch_loop.py", train, test, threads) for _ in again])
        if options.vw:
            for source in (train, test):
                to_vw(source, source.with_suffix(".vw"))
            add("Vowpal Wabbit", [vw(options.vw, folder, options.rows) for _ in again])


if __name__ == "__main__":
    sys.exit(main())
