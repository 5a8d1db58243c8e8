# SPDX-License-Identifier: BSD-3-Clause
"""Small Gated DeltaNet and GLA language models under flash-linear-attention's names, and the logits of its naive functions.

    pip install torch==2.13.0 safetensors==0.8.0 einops==0.8.2 && pip install --no-deps fla-core==0.6.0
    python tests/vectors/checkpoints/make_fla_checkpoints.py

fla's layers ask for Triton, so they are written here with its layers' parameter names around its naive recurrences. These
are made to compute in float64: in float32, as they stand, their rounding is as large as what is tested. Writes gated_deltanet.safetensors, gla.safetensors and fla_answers.safetensors.
"""
import hashlib
import pathlib
import sys
import types

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from make_fla_vectors import OPS  # noqa: E402

V, D, T, LAYERS, HEADS, HIDDEN = 32, 16, 12, 2, 2, 24
torch.set_default_dtype(torch.float64)


def naive(folder):
    source = (OPS / folder / "naive.py").read_text().replace("torch.float32", "torch.float64").replace(".float()", ".double()")
    module = types.ModuleType(f"naive_{folder}")
    exec(compile(source, f"{folder}/naive.py", "exec"), module.__dict__)
    return module


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x, gate=None):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight
        return y if gate is None else y * F.silu(gate)


class ShortConvolution(nn.Conv1d):
    def __init__(self, width):
        super().__init__(width, width, 4, groups=width, bias=False)

    def forward(self, x):
        return F.silu(super().forward(F.pad(x.transpose(1, 2), (3, 0))).transpose(1, 2))


def linear(a, b, bias=False):
    return nn.Linear(a, b, bias=bias)


def heads(x):
    return x.unflatten(-1, (HEADS, -1))


class GatedDeltaNet(nn.Module):
    def __init__(self, keys=12, values=24):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = linear(D, keys), linear(D, keys), linear(D, values)
        self.a_proj, self.b_proj = linear(D, HEADS), linear(D, HEADS)
        self.A_log, self.dt_bias = nn.Parameter(torch.zeros(HEADS)), nn.Parameter(torch.zeros(HEADS))
        self.q_conv1d, self.k_conv1d, self.v_conv1d = (ShortConvolution(n) for n in (keys, keys, values))
        self.g_proj, self.o_norm, self.o_proj = linear(D, values), RMSNorm(values // HEADS), linear(values, D)

    def forward(self, x):
        q, k, v = (heads(conv(proj(x))) for conv, proj in
                   ((self.q_conv1d, self.q_proj), (self.k_conv1d, self.k_proj), (self.v_conv1d, self.v_proj)))
        q, k = (y / (y.pow(2).sum(-1, keepdim=True) + 1e-6).sqrt() for y in (q, k))
        g = -self.A_log.exp() * F.softplus(self.a_proj(x) + self.dt_bias)
        o, _ = naive("gated_delta_rule").naive_recurrent_gated_delta_rule(
            q=q, k=k, v=v, beta=self.b_proj(x).sigmoid(), g=g)
        return self.o_proj(self.o_norm(o.double(), heads(self.g_proj(x))).flatten(-2))


class GatedLinearAttention(nn.Module):
    def __init__(self, keys=D // 2, values=D, rank=16):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = linear(D, keys), linear(D, keys), linear(D, values)
        self.g_proj, self.gk_proj = linear(D, values), nn.Sequential(linear(D, rank), linear(rank, keys, True))
        self.o_proj, self.g_norm_swish_gate = linear(values, D), RMSNorm(values // HEADS)

    def forward(self, x):
        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        o, _ = naive("gla").naive_recurrent_gla(q, k, v, heads(F.logsigmoid(self.gk_proj(x)) / 16))
        return self.o_proj(self.g_norm_swish_gate(o.double(), heads(self.g_proj(x))).flatten(-2))


class GatedMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = linear(D, HIDDEN), linear(D, HIDDEN), linear(HIDDEN, D)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, mixer):
        super().__init__()
        self.attn_norm, self.attn, self.mlp_norm, self.mlp = RMSNorm(D), mixer(), RMSNorm(D), GatedMLP()

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class Language(nn.Module):
    def __init__(self, mixer):
        super().__init__()
        self.model = nn.Module()
        self.model.embeddings, self.model.norm = nn.Embedding(V, D), RMSNorm(D)
        self.model.layers = nn.ModuleList(Block(mixer) for _ in range(LAYERS))
        self.lm_head = linear(D, V)

    def forward(self, ids):
        x = self.model.embeddings(ids)
        for layer in self.model.layers:
            x = layer(x)
        return self.lm_head(self.model.norm(x))


def checkpoint(name, mixer, answers):
    model = Language(mixer)
    for key, parameter in model.named_parameters():
        scale, middle = (0.2, 1.0) if "norm" in key else (0.3, 0.0)
        parameter.data = (torch.randn_like(parameter) * scale + middle).float().double()
    save_file({key: value.float() for key, value in model.state_dict().items()}, HERE / f"{name}.safetensors",
              metadata={"format": "pt"})
    ids = torch.randint(V, (2, T))
    with torch.no_grad():
        answers |= {f"{name}.ids": ids, f"{name}.logits": model(ids)}


if __name__ == "__main__":
    torch.manual_seed(24)
    answers = {}
    checkpoint("gated_deltanet", GatedDeltaNet, answers)
    checkpoint("gla", GatedLinearAttention, answers)
    save_file(answers, HERE / "fla_answers.safetensors")
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
