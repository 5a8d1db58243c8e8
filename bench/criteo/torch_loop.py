#!/usr/bin/env python3
"""The Wide & Deep model of criteo.cpp as a PyTorch loop: the same file, sizes, batches, optimizers' family and one pass.

    torch_loop.py TRAIN TEST [THREADS]

Vocabularies are learned in a first pass (not timed beyond its own line); the second parses and trains.
"""
import json
import math
import sys
import time

import numpy
import torch

COUNTS, CATEGORIES, BATCH, CHUNK, WIDE, WIDTH = 13, 26, 256, 1 << 15, 1 << 18, 8


def learn(path):
    vocabulary = [{} for _ in range(CATEGORIES)]
    total = squares = numpy.zeros(COUNTS)
    seen = numpy.zeros(COUNTS)
    with open(path) as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            x = numpy.array([float(c) if c else math.nan for c in cells[1:1 + COUNTS]])
            known = ~numpy.isnan(x)
            seen, total = seen + known, total + numpy.where(known, x, 0)
            squares = squares + numpy.where(known, x * x, 0)
            for words, cell in zip(vocabulary, cells[1 + COUNTS:]):
                if cell and cell not in words:
                    words[cell] = len(words) + 1
    mean = total / seen
    return vocabulary, mean, numpy.sqrt(squares / seen - mean * mean)


def chunks(path, vocabulary, mean, deviation):
    """Targets, scaled counts, buckets of counts and ids of categories, CHUNK rows at a time."""
    def made(rows):
        y = numpy.array([r[0] for r in rows], dtype=numpy.float32)
        x = numpy.array([r[1] for r in rows], dtype=numpy.float64)
        missing = numpy.isnan(x)
        bucket = numpy.where(missing, 0, 1 + numpy.minimum(numpy.floor(numpy.log2(1 + numpy.maximum(numpy.nan_to_num(x), 0))), 19))
        scaled = numpy.where(missing, 0, (x - mean) / deviation).astype(numpy.float32)
        ids = numpy.array([r[2] for r in rows], dtype=numpy.int64)
        return map(torch.from_numpy, (y, scaled, bucket.astype(numpy.int64), ids))

    rows = []
    with open(path) as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            rows.append((cells[0] == "1", [float(c) if c else math.nan for c in cells[1:1 + COUNTS]],
                         [words.get(c, 0) for words, c in zip(vocabulary, cells[1 + COUNTS:])]))
            if len(rows) == CHUNK:
                yield made(rows)
                rows = []
    if rows:
        yield made(rows)


class WideDeep(torch.nn.Module):
    def __init__(self, sizes):
        super().__init__()
        offsets = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets)
        self.register_buffer("bucket_offsets", torch.arange(COUNTS) * 21 + sum(sizes))
        self.table = torch.nn.Embedding(sum(sizes), WIDTH, sparse=True)
        torch.nn.init.normal_(self.table.weight, std=0.01)
        self.counts = torch.nn.Parameter(torch.randn(COUNTS, WIDTH) * 0.01)
        self.wide = torch.nn.EmbeddingBag(WIDE, 1, mode="sum", sparse=True)
        torch.nn.init.zeros_(self.wide.weight)
        fields = (COUNTS + CATEGORIES) * WIDTH
        self.deep = torch.nn.Sequential(torch.nn.Linear(fields, 128), torch.nn.ReLU(), torch.nn.Linear(128, 64),
                                        torch.nn.ReLU(), torch.nn.Linear(64, 1))

    def forward(self, x, bucket, ids):
        places = ids + self.offsets
        hashed = torch.cat([places, bucket + self.bucket_offsets], 1) * 2654435761 % 4294967291 % WIDE
        fields = torch.cat([x[:, :, None] * self.counts, self.table(places)], 1)
        return (self.wide(hashed) + self.deep(fields.flatten(1))).squeeze(1)


def main():
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    torch.manual_seed(1)
    begin = time.perf_counter()
    vocabulary, mean, deviation = learn(sys.argv[1])
    learned = time.perf_counter() - begin
    model = WideDeep([len(words) + 1 for words in vocabulary])
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.02)
    criterion = torch.nn.functional.binary_cross_entropy_with_logits
    begin, unused, parsing, rows, loss = time.perf_counter(), time.process_time(), 0.0, 0, 0.0
    source = chunks(sys.argv[1], vocabulary, mean, deviation)
    while True:
        start = time.perf_counter()
        chunk = next(source, None)
        if chunk is not None:
            y, x, bucket, ids = chunk
        parsing += time.perf_counter() - start
        if chunk is None:
            break
        for at in range(0, len(y), BATCH):
            part = slice(at, at + BATCH)
            optimizer.zero_grad(set_to_none=True)
            value = criterion(model(x[part], bucket[part], ids[part]), y[part])
            value.backward()
            optimizer.step()
            loss += value.item() * len(y[part])
        rows += len(y)
    seconds, processor = time.perf_counter() - begin, time.process_time() - unused
    model.eval()
    with torch.no_grad():
        test = [(criterion(model(x, bucket, ids), y).item() * len(y), len(y))
                for y, x, bucket, ids in chunks(sys.argv[2], vocabulary, mean, deviation)]
    print(json.dumps({"what": "wide and deep", "threads": torch.get_num_threads(), "rows_per_s": round(rows / seconds),
                      "rows_per_cpu_s": round(rows / processor),
                      "fit_rows_per_s": round(rows / learned), "parse_rows_per_s": round(rows / parsing),
                      "train_rows_per_s": round(rows / (seconds - parsing)), "progressive_loss": round(loss / rows, 4),
                      "test_loss": round(sum(t[0] for t in test) / sum(t[1] for t in test), 4)}))


if __name__ == "__main__":
    main()
