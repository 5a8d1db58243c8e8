# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints as PyTorch and safetensors write them, of small models with random weights, and their logits.

    pip install torch==2.13.0 safetensors==0.8.0 numpy && python tests/vectors/checkpoints/make_checkpoints.py

The models are written by hand, in the manner and with the tensor names of Hugging Face's `transformers`: GPT-2 (with
its Conv1D, whose weights are [in, out], and its fused c_attn), Llama, and Llama with tied embeddings in BF16. Logits are
computed in float64 from the weights as they are in the file: `answers.safetensors` holds NAME.ids and NAME.logits.
"""
import hashlib
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
V, T, D, LAYERS, HEADS = 32, 12, 16, 2, 4


def attend(q, k, v):
    """[B, H, T, d] each; softmax over the past."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.size(-1))
    past = torch.ones(q.size(-2), k.size(-2), dtype=torch.bool).tril()
    return scores.masked_fill(~past, -math.inf).softmax(-1) @ v


def heads(x, n):
    return x.view(*x.shape[:-1], n, -1).transpose(1, 2)


def merge(x):
    return x.transpose(1, 2).flatten(2)


class Conv1D(nn.Module):
    def __init__(self, out, width):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(width, out)), nn.Parameter(torch.empty(out))

    def forward(self, x):
        return x @ self.weight + self.bias


class GPT2Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bias", torch.ones(1, 1, T, T).tril())
        self.c_attn, self.c_proj = Conv1D(3 * D, D), Conv1D(D, D)

    def forward(self, x):
        q, k, v = (heads(part, HEADS) for part in self.c_attn(x).split(D, dim=2))
        return self.c_proj(merge(attend(q, k, v)))


class GPT2MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc, self.c_proj = Conv1D(4 * D, D), Conv1D(D, 4 * D)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class GPT2Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.attn, self.ln_2, self.mlp = nn.LayerNorm(D), GPT2Attention(), nn.LayerNorm(D), GPT2MLP()

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT2(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(V, D), nn.Embedding(T, D)
        self.h = nn.ModuleList(GPT2Block() for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(D)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.size(1)))
        for block in self.h:
            x = block(x)
        return self.ln_f(x) @ self.wte.weight.T


class LlamaRMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(D))

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def rotate(x):
    """Rotary positions, base 10000, pairs (m, m + d/2)."""
    half = x.size(-1) // 2
    angle = torch.arange(x.size(-2))[:, None] * 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.cat([angle, angle], -1)
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * angle.cos() + turned * angle.sin()


class LlamaAttention(nn.Module):
    def __init__(self, kv_heads):
        super().__init__()
        self.kv_heads, width = kv_heads, D // HEADS * kv_heads
        self.q_proj, self.o_proj = nn.Linear(D, D, bias=False), nn.Linear(D, D, bias=False)
        self.k_proj, self.v_proj = nn.Linear(D, width, bias=False), nn.Linear(D, width, bias=False)

    def forward(self, x):
        q, k = rotate(heads(self.q_proj(x), HEADS)), rotate(heads(self.k_proj(x), self.kv_heads))
        k, v = (y.repeat_interleave(HEADS // self.kv_heads, 1) for y in (k, heads(self.v_proj(x), self.kv_heads)))
        return self.o_proj(merge(attend(q, k, v)))


class LlamaMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(D, 24, bias=False), nn.Linear(D, 24, bias=False)
        self.down_proj = nn.Linear(24, D, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaDecoderLayer(nn.Module):
    def __init__(self, kv_heads):
        super().__init__()
        self.self_attn, self.mlp = LlamaAttention(kv_heads), LlamaMLP()
        self.input_layernorm, self.post_attention_layernorm = LlamaRMSNorm(), LlamaRMSNorm()

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    def __init__(self, kv_heads):
        super().__init__()
        self.embed_tokens, self.norm = nn.Embedding(V, D), LlamaRMSNorm()
        self.layers = nn.ModuleList(LlamaDecoderLayer(kv_heads) for _ in range(LAYERS))

    def forward(self, ids):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Llama(nn.Module):
    def __init__(self, kv_heads, tied):
        super().__init__()
        self.model = LlamaModel(kv_heads)
        self.lm_head = None if tied else nn.Linear(D, V, bias=False)

    def forward(self, ids):
        return self.model(ids) @ (self.lm_head or self.model.embed_tokens).weight.T


def checkpoint(name, model, dtype, answers):
    for key, parameter in model.named_parameters():
        scale, middle = (0.2, 1.0) if "norm" in key or ".ln_" in key or "ln_f" in key else (0.5, 0.0)
        parameter.data = (torch.randn_like(parameter) * scale + middle).to(dtype)
    save_file(model.state_dict(), HERE / f"{name}.safetensors", metadata={"format": "pt"})
    ids = torch.randint(V, (2, T))
    with torch.no_grad():
        logits = model.double()(ids)
    answers |= {f"{name}.ids": ids, f"{name}.logits": logits}


if __name__ == "__main__":
    torch.manual_seed(23)
    answers = {}
    checkpoint("gpt2", GPT2(), torch.float32, answers)
    checkpoint("llama", Llama(2, tied=False), torch.float32, answers)
    checkpoint("llama_tied", Llama(1, tied=True), torch.bfloat16, answers)
    save_file(answers, HERE / "answers.safetensors")
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
