#!/usr/bin/env python3
"""Wide & Deep and DCN-V2 on the Adult census and on rows of a click log's shape: training beside PyTorch, inference
beside ONNX Runtime, in one run.

    compare.py PROGRAM ADULT_DATA [--rounds N]

PROGRAM is the target `tabular_peers`; the interpreter needs torch, numpy, onnx and onnxruntime. All start from the same
weights and rows and have to agree, PyTorch also in the loss of twenty steps: batches of 256, AdaGrad, which moves of a
table only the rows that occur (`sparse=True`). PyTorch and ONNX Runtime get ids that are looked up in one table for all
fields, and crosses that are hashed already; inlay has a table for each field and hashes. One thread each, on one core;
they take turns, round after round, and what is shown are medians of times, and of the ratios within a round.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

BATCH, TURN, LEARNING, WIDTH = 256, 64, 20, 8


def agree(what, got, wanted, tolerance):
    worst = float(np.abs(got - wanted).max() / np.abs(wanted).max())
    if not worst <= tolerance:
        sys.exit(f"{what}: {worst:.1e} apart")


class Data:
    def __init__(self, folder, name):
        def read(part, kind):
            return np.fromfile(folder / f"{name}.{part}", dtype=kind)
        self.target = read("target", np.float32)
        n = len(self.target)
        self.numbers = read("numbers", np.float32).reshape(n, -1)
        self.ids = read("ids", np.int32).reshape(n, -1).astype(np.int64)
        self.slots = read("slots", np.int32).reshape(n, -1).astype(np.int64)


class Weights:
    def __init__(self, folder, case):
        self.at = {}
        for line in (folder / f"{case}.list").read_text().splitlines():
            name, rows, width = line.split()
            self.at[name] = np.fromfile(folder / f"{case}.{name}", dtype=np.float32).reshape(int(rows), int(width))
        self.wide = self.at.get("0.0.weight")
        inside = "0." if self.wide is None else "0.1.0."
        fields = [key for key in self.at if key.startswith(inside) and self.at[key].shape[1] == WIDTH]
        numeric = [key for key in fields if len(self.at[key]) == 1]
        tables = [self.at[key] for key in fields if len(self.at[key]) > 1]
        self.counts = np.concatenate([self.at[key] for key in numeric])
        self.offsets = np.cumsum([0, *(len(t) for t in tables[:-1])])
        self.table = np.concatenate(tables)


class Ranker(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        parameter = lambda value: torch.nn.Parameter(torch.from_numpy(value.copy()))
        self.counts = parameter(w.counts)
        self.table = torch.nn.Embedding(*w.table.shape, sparse=True)
        self.table.weight = parameter(w.table)
        if w.wide is not None:
            spare = np.zeros((1, 1), np.float32)
            self.wide = torch.nn.EmbeddingBag(len(w.wide) + 1, 1, mode="sum", sparse=True, padding_idx=len(w.wide))
            self.wide.weight = parameter(np.concatenate([w.wide, spare]))

        def linear(at):
            layer = torch.nn.Linear(*reversed(w.at[f"{at}.weight"].shape))
            layer.weight, layer.bias = parameter(w.at[f"{at}.weight"]), parameter(w.at[f"{at}.bias"][0])
            return layer
        relu = torch.nn.ReLU()
        if w.wide is not None:
            self.deep = torch.nn.Sequential(linear("0.1.2.0"), relu, linear("0.1.2.2"), relu, linear("0.1.2.4"))
        else:
            self.cross = torch.nn.ModuleList(linear(f"2.0.{layer}") for layer in range(2))
            self.deep = torch.nn.Sequential(linear("2.1.0.0"), relu, linear("2.1.0.2"), relu)
            self.last = linear("3")

    def forward(self, numbers, ids, slots):
        x0 = x = torch.cat([numbers[:, :, None] * self.counts, self.table(ids)], 1).flatten(1)
        if hasattr(self, "wide"):
            return (self.wide(slots) + self.deep(x)).squeeze(1)
        for layer in self.cross:
            x = x0 * layer(x) + x
        return self.last(torch.cat([x, self.deep(x0)], 1)).squeeze(1)


def trainer(w, data):
    """Steps of PyTorch: called with a batch's place, returns its loss."""
    model = Ranker(w)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.02)
    criterion = torch.nn.functional.binary_cross_entropy_with_logits
    numbers, target = torch.from_numpy(data.numbers), torch.from_numpy(data.target)
    ids, slots = torch.from_numpy(data.ids + w.offsets), torch.from_numpy(data.slots)
    slots = torch.where(slots < 0, len(w.wide) if w.wide is not None else 0, slots)

    def step(place):
        rows = slice(place * BATCH, (place + 1) * BATCH)
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(numbers[rows], ids[rows], slots[rows]), target[rows])
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def graph(w):
    constants, nodes = [], []

    def number(name, value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def linear(x, at):
        return add("Gemm", [x, number(f"{at}.w", w.at[f"{at}.weight"]), number(f"{at}.b", w.at[f"{at}.bias"][0])], f"{at}.y",
                   transB=1)

    def tower(x, places):
        for place in places:
            x = add("Relu", [linear(x, place)], f"{place}.relu")
        return x
    lookups = add("Gather", [number("table", w.table), "ids"], "lookups")
    values = add("Mul", [add("Unsqueeze", ["numbers", number("two", np.array([2]))], "column"), number("counts", w.counts)],
                 "values")
    x = x0 = add("Flatten", [add("Concat", [values, lookups], "fields", axis=1)], "x0")
    inputs = [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["batch", len(w.counts)]),
              helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", len(w.offsets)])]
    if w.wide is not None:
        wide = number("wide", np.append(w.wide[:, 0], np.float32(0)))
        sums = add("ReduceSum", [add("Gather", [wide, "slots"], "weights"), number("one", np.array([1]))], "sum", keepdims=1)
        add("Add", [sums, linear(tower(x, ["0.1.2.0", "0.1.2.2"]), "0.1.2.4")], "y")
        inputs.append(helper.make_tensor_value_info("slots", TensorProto.INT64, ["batch", "crosses"]))
    else:
        for layer in ("2.0.0", "2.0.1"):
            x = add("Add", [add("Mul", [x0, linear(x, layer)], f"{layer}.product"), x], f"{layer}.x")
        both = add("Concat", [x, tower(x0, ["2.1.0.0", "2.1.0.2"])], "both", axis=1)
        add("Identity", [linear(both, "3")], "y")
    output = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])]
    model = helper.make_model(helper.make_graph(nodes, "ranker", inputs, output, constants),
                              opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model.SerializeToString()


def served(w, data, wanted):
    """Calls of ONNX Runtime with input and output bound; each call is of the next rows."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(w), options, providers=["CPUExecutionProvider"])
    feeds = {"numbers": data.numbers, "ids": data.ids + w.offsets}
    if w.wide is not None:
        feeds["slots"] = np.where(data.slots < 0, len(w.wide), data.slots)
    agree("ONNX Runtime", session.run(None, {k: v[:BATCH] for k, v in feeds.items()})[0][:, 0], wanted, 2e-5)

    def call(rows):
        bindings = []
        for place in range(TURN):
            binding = session.io_binding()
            for key, value in feeds.items():
                part = np.ascontiguousarray(value[place * BATCH:place * BATCH + rows])
                binding.bind_ortvalue_input(key, onnxruntime.OrtValue.ortvalue_from_numpy(part))
            binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(np.empty((rows, 1), np.float32)))
            bindings.append(binding)

        def run(times):
            for place in range(times):
                session.run_with_iobinding(bindings[place % TURN])
        return run
    return {"1": call(1), "256": call(BATCH)}


def timed(call):
    """Nanoseconds of a call, over at least 50 ms."""
    times = 1
    while True:
        begin = time.perf_counter()
        call(times)
        seconds = time.perf_counter() - begin
        if seconds > 0.05:
            return seconds / times * 1e9
        times *= 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("adult")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        ours = subprocess.Popen([options.program, options.adult, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True)
        if ours.stdout.readline().strip() != "ready":
            sys.exit("the program did not start")

        def inlay(case, part):
            ours.stdin.write(f"{case} {part}\n")
            ours.stdin.flush()
            return float(ours.stdout.readline())
        titles = {"adult": "Adult, 14 fields", "clicks": "clicks, 39 fields", "wide_deep": "Wide & Deep", "dcn_v2": "DCN-V2"}
        lines = []
        for case in ("adult.wide_deep", "adult.dcn_v2", "clicks.wide_deep", "clicks.dcn_v2"):
            rows, model = case.split(".")
            data, weights = Data(folder, rows), Weights(folder, case)
            step = trainer(weights, data)
            calls = served(weights, data, np.fromfile(folder / f"{case}.logits", dtype=np.float32))
            loss = sum(step(place) for place in range(LEARNING)) / LEARNING
            agree(f"{case}, the loss of {LEARNING} steps", np.array([inlay(case, "learn")]), np.array([loss]), 1e-5)

            def torch_turn():
                begin = time.perf_counter()
                for place in range(TURN):
                    step(place)
                return (time.perf_counter() - begin) / (TURN * BATCH) * 1e9
            cells = []
            for part in ("train", "1", "256"):
                rounds = [(inlay(case, part), torch_turn() if part == "train" else timed(calls[part]))
                          for _ in range(options.rounds)]
                own, other = (statistics.median(r[i] for r in rounds) for i in range(2))
                ratio = statistics.median(r[1] / r[0] for r in rounds)
                cells.append(f"{1e6 / own:.0f} | {1e6 / other:.0f} | {ratio:.1f}" if part == "train" else
                             f"{own / 1e3:.2f} | {other / 1e3:.2f} | {ratio:.1f}")
            lines.append(f"| {titles[model]}, {titles[rows]} | {' | '.join(cells)} |")
        print("| | training, thousand rows/s | PyTorch | times | batch 1, µs | ONNX Runtime | times | batch 256, µs | ONNX Runtime "
              "| times |\n|---|---|---|---|---|---|---|---|---|---|\n" + "\n".join(lines))
        ours.stdin.close()
        ours.wait()


if __name__ == "__main__":
    main()
