# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's answers in float64, as small safetensors files beside this script, with their SHA256SUMS.

    pip install torch==2.13.0 && python tests/vectors/make_vectors.py

Inputs, parameters, targets and cotangents are representable in float32, so that float code starts from the same
numbers. Every case holds x, the parameters by PyTorch's names, y, the cotangent dy, dx and grad.<parameter>; a loss
holds x, target, y and dx; an optimizer holds w0, the gradients g[100][6] and the weights after each step w[100][6].
Another CPU may change last bits; the sums are those of the committed files.
"""
import hashlib
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def write(name, tensors, metadata=None):
    """u64 little-endian header length, JSON padded to 8 bytes, data."""
    header = {"__metadata__": {"torch": "2.13.0", **{k: str(v) for k, v in (metadata or {}).items()}}}
    data = b""
    for key, tensor in tensors.items():
        kind, code = ("I64", "q") if tensor.dtype == torch.int64 else ("F64", "d")
        values = tensor.detach().reshape(-1).tolist()
        chunk = struct.pack(f"<{len(values)}{code}", *values)
        header[key] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(chunk)]}
        data += chunk
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (HERE / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def rounded(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).float().double()


def case(name, module, x, metadata=None, extra=None):
    """Forward and backward of a module; x may be ids (then there is no dx)."""
    for parameter in module.parameters():
        parameter.data = rounded(*parameter.shape, scale=0.7)
    integer = x.dtype == torch.int64
    if not integer:
        x = x.clone().requires_grad_()
    y = module(x)
    dy = rounded(*y.shape)
    y.backward(dy)
    tensors = {"ids" if integer else "x": x, **(extra or {}), **dict(module.named_parameters()), "y": y, "dy": dy}
    if not integer:
        tensors["dx"] = x.grad
    tensors |= {f"grad.{key}": parameter.grad for key, parameter in module.named_parameters()}
    write(name, tensors, metadata)


class Swiglu(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Tied(nn.Sequential):
    """The table reads the tokens in and scores them out."""

    def __init__(self, ids, width, body):
        super().__init__(body)
        self.embed = nn.Embedding(ids, width)

    def forward(self, ids):
        hidden = self.embed(ids)
        return self[0](hidden) @ self.embed.weight.T


class Bag(nn.EmbeddingBag):
    def __init__(self, offsets, *args):
        super().__init__(*args, mode="mean")
        self.starts = offsets

    def forward(self, ids):
        return super().forward(ids, self.starts)


def blocks():
    case("linear", nn.Linear(5, 3), rounded(4, 5), {"block": "Linear(5, 3)"})

    grid = torch.cat([torch.tensor([-30.0, -5.5, -3.0, -1.0, -0.125, 0.125, 1.0, 3.0, 5.5, 30.0]), rounded(14, scale=2)])
    for name, module in {
        "gelu": nn.GELU(),
        "gelu_tanh": nn.GELU(approximate="tanh"),
        "silu": nn.SiLU(),
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(0.01),
        "softplus": nn.Softplus(),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
    }.items():
        case(name, module, grid.reshape(4, 6), {"block": str(module)})

    case("layer_norm", nn.LayerNorm(7, eps=1e-5), rounded(2, 3, 7), {"eps": 1e-5})
    case("rms_norm", nn.RMSNorm(7, eps=1e-6), rounded(2, 3, 7), {"eps": 1e-6})

    case("embedding", nn.Embedding(7, 3), torch.tensor([[6, 0, 2, 2], [1, 2, 0, 5]]))
    offsets = torch.tensor([0, 3, 3, 4])
    case("embedding_bag_mean", Bag(offsets, 7, 3), torch.tensor([4, 1, 4, 0, 6, 2]), extra={"offsets": offsets})

    case("mlp", nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)), rounded(4, 5))
    case("swiglu", Swiglu(5, 8), rounded(2, 3, 5), {"formula": "down(silu(gate x) * (up x))"})
    case(
        "residual_prenorm",
        Residual(nn.RMSNorm(6, eps=1e-6), nn.Linear(6, 9), nn.GELU(), nn.Linear(9, 6)),
        rounded(2, 3, 6),
        {"formula": "x + Sequential(RMSNorm, Linear, GELU, Linear)(x)", "eps": 1e-6},
    )
    case("tied_lm_head", Tied(11, 6, nn.Linear(6, 6)), torch.tensor([[3, 10, 3], [0, 7, 1]]), {"formula": "Linear(E[ids]) E^T"})


def losses():
    def loss(name, function, x, target, metadata=None):
        x.requires_grad_()
        y = function(x, target)
        y.backward()
        write(name, {"x": x, "target": target, "y": y.reshape(1), "dx": x.grad}, {"reduction": "mean", **(metadata or {})})

    logits = torch.cat([rounded(6, scale=3), torch.tensor([40.0, -40.0])])
    loss("bce_with_logits", F.binary_cross_entropy_with_logits, logits, torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0, 0.25, 0.0, 1.0]))
    loss("cross_entropy", F.cross_entropy, rounded(7, 5, scale=3), torch.tensor([4, -100, 0, 2, 2, -100, 1]), {"ignore_index": -100})
    loss("mse", F.mse_loss, rounded(4, 3), rounded(4, 3))


def optimizers():
    for name, kind, options in [
        ("sgd_momentum", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        ("sgd_nesterov", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("adagrad", torch.optim.Adagrad, {"lr": 0.1, "eps": 1e-10}),
        ("adam", torch.optim.Adam, {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
        ("adamw", torch.optim.AdamW, {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1}),
    ]:
        arguments = dict(options)
        if "beta1" in arguments:
            arguments["betas"] = (arguments.pop("beta1"), arguments.pop("beta2"))
        w = nn.Parameter(rounded(6))
        w0 = w.detach().clone()
        gradients = rounded(100, 6)
        gradients[:, 5] *= torch.arange(100) % 4 == 0  # a coordinate that is mostly untouched
        optimizer = kind([w], **arguments)
        weights = []
        for g in gradients:
            w.grad = g.clone()
            optimizer.step()
            weights.append(w.detach().clone())
        write(f"optimizer_{name}", {"w0": w0, "g": gradients, "w": torch.stack(weights)}, options)


def one_layer(kind):
    """nn.GRU or nn.LSTM without the layer in the parameters' names and without the last state."""

    class OneLayer(kind):
        def named_parameters(self, *arguments, **options):
            return ((name.removesuffix("_l0"), p) for name, p in super().named_parameters(*arguments, **options))

        def forward(self, x):
            return super().forward(x)[0]

    return OneLayer


def recurrences():
    torch.manual_seed(21)
    case("gru", one_layer(nn.GRU)(4, 5, batch_first=True), rounded(2, 7, 4))
    case("lstm", one_layer(nn.LSTM)(4, 5, batch_first=True), rounded(2, 7, 4))


if __name__ == "__main__":
    torch.manual_seed(20)
    blocks()
    losses()
    optimizers()
    recurrences()
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
