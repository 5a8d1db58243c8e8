# SPDX-License-Identifier: BSD-3-Clause
"""Memories that learn while they read, as PyTorch's autograd has them, written as make_vectors.py writes.

    pip install torch==2.13.0 && python tests/vectors/make_memory_vectors.py

The equations of arXiv 2501.00663 token by token: the memory's own gradient is taken by autograd, and what is written is
differentiated through it. Every case holds x [1, T, D], the parameters by inlay's names, y, the cotangent dy, dx and
grad.<parameter>; the first-order case takes the memory's gradient for a function of keys and values alone.
"""
import hashlib

import torch
from torch.nn import functional as F

from make_vectors import HERE, rounded, write

T, D = 8, 6


class Memory:
    def __init__(self, heads=2, layers=1, chunk=3, read="post", inner=F.silu, residual=False, norm=False, c=1.0,
                 limit=None, most=None, conv=4, forgets=True, momentum=True, first_order=False, expansion=2):
        self.__dict__.update(locals())
        self.most = most or 1 / chunk
        d = D // heads
        widths = [d] + [expansion * d] * (layers - 1) + [d]
        shapes = {f"{n}.weight": (D, D) for n in "qkvo"}
        if conv:
            shapes |= {f"{n}_conv.weight": (D, conv) for n in "qkv"}
        shapes |= {f"memory.{i}": (heads * widths[i], widths[i + 1]) for i in range(layers)}
        gates = ["theta"] + ["alpha"] * forgets + ["eta"] * momentum
        for gate in gates:
            shapes |= {f"{gate}.weight": (heads, D), f"{gate}.bias": (heads,)}
        if norm:
            shapes |= {"inner_norm.weight": (D,), "inner_norm.bias": (D,)}
        self.p = {name: rounded(*shape, scale=0.7).requires_grad_() for name, shape in shapes.items()}

    def project(self, name, x):
        z = x @ self.p[f"{name}.weight"].T
        if self.conv:
            taps = self.p[f"{name}_conv.weight"]  # [channel, tap], the newest token last
            late = F.pad(z, (0, 0, self.conv - 1, 0))
            z = F.silu(sum(taps[:, i] * late[i:][:len(z)] for i in range(self.conv)))
        return z.unflatten(-1, (self.heads, -1))

    def apply(self, W, x, h):
        y = x
        for i, w in enumerate(W):
            y = y @ w if i + 1 == len(W) else self.inner(y @ w)
        if self.norm:
            weight, bias = (self.p[f"inner_norm.{n}"].unflatten(0, (self.heads, -1))[h] for n in ("weight", "bias"))
            y = F.layer_norm(y, y.shape[-1:], weight, bias, eps=1e-5)
        return x + y if self.residual or self.norm else y

    def gradient(self, W, k, v, h):
        if self.first_order:
            W = [w.detach().requires_grad_() for w in W]
        loss = self.c / 2 * (self.apply(W, k, h) - v).square().sum()
        g = torch.autograd.grad(loss, W, create_graph=True)
        if self.limit:
            size = sum(x.square().sum() for x in g)
            g = [x / torch.sqrt(1 + size / self.limit ** 2) for x in g]
        return g

    def head(self, q, k, v, gates, h):
        W = [self.p[f"memory.{i}"].unflatten(0, (self.heads, -1))[h] for i in range(self.layers)]
        S = [torch.zeros_like(w) for w in W]
        out = []
        for t in range(len(q)):
            if t % self.chunk == 0:
                start = [w * 1 for w in W]
            g = self.gradient(start, k[t], v[t], h)
            before = W
            S = [gates["eta"][t, h] * s - gates["theta"][t, h] * x for s, x in zip(S, g)]
            W = [(1 - gates["alpha"][t, h]) * w + s for w, s in zip(W, S)]
            read = {"post": W, "pre": before, "chunk": start}[self.read]
            out.append(self.apply(read, q[t], h))
        return torch.stack(out)

    def __call__(self, x):
        q, k, v = (self.project(name, x) for name in "qkv")
        q, k = (z / torch.sqrt(z.square().sum(-1, keepdim=True) + 1e-6) for z in (q, k))
        gates = {}
        for name in ("alpha", "eta", "theta"):
            used = f"{name}.weight" in self.p
            gates[name] = torch.sigmoid(x @ self.p[f"{name}.weight"].T + self.p[f"{name}.bias"]) if used else \
                torch.zeros(len(x), self.heads)
        gates["theta"] = gates["theta"] * self.most
        heads = [self.head(q[:, h], k[:, h], v[:, h], gates, h) for h in range(self.heads)]
        return torch.cat(heads, -1) @ self.p["o.weight"].T


def case(name, **options):
    torch.manual_seed(40)
    memory = Memory(**options)
    x = rounded(1, T, D).requires_grad_()
    y = memory(x[0])[None]
    dy = rounded(1, T, D)
    y.backward(dy)
    write(name, {"x": x, **memory.p, "y": y, "dy": dy, "dx": x.grad,
                 **{f"grad.{key}": p.grad for key, p in memory.p.items()}})


if __name__ == "__main__":
    case("memory_one_layer")
    case("memory_deep", layers=3, read="pre", inner=F.gelu, residual=True, c=1.5, limit=2.0, conv=0, expansion=1)
    case("memory_norm", layers=2, norm=True, momentum=False)
    case("memory_first_order", layers=2, read="chunk", forgets=False, first_order=True, most=0.5)
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
