# SPDX-License-Identifier: BSD-3-Clause
"""Attention in plain PyTorch operations and its autograd, float64, one matrix of weights a head: attention.safetensors.

    pip install torch==2.13.0 && python tests/vectors/make_attention_vectors.py

Every case NAME holds NAME.x [T, D], NAME.dy, NAME.y, NAME.dx, and each parameter NAME.P with its gradient NAME.grad.P.
The plain causal case is checked against scaled_dot_product_attention as it is written.
"""
import hashlib
import math

import torch
from torch import nn
from torch.nn import functional as F

from make_vectors import HERE, rounded, write

T, D = 9, 8
place = torch.arange(T)
causal = place[None, :] <= place[:, None]


def rotate(x, base, interleaved, turning):
    """Pairs of the last axis as complex numbers, times e^(i place base^(-2 m / turning))."""
    still = x[..., turning:]
    pairs = x[..., :turning].unflatten(-1, (-1, 2) if interleaved else (2, -1))
    pairs = pairs if interleaved else pairs.transpose(-1, -2)
    angle = place[:, None] * base ** (-torch.arange(0, turning, 2) / turning)
    turned = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * torch.polar(torch.ones_like(angle), angle))
    return torch.cat([(turned if interleaved else turned.transpose(-1, -2)).flatten(-2), still], -1)


def slopes(heads):
    """As in the ALiBi authors' get_slopes."""
    power = 2 ** math.floor(math.log2(heads))
    own = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    return torch.tensor(own + [2 ** (-4 * (i + 1) / power) for i in range(0, 2 * (heads - power), 2)])


def rms(x, weight):
    return F.rms_norm(x, x.shape[-1:], weight, eps=1e-6)


def sparsemax(z):
    """Of a row whose hidden entries are -inf (1602.02068, Algorithm 1)."""
    ordered = z.sort(descending=True).values
    count = torch.arange(1, len(z) + 1)
    sums = ordered.cumsum(0)
    size = int((1 + count * ordered > sums).sum())
    return (z - (sums[size - 1] - 1) / size).clamp(min=0)


def entmax15(z):
    """Of a row (1905.05702, Algorithm 2)."""
    seen = z[z > -torch.inf]
    y = (seen - seen.max()) / 2
    ordered = y.sort(descending=True).values
    count = torch.arange(1, len(y) + 1)
    mean = ordered.cumsum(0) / count
    spread = count * ((ordered ** 2).cumsum(0) / count - mean ** 2)
    threshold = mean - ((1 - spread).clamp(min=0) / count).where(spread < 1, torch.zeros(())).sqrt()
    size = int((threshold <= ordered).sum())
    weights = torch.zeros_like(z)
    return weights.masked_scatter(z > -torch.inf, (y - threshold[size - 1]).clamp(min=0) ** 2)


class Attention(nn.Module):
    """x [T, D] to y [T, D]; what an option adds has the name and shape that a block of inlay gives it."""

    def __init__(self, heads, kv_heads=None, sets=1, bias="", mask=causal, **options):
        super().__init__()
        self.heads, self.kv_heads, self.sets, self.mask, self.options = heads, kv_heads or heads, sets, mask, options
        self.d = D // (heads * sets)
        self.q = nn.Linear(D, self.heads * sets * self.d, bias=bool(bias))
        self.k = nn.Linear(D, self.kv_heads * sets * self.d, bias=bool(bias))
        self.v = nn.Linear(D, self.kv_heads * sets * self.d, bias=bool(bias))
        self.o = nn.Linear(heads * sets * self.d, D, bias=bias == "all")
        given = lambda *shape: nn.Parameter(torch.empty(*shape))
        if options.get("norm") == "rms":
            self.q_norm, self.k_norm = nn.RMSNorm(self.d, eps=1e-6), nn.RMSNorm(self.d, eps=1e-6)
        if options.get("norm") == "unit":
            self.temperature = given(heads)
        if options.get("sink") == "learned":
            self.sink = given(heads)
        if options.get("sink_keys"):
            self.sink_key = given(heads * options["sink_keys"], self.d)
            self.sink_value = given(heads * options["sink_keys"], self.d)
        if options.get("gate"):
            self.gate = nn.Linear(D, options["gate"], bias=False)
        if options.get("forgetting"):
            self.forget = nn.Linear(D, heads)
        if options.get("alibi") == "learned":
            self.slopes = given(heads)
        if sets == 2:
            for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"):
                setattr(self, name, given(self.d))
            self.norm = nn.RMSNorm(2 * self.d, eps=1e-6)

    def scores(self, x):
        """[sets, heads, T, T] before the mask."""
        option = self.options.get
        # Sets of a head lie side by side.
        split = lambda m, heads: m(x).view(T, heads, self.sets, self.d).permute(2, 1, 0, 3)
        q, k = split(self.q, self.heads), split(self.k, self.kv_heads)
        scale = torch.tensor(self.d ** -0.5)
        if option("norm") == "rms":
            q, k = self.q_norm(q), self.k_norm(k)
        if option("norm") == "unit":
            unit = lambda v: v / (v.square().sum(-1, keepdim=True) + 1e-6).sqrt()
            q, k, scale = unit(q), unit(k), self.temperature[:, None, None]
        if option("rope"):
            q, k = rotate(q, *option("rope")), rotate(k, *option("rope"))
        k = k.repeat_interleave(self.heads // self.kv_heads, 1)
        if option("keys_alone"):
            s = (F.silu(q) * k).sum(-1)[..., None, :].expand(-1, -1, T, T) * scale
        else:
            s = q @ k.mT * scale
        if option("sink_keys"):
            first = self.sink_key.view(self.heads, -1, self.d)
            s = torch.cat([q @ first.mT * scale, s], -1)
        if option("cap"):
            s = option("cap") * torch.tanh(s / option("cap"))
        distance = (place[:, None] - place[None, :]).double()
        if option("alibi"):
            own = self.slopes if option("alibi") == "learned" else slopes(self.heads)
            s = s - own[:, None, None] * distance
        if option("forgetting"):
            c = F.logsigmoid(self.forget(x)).cumsum(0).T
            s = s + c[:, :, None] - c[:, None, :]
        if option("selective"):
            judged = s[0, 0].clamp(min=0) * (place[None, :] < place[:, None])
            judged = judged * (place > 0)
            s = s - F.pad(judged.cumsum(0), (0, 0, 1, 0))[:-1]
        return s

    def weights(self, s):
        option = self.options.get
        sinks = option("sink_keys", 0)
        seen = F.pad(self.mask, (sinks, 0), value=True)
        s = s.masked_fill(~seen, -torch.inf)
        if option("map") in ("sparsemax", "entmax15"):
            one = {"sparsemax": sparsemax, "entmax15": entmax15}[option("map")]
            return torch.stack([one(row) for row in s.flatten(0, -2)]).view_as(s)
        if option("map") == "series":
            w = (1 + s + s ** 2 / 2).masked_fill(~seen, 0)
            return w / (w.sum(-1, keepdim=True) + 1e-6)
        if option("sink"):
            extra = self.sink if option("sink") == "learned" else torch.zeros(self.heads)
            extra = extra[:, None, None].expand(*s.shape[:-1], 1)
            return torch.cat([s, extra], -1).softmax(-1)[..., :-1]
        return s.softmax(-1)

    def forward(self, x):
        p = self.weights(self.scores(x))
        v = self.v(x).view(T, self.kv_heads, self.sets * self.d).transpose(0, 1)
        v = v.repeat_interleave(self.heads // self.kv_heads, 0)
        if self.options.get("sink_keys"):
            v = torch.cat([self.sink_value.view(self.heads, -1, self.d), v], -2)
        if self.sets == 2:
            start = 0.8 - 0.6 * math.exp(-0.3 * 0)
            weigh = (self.lambda_q1 @ self.lambda_k1).exp() - (self.lambda_q2 @ self.lambda_k2).exp() + start
            o = (1 - start) * self.norm((p[0] - weigh * p[1]) @ v)
        else:
            o = p[0] @ v
        o = o.transpose(0, 1).reshape(T, -1)
        if self.options.get("gate"):
            share = o.shape[1] // self.options["gate"]
            o = o * torch.sigmoid(self.gate(x)).repeat_interleave(share, 1)
        return self.o(o)


def case(name, *arguments, within="", **options):
    """Parameters are named as in a block that `within` leads to."""
    torch.manual_seed(50)
    module = Attention(*arguments, **options)
    for parameter in module.parameters():
        parameter.data = rounded(*parameter.shape, scale=0.7)
    x, dy = rounded(T, D).requires_grad_(), rounded(T, D)
    y = module(x)
    y.backward(dy)
    if name == "plain":
        q, k, v = (m(x).view(1, T, 2, D // 2).transpose(1, 2) for m in (module.q, module.k, module.v))
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        torch.testing.assert_close(y, module.o(o.transpose(1, 2).reshape(T, D)), rtol=1e-12, atol=1e-12)
    named = {within + key: p for key, p in module.named_parameters()}
    return {f"{name}.{key}": value for key, value in {
        "x": x, "y": y, "dy": dy, "dx": x.grad, **named,
        **{f"grad.{key}": p.grad for key, p in named.items()}}.items()}


if __name__ == "__main__":
    window = causal & ((place[:, None] - place[None, :] < 3) | (place[None, :] < 1))
    same_document = causal & (place[:, None] // 4 == place[None, :] // 4)
    write("attention", {
        **case("plain", 2),
        **case("grouped", 4, 2, bias="inputs", rope=(10000, False, 2)),
        **case("neighbours", 2, bias="all", rope=(100, True, 2), mask=torch.ones(T, T, dtype=torch.bool)),
        **case("window", 2, 1, mask=window, sink="one"),
        **case("slopes", 2, alibi="fixed", norm="rms", cap=3, sink="learned"),
        **case("learned_slopes", 4, alibi="learned", norm="unit", gate=4),
        **case("sink_keys", 2, sink_keys=2, gate=8),
        **case("forgetting", 2, forgetting=True, map="sparsemax"),
        **case("entmax15", 2, 1, map="entmax15"),
        **case("differential", 2, 1, sets=2),
        **case("selective", 2, selective=True),
        **case("documents", 2, within="0.", mask=same_document),
        **case("series", 2, map="series"),
        **case("keys_alone", 2, 1, keys_alone=True),
    })
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
