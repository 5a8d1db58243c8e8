# SPDX-License-Identifier: BSD-3-Clause
"""A model as RTNeural's Python tools write Keras models, from PyTorch's layers, with what PyTorch answers.

    pip install torch==2.13.0 && python tests/vectors/make_rtneural.py

Writes rtneural.json, the model, and rtneural.safetensors with x [T, 2] and y [T, 1] in float64. Keras holds matrices as
[in, out], the taps of a convolution as [tap, in, out], the gates of a GRU as z, r, h with biases [2, 3 H], and those of an
LSTM as i, f, c, o with one bias.
"""
import hashlib
import json

import torch
from torch import nn
from torch.nn import functional as F

from make_vectors import HERE, rounded, write

T, TAPS, DILATION, H, L = 40, 3, 2, 8, 5


def layer(kind, width, weights, activation="", **more):
    return {"type": kind, "activation": activation, "shape": [None, None, width], **more,
            "weights": [w.tolist() for w in weights]}


def keras_gru(matrix):
    """[3 H, in] in PyTorch's order r, z, n to [in, 3 H] in Keras's z, r, h."""
    r, z, n = matrix.chunk(3)
    return torch.cat([z, r, n]).T


if __name__ == "__main__":
    torch.manual_seed(40)
    first, conv = nn.Linear(2, 4), nn.Conv1d(4, 6, TAPS, dilation=DILATION)
    gru, lstm, last = nn.GRU(6, H, batch_first=True), nn.LSTM(H, L, batch_first=True), nn.Linear(L, 1)
    for module in (first, conv, gru, lstm, last):
        for parameter in module.parameters():
            parameter.data = rounded(*parameter.shape, scale=0.5)
    lstm.bias_hh_l0.data.zero_()
    x = rounded(1, T, 2)
    with torch.no_grad():
        hidden = torch.tanh(first(x)).transpose(1, 2)
        hidden = torch.relu(conv(F.pad(hidden, ((TAPS - 1) * DILATION, 0)))).transpose(1, 2)
        y = last(lstm(gru(hidden)[0])[0])
    layers = [
        layer("time-distributed-dense", 4, [first.weight.T, first.bias], "tanh"),
        layer("conv1d", 6, [conv.weight.permute(2, 1, 0), conv.bias], "relu", kernel_size=[TAPS], dilation=[DILATION]),
        layer("gru", H, [keras_gru(gru.weight_ih_l0), keras_gru(gru.weight_hh_l0),
                         torch.stack([keras_gru(b[:, None])[0] for b in (gru.bias_ih_l0, gru.bias_hh_l0)])], "tanh"),
        layer("lstm", L, [lstm.weight_ih_l0.T, lstm.weight_hh_l0.T, lstm.bias_ih_l0], "tanh"),
        layer("dense", 1, [last.weight.T, last.bias]),
    ]
    (HERE / "rtneural.json").write_text(json.dumps({"in_shape": [None, None, 2], "layers": layers}) + "\n")
    write("rtneural", {"x": x[0], "y": y[0]}, {"json": hashlib.sha256((HERE / "rtneural.json").read_bytes()).hexdigest()})
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
