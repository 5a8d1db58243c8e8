#!/usr/bin/env python3
"""Trains a small model with PyTorch and writes what from_pytorch.cpp needs: weights by PyTorch's names, and answers.

    pip install torch==2.13.0 && python examples/from_pytorch/train.py

The files are written by 20 lines of plain Python. What is committed beside this script came from it.
"""
import hashlib
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
VOCABULARY, LENGTH, WIDTH = 20, 12, 8


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.conv = nn.Conv1d(WIDTH, WIDTH, 3, groups=WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.rnn = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, 2)

    def forward(self, ids):
        x = self.embed(ids)
        x = self.conv(F.pad(x.transpose(1, 2), (2, 0))).transpose(1, 2)
        n = self.norm(x)
        ahead = torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)
        x = x + self.attn(n, n, n, attn_mask=ahead, need_weights=False)[0]
        return self.head(self.rnn(x)[0][:, -1])


def save(path, tensors):
    """Writes tensors as safetensors: the header's size, the header, the numbers."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        kind, code = ("I64", "q") if tensor.dtype == torch.int64 else ("F32", "f")
        values = tensor.detach().reshape(-1).tolist()
        begin = len(data)
        data += struct.pack(f"<{len(values)}{code}", *values)
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def batch(rows):
    """Which occurs more often, an id below or one above the middle?"""
    ids = torch.randint(VOCABULARY, (rows, LENGTH))
    return ids, ((ids < VOCABULARY // 2).sum(1) > LENGTH // 2).long()


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(400):
        ids, label = batch(64)
        loss = F.cross_entropy(net(ids), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ids, label = batch(16)
    logits = net(ids)
    print(f"loss {loss.item():.3f}, right {(logits.argmax(1) == label).float().mean().item():.2f}")
    save(HERE / "model.safetensors", net.state_dict())
    save(HERE / "answers.safetensors", {"ids": ids, "logits": logits})
    names = ["answers.safetensors", "model.safetensors"]
    sums = [f"{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (HERE / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
