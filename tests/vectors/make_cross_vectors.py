# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's answers for crosses, as make_vectors.py writes them: the formulas of the papers' public implementations
(DCN-V2 and its mixture, GDCN, DCN, FM, DLRM's dot, xDeepFM's CIN, FiBiNET, FinalMLP) on random weights.

    pip install torch==2.13.0 && python tests/vectors/make_cross_vectors.py
"""
import hashlib

import torch
from torch import nn

from make_vectors import HERE, case, rounded


class Layers(nn.Module):
    """x' = step(layer, x0, x) for each layer; layers are named by their places."""

    def __init__(self, layers, step):
        super().__init__()
        for place, layer in enumerate(layers):
            self.add_module(str(place), layer)
        self.step = step

    def forward(self, x0):
        x = x0
        for layer in self.children():
            x = self.step(layer, x0, x)
        return x


class Experts(nn.Module):
    def __init__(self, width, rank, experts):
        super().__init__()
        self.gate = nn.Linear(width, experts, bias=False)
        for place in range(experts):
            self.add_module(str(place), nn.Sequential(
                nn.Linear(width, rank, bias=False), nn.Tanh(), nn.Linear(rank, rank, bias=False), nn.Tanh(),
                nn.Linear(rank, width, bias=False)))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        experts = [module for name, module in self.named_children() if name != "gate"]
        each = torch.stack([expert(x) + self.bias for expert in experts], -1)
        return (each @ self.gate(x).softmax(-1).unsqueeze(-1)).squeeze(-1)


class Gated(nn.Linear):
    def __init__(self, width):
        super().__init__(width, width)
        self.gate = nn.Linear(width, width, bias=False)

    def forward(self, x):
        return super().forward(x) * torch.sigmoid(self.gate(x))


class OneVector(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(1, width)), nn.Parameter(torch.zeros(width))


class Cin(nn.Module):
    def __init__(self, fields, heights):
        super().__init__()
        below = fields
        for place, height in enumerate(heights):
            self.add_module(str(place), nn.Linear(fields * below, height))
            below = height

    def forward(self, x0):
        x, sums = x0, []
        for layer in self.children():
            products = torch.einsum("bmt,bqt->btmq", x0, x).flatten(2)
            x = layer(products).mT
            sums.append(x.sum(-1))
        return torch.cat(sums, -1)


class Bilinear(nn.Module):
    def __init__(self, width, maps=None):
        super().__init__()
        if maps is None:
            self.weight = nn.Parameter(torch.zeros(width, width))
        else:
            for place in range(maps):
                self.add_module(str(place), nn.Linear(width, width, bias=False))

    def forward(self, v):
        maps = list(self.children())
        fields = v.shape[1]
        rows = []
        for i in range(fields):
            for j in range(i + 1, fields):
                if not maps:
                    u = v[:, i] @ self.weight.mT
                else:
                    u = maps[len(rows) if len(maps) > fields - 1 else i](v[:, i])
                rows.append(u * v[:, j])
        return torch.stack(rows, 1)


class Senet(nn.Module):
    def __init__(self, fields, reduction):
        super().__init__()
        self.add_module("0", nn.Linear(fields, fields // reduction, bias=False))
        self.add_module("1", nn.Linear(fields // reduction, fields, bias=False))

    def forward(self, v):
        squeeze, excite = self.children()
        return v * torch.relu(excite(torch.relu(squeeze(v.mean(-1))))).unsqueeze(-1)


class Fusion(nn.Linear):
    def __init__(self, width, heads):
        super().__init__(2 * width, 1)
        self.heads = heads
        for place in range(heads):
            self.add_module(str(place), nn.Bilinear(width // heads, width // heads, 1, bias=False))
            weight = self.get_submodule(str(place))
            weight.weight = nn.Parameter(torch.zeros(width // heads, width // heads))

    def forward(self, x):
        first, second = x.chunk(2, -1)
        y = super().forward(x)
        for head, a, b in zip(self.children(), first.chunk(self.heads, -1), second.chunk(self.heads, -1)):
            y = y + torch.einsum("bi,ij,bj->b", a, head.weight, b).unsqueeze(-1)
        return y


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def fm(v):
    return ((v.sum(1)**2 - (v**2).sum(1)) / 2).sum(-1, keepdim=True)


def dot(v):
    i, j = torch.tril_indices(v.shape[1], v.shape[1], -1)
    return (v @ v.mT)[:, i, j]


def main():
    torch.manual_seed(31)
    cross = lambda layer, x0, x: x0 * layer(x) + x
    low_rank = lambda: nn.Sequential(nn.Linear(7, 3, bias=False), nn.Linear(3, 7))
    case("dcn", Layers([nn.Linear(7, 7) for _ in range(3)], cross), rounded(4, 7))
    case("dcn_low_rank", Layers([low_rank() for _ in range(2)], cross), rounded(4, 7))
    case("dcn_experts", Layers([Experts(7, 3, 4) for _ in range(2)], cross), rounded(4, 7))
    case("dcn_gated", Layers([Gated(7) for _ in range(2)], cross), rounded(4, 7))
    first = lambda layer, x0, x: x0 * (x @ layer.weight.mT) + layer.bias + x
    case("dcn_v1", Layers([OneVector(7) for _ in range(3)], first), rounded(4, 7))
    case("fm", Function(fm), rounded(4, 6, 5))
    case("inner_products", Function(dot), rounded(4, 6, 5))
    case("cin", Cin(4, [3, 2]), rounded(4, 4, 5))
    case("bilinear", Bilinear(5), rounded(4, 4, 5))
    case("bilinear_per_pair", Bilinear(5, 6), rounded(4, 4, 5))
    case("senet", Senet(6, 3), rounded(4, 6, 5))
    case("fusion", Fusion(6, 2), rounded(4, 12))
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
