# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's answers for what recommenders are made of, as make_vectors.py writes them: PReLU, Dice (as DIN's authors
compute it, on nn.BatchNorm1d), bags with per_sample_weights.

    pip install torch==2.13.0 && python tests/vectors/make_bag_vectors.py
"""
import hashlib

import torch
from torch import nn

from make_vectors import HERE, case, rounded


class Dice(nn.BatchNorm1d):
    def __init__(self, width):
        super().__init__(width, eps=1e-9, momentum=0.01, affine=False)
        self.alpha = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        p = torch.sigmoid(super().forward(x))
        return p * x + (1 - p) * self.alpha * x


class Bag(nn.EmbeddingBag):
    """The sum of weighted rows, times a number for each bag."""

    def __init__(self, offsets, weights, share):
        super().__init__(7, 3, mode="sum")
        self.starts, self.by, self.share = offsets, weights, share

    def forward(self, ids):
        return super().forward(ids, self.starts, self.by) * self.share[:, None]


def dice(name, training):
    module = Dice(7)
    module.running_mean, module.running_var = rounded(7), rounded(7).abs() + 0.25
    before = {key: buffer.clone() for key, buffer in module.named_buffers() if key.startswith("running")}
    module.train(training)
    moves = {}
    module.register_forward_hook(
        lambda m, *_: moves.update({f"grad.{key}": getattr(m, key) - value for key, value in before.items()}))
    case(name, module, rounded(6, 7, scale=2), None, before, moves)


def bags():
    ids, offsets = torch.tensor([4, 1, 4, 0, 6, 2]), torch.tensor([0, 3, 3, 4])
    weights = rounded(6)
    last = torch.tensor([3, 3, 4, 6])
    each = [weights[a:b] for a, b in zip(offsets, last)]
    shares = {
        "sum": [torch.ones(())] * 4,
        "mean": [torch.tensor(1 / max(len(w), 1)) for w in each],
        "sqrtn": [1 / w.square().sum().sqrt() if len(w) else torch.zeros(()) for w in each],
        "weighted_mean": [1 / w.sum() if len(w) else torch.zeros(()) for w in each],
    }
    for name, share in shares.items():
        case(f"weighted_bag_{name}", Bag(offsets, weights, torch.stack(share)), ids,
             extra={"offsets": offsets, "weights": weights})


def main():
    torch.manual_seed(41)
    case("prelu", nn.PReLU(7), rounded(4, 7, scale=2))
    dice("dice", True)
    dice("dice_serving", False)
    bags()
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
