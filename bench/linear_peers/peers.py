#!/usr/bin/env python3
"""Others at linear_peers.cpp's work, one thread: a line of JSON for each.

    peers.py onnx T HEADS WIDTH      ONNX Runtime's LinearAttention operator, gated_delta
    peers.py torch WIDTH STEPS       a training step of the hybrid language model in PyTorch, eager, its delta rule by
                                     chunks of 32
    peers.py compiled WIDTH STEPS    the same behind torch.compile, which needs a C++ compiler
"""
import json
import statistics
import sys
import time


def spread(times):
    return {"best_s": min(times), "median_s": statistics.median(times)}


def onnx(length, heads, width):
    import numpy
    import onnxruntime
    from onnx import TensorProto, helper

    shapes = {"query": (1, length, heads * width), "key": (1, length, heads * width), "value": (1, length, heads * width),
              "past": (1, heads, width, width), "decay": (1, length, heads), "beta": (1, length, heads)}
    node = helper.make_node("LinearAttention", list(shapes), ["output", "present"], q_num_heads=heads, kv_num_heads=heads,
                            update_rule="gated_delta", domain="com.microsoft")
    def tensor(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "one", [tensor(n, s) for n, s in shapes.items()],
                              [tensor("output", shapes["value"]), tensor("present", shapes["past"])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    draw = numpy.random.default_rng(1)
    feed = {n: draw.standard_normal(s, dtype=numpy.float32) for n, s in shapes.items()}
    keys = feed["key"].reshape(length, heads, width)
    feed["key"] = (keys / numpy.linalg.norm(keys, axis=-1, keepdims=True)).reshape(shapes["key"])
    feed["decay"], feed["beta"] = -0.1 * numpy.abs(feed["decay"]), 1 / (1 + numpy.exp(-feed["beta"]))
    output = session.run(None, feed)[0].reshape(length, heads, width)
    # that it does what it is said to do
    q, k, v = (feed[n].reshape(length, heads, width).astype(float) for n in ("query", "key", "value"))
    state, worst = feed["past"][0].astype(float), 0.0
    for t in range(min(length, 64)):
        state *= numpy.exp(feed["decay"][0, t])[:, None, None]
        new = feed["beta"][0, t][:, None] * (v[t] - numpy.einsum("hd,hde->he", k[t], state))
        state += k[t][:, :, None] * new[:, None, :]
        worst = max(worst, abs(numpy.einsum("hd,hde->he", q[t], state) * width ** -0.5 - output[t]).max())
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - begin)
    return {"what": "forward", "tokens": length, "heads": heads, "width": width, "error": float(worst), **spread(times)}


def torch_step(width, steps, compiled=False):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.manual_seed(1)
    heads, length, batch, chunk = 4, 256, 16, 32

    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    class Delta(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.gate, self.o = (nn.Linear(width, width, bias=False) for _ in range(5))
            self.conv = nn.ModuleList(nn.Conv1d(width, width, 4, groups=width, padding=3, bias=False) for _ in range(3))
            self.a, self.beta = nn.Linear(width, heads, bias=False), nn.Linear(width, heads, bias=False)
            self.log, self.shift = nn.Parameter(torch.zeros(heads)), nn.Parameter(torch.full((heads,), -4.0))
            self.norm = nn.Parameter(torch.ones(width // heads))

        def forward(self, x):
            q, k, v = (split(F.silu(c(p(x).transpose(1, 2))[..., :length].transpose(1, 2)))
                       for c, p in zip(self.conv, (self.q, self.k, self.v)))
            q, k = F.normalize(q, dim=-1) * q.size(-1) ** -0.5, F.normalize(k, dim=-1)
            g = (-self.log.exp() * F.softplus(self.a(x) + self.shift)).transpose(1, 2)
            beta = self.beta(x).sigmoid().transpose(1, 2)
            q, k, v = (y.unflatten(2, (-1, chunk)) for y in (q, k, v))
            g, beta = g.unflatten(2, (-1, chunk)).cumsum(-1), beta.unflatten(2, (-1, chunk))[..., None]
            lower = torch.ones(chunk, chunk, dtype=torch.bool).tril()
            fade = torch.where(lower, g[..., :, None] - g[..., None, :], -torch.inf).exp()
            inverse = torch.eye(chunk) + (beta * (k @ k.mT) * fade).tril(-1)
            w, u = (torch.linalg.solve_triangular(inverse, beta * y, upper=False, unitriangular=True)
                    for y in (g.exp()[..., None] * k, v))
            scores, state, out = (q @ k.mT) * fade, 0, []
            for c in range(length // chunk):
                new = u[:, :, c] - (w[:, :, c] @ state if c else 0)
                read = scores[:, :, c] @ new
                out.append(read + (g[:, :, c].exp()[..., None] * q[:, :, c]) @ state if c else read)
                last = g[:, :, c, -1:]
                state = (last[..., None].exp() * state if c else 0) + ((last - g[:, :, c]).exp()[..., None] * k[:, :, c]).mT @ new
            o = torch.cat(out, 2).transpose(1, 2)
            o = o * torch.rsqrt(o.pow(2).mean(-1, keepdim=True) + 1e-6) * self.norm
            return self.o(o.flatten(-2) * F.silu(self.gate(x)))

    class Softmax(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
            half = width // heads // 2
            angle = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(half) / half)
            self.cos, self.sin = angle.cos(), angle.sin()

        def turn(self, x):
            a, b = x.chunk(2, -1)
            return torch.cat([a * self.cos - b * self.sin, b * self.cos + a * self.sin], -1)

        def forward(self, x):
            q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
            o = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v, is_causal=True)
            return self.o(o.transpose(1, 2).flatten(-2))

    class SwiGlu(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.up = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, 3 * width, bias=False)
            self.down = nn.Linear(3 * width, width, bias=False)

        def forward(self, x):
            return self.down(F.silu(self.gate(x)) * self.up(x))

    class Hybrid(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(256, width)
            nn.init.normal_(self.embed.weight, std=0.02)
            mixers = [Delta(), Delta(), Delta(), Softmax()]
            self.body = nn.ModuleList(part for mixer in mixers for part in (mixer, SwiGlu()))
            self.norms = nn.ModuleList(nn.RMSNorm(width, eps=1e-6) for _ in range(9))

        def forward(self, ids):
            x = self.embed(ids)
            for norm, part in zip(self.norms, self.body):
                x = x + part(norm(x))
            return self.norms[-1](x) @ self.embed.weight.T

    model = Hybrid()
    adam = torch.optim.AdamW(model.parameters(), lr=3e-3)
    ids = torch.randint(256, (batch, length + 1))
    run = torch.compile(model) if compiled else model
    times = []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        F.cross_entropy(run(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten()).backward()
        adam.step()
        times.append(time.perf_counter() - begin)
    return {"what": "training step", "width": width, "parameters": sum(p.numel() for p in model.parameters()),
            **spread(times[1:])}


if __name__ == "__main__":
    work = {"onnx": onnx, "torch": torch_step, "compiled": lambda *a: torch_step(*a, compiled=True)}[sys.argv[1]]
    print(json.dumps(work(*map(int, sys.argv[2:]))))
