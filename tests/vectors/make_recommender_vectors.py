# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's answers for whole recommenders on random weights, float64: field_models.safetensors, sasrec.safetensors.

    pip install torch==2.13.0 && python tests/vectors/make_recommender_vectors.py

Models are put together as public implementations put them together: FM and AutoInt as in torchfm (github.com/rixwew/
pytorch-fm: one table for all fields, nn.MultiheadAttention, one residual around all layers, a linear part and a
perceptron beside), DCN-V2 with full matrices beside a perceptron, as FuxiCTR and DeepCTR have it, and SASRec as
pmixer's SASRec.pytorch has it (items times sqrt(d), learned positions, nn.MultiheadAttention, a convolution of width 1
twice), with the norms first or last. Dropout is off. Every case NAME holds NAME.x, NAME.y, NAME.dy, and each parameter
and its gradient, by the names of the model in pytorch_recommenders.test.cpp.
"""
import hashlib
import math

import torch
from torch import nn
from torch.nn import functional as F

from make_vectors import HERE, rounded, write

FIELDS, D, A = [5, 7, 4, 6], 6, 8
OFFSETS = torch.tensor([0, 5, 12, 16])
ITEMS, LENGTH = 11, 5


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.bias = nn.Embedding(sum(FIELDS), 1), nn.Parameter(torch.zeros(1))

    def forward(self, ids):
        return self.fc(ids + OFFSETS).sum(1) + self.bias

    def names(self, at):
        return {f"{at}weight": [(self.bias, None), (self.fc.weight, None)]}


def tables(embedding, at):
    """One table for all fields is a table for each."""
    ends = [*OFFSETS.tolist(), sum(FIELDS)]
    return {f"{at}{name}": [(embedding.weight, slice(ends[f], ends[f + 1]))]
            for f, name in enumerate(("user", "item", "hour", "place"))}


def tower(width, *hidden):
    layers = []
    for h in hidden:
        layers += [nn.Linear(width, h), nn.ReLU()]
        width = h
    return nn.Sequential(*layers)


def dense(module, at):
    return {at + name: [(p, None)] for name, p in module.named_parameters()}


def attention(module, at):
    """in_proj holds the matrices of queries, keys and values, one below the other."""
    width = module.embed_dim
    names = {}
    for place, part in enumerate("qkv"):
        rows = slice(place * width, (place + 1) * width)
        names |= {f"{at}{part}.weight": [(module.in_proj_weight, rows)], f"{at}{part}.bias": [(module.in_proj_bias, rows)]}
    return names | dense(module.out_proj, f"{at}o.")


class FactorizationMachine(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = Linear(), nn.Embedding(sum(FIELDS), D)

    def forward(self, ids):
        v = self.embedding(ids + OFFSETS)
        pairs = v.sum(1) ** 2 - (v ** 2).sum(1)
        return self.linear(ids) + 0.5 * pairs.sum(1, keepdim=True)

    def names(self):
        return self.linear.names("0.") | tables(self.embedding, "1.0.")


class DcnV2(nn.Module):
    def __init__(self):
        super().__init__()
        d = D * len(FIELDS)
        self.embedding = nn.Embedding(sum(FIELDS), D)
        self.cross = nn.ModuleList(nn.Linear(d, d) for _ in range(2))
        self.deep, self.last = tower(d, 7, 5), nn.Linear(d + 5, 1)

    def forward(self, ids):
        x0 = x = self.embedding(ids + OFFSETS).flatten(1)
        for layer in self.cross:
            x = x0 * layer(x) + x
        return self.last(torch.cat([x, self.deep(x0)], -1))

    def names(self):
        return (tables(self.embedding, "0.") | dense(self.cross, "2.0.") | dense(self.deep, "2.1.")
                | dense(self.last, "3."))


class AutoInt(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.embedding = Linear(), nn.Embedding(sum(FIELDS), D)
        self.wider = nn.Linear(D, A)
        self.attention = nn.ModuleList(nn.MultiheadAttention(A, 2) for _ in range(2))
        self.residual, self.last = nn.Linear(D, A), nn.Linear(A * len(FIELDS), 1)
        self.deep = nn.Sequential(*tower(D * len(FIELDS), 7), nn.Linear(7, 1))

    def forward(self, ids):
        v = self.embedding(ids + OFFSETS)
        x = self.wider(v).transpose(0, 1)
        for layer in self.attention:
            x, _ = layer(x, x, x)
        x = F.relu(x.transpose(0, 1) + self.residual(v))
        return self.linear(ids) + self.last(x.flatten(1)) + self.deep(v.flatten(1))

    def names(self):
        names = self.linear.names("0.") | tables(self.embedding, "1.0.") | dense(self.wider, "1.1.0.0.0.0.")
        for place, layer in enumerate(self.attention):
            names |= attention(layer, f"1.1.0.0.0.{1 + place}.")
        return (names | dense(self.residual, "1.1.0.0.1.") | dense(self.last, "1.1.0.3.") | dense(self.deep, "1.1.1.1."))


class PointWise(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv1d(D, D, 1), nn.Conv1d(D, D, 1)

    def forward(self, x):
        return self.second(F.relu(self.first(x.transpose(1, 2)))).transpose(1, 2)


class SasRec(nn.Module):
    def __init__(self, norm_first):
        super().__init__()
        self.norm_first = norm_first
        self.items, self.places = nn.Embedding(ITEMS, D, padding_idx=0), nn.Embedding(1 + LENGTH, D, padding_idx=0)
        norms = lambda: nn.ModuleList(nn.LayerNorm(D, eps=1e-8) for _ in range(2))
        self.attention_norms, self.forward_norms = norms(), norms()
        self.attentions = nn.ModuleList(nn.MultiheadAttention(D, 2) for _ in range(2))
        self.forwards = nn.ModuleList(PointWise() for _ in range(2))
        self.last_norm = nn.LayerNorm(D, eps=1e-8)

    def forward(self, ids):
        x = self.items(ids) * math.sqrt(D) + self.places(torch.arange(1, LENGTH + 1))
        ahead = ~torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
        for attend, attend_norm, think, think_norm in zip(self.attentions, self.attention_norms, self.forwards,
                                                          self.forward_norms):
            past = lambda q: attend(*3 * [q.transpose(0, 1)], attn_mask=ahead)[0].transpose(0, 1)
            if self.norm_first:
                x = x + past(attend_norm(x))
                x = x + think(think_norm(x))
            else:
                x = attend_norm(x + past(x))
                x = think_norm(x + think(x))
        return self.last_norm(x) @ self.items.weight.T

    def names(self):
        """Place 0 of the positions is that of padding; a convolution of width 1 is a matrix."""
        names = {"embed.weight": [(self.items.weight, None)], "1.weight": [(self.places.weight, slice(1, None))]}
        for layer in range(2):
            # A layer is two residuals with a norm in each, or two residuals, each with a norm behind it.
            at = 2 + 2 * layer if self.norm_first else 2 + 4 * layer
            attend, think = (f"{at}.1.", f"{at + 1}.1.") if self.norm_first else (f"{at}.0.", f"{at + 2}.0.")
            norms = (f"{at}.0.", f"{at + 1}.0.") if self.norm_first else (f"{at + 1}.", f"{at + 3}.")
            names |= dense(self.attention_norms[layer], norms[0]) | attention(self.attentions[layer], attend)
            names |= dense(self.forward_norms[layer], norms[1])
            names |= dense(self.forwards[layer].first, f"{think}0.") | dense(self.forwards[layer].second, f"{think}2.")
        return names | dense(self.last_norm, "6." if self.norm_first else "10.")


def case(name, module, ids):
    for parameter in module.parameters():
        parameter.data = rounded(*parameter.shape, scale=0.7)
    y = module(ids)
    dy = rounded(*y.shape)
    y.backward(dy)
    assert all(p.grad is not None for p in module.parameters())
    tensors = {"x": ids, "y": y, "dy": dy}
    for key, parts in module.names().items():
        pick = lambda t, rows: (t if rows is None else t[rows]).flatten()
        tensors[key] = torch.cat([pick(p, rows) for p, rows in parts])
        tensors[f"grad.{key}"] = torch.cat([pick(p.grad, rows) for p, rows in parts])
    return {f"{name}.{key}": value for key, value in tensors.items()}


def main():
    torch.manual_seed(90)
    # 0 is an unseen value, which has no weight in a cross of inlay.
    ids = torch.stack([torch.randint(1, n, (4,)) for n in FIELDS], 1)
    write("field_models", {**case("fm", FactorizationMachine(), ids), **case("dcn_v2", DcnV2(), ids),
                           **case("autoint", AutoInt(), ids)})
    history = torch.randint(1, ITEMS, (3, LENGTH))
    write("sasrec", {**case("norm_first", SasRec(True), history), **case("norm_last", SasRec(False), history)})
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(HERE.glob("*.safetensors"))]
    (HERE / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
