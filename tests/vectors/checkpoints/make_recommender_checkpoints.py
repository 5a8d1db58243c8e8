# SPDX-License-Identifier: BSD-3-Clause
"""Recommenders with random weights under the names of public implementations, and what they answer.

    pip install torch==2.13.0 safetensors==0.8.0 numpy && python tests/vectors/checkpoints/make_recommender_checkpoints.py

Written by hand, with the modules, the names and the arithmetic of: SASRec of github.com/pmixer/SASRec.pytorch (norms
first and last), DCNv2 of FuxiCTR (parallel, with its MLP_Block), CrossNet and LowRankCrossNet of torchrec, CrossNet of
DeepCTR-Torch (matrices). Answers are computed in float64 from the weights in the file: `recommender_answers.safetensors`
holds NAME.x and NAME.y.
"""
import hashlib
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
ITEMS, T, D, BLOCKS, HEADS = 13, 6, 4, 2, 2
FIELDS = {"user": 5, "item": 7, "age": None, "hour": 4}


class PointWiseFeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(D, D, 1), nn.Conv1d(D, D, 1)

    def forward(self, x):
        return self.conv2(self.conv1(x.transpose(-1, -2)).relu()).transpose(-1, -2)


class SASRec(nn.Module):
    def __init__(self, norm_first):
        super().__init__()
        self.norm_first = norm_first
        self.item_emb = nn.Embedding(ITEMS + 1, D, padding_idx=0)
        self.pos_emb = nn.Embedding(T + 1, D, padding_idx=0)
        self.attention_layernorms = nn.ModuleList(nn.LayerNorm(D, eps=1e-8) for _ in range(BLOCKS))
        self.attention_layers = nn.ModuleList(nn.MultiheadAttention(D, HEADS) for _ in range(BLOCKS))
        self.forward_layernorms = nn.ModuleList(nn.LayerNorm(D, eps=1e-8) for _ in range(BLOCKS))
        self.forward_layers = nn.ModuleList(PointWiseFeedForward() for _ in range(BLOCKS))
        self.last_layernorm = nn.LayerNorm(D, eps=1e-8)

    def forward(self, items):
        x = self.item_emb(items) * D ** 0.5
        places = torch.arange(1, items.shape[1] + 1).expand(items.shape) * (items != 0)
        x = x + self.pos_emb(places)
        ahead = ~torch.tril(torch.ones(T, T, dtype=torch.bool))
        for norm, attend, second_norm, feed in zip(self.attention_layernorms, self.attention_layers,
                                                   self.forward_layernorms, self.forward_layers):
            def attended(of):
                of = of.transpose(0, 1)
                return attend(of, of, of, attn_mask=ahead)[0].transpose(0, 1)
            if self.norm_first:
                x = x + attended(norm(x))
                x = x + feed(second_norm(x))
            else:
                x = norm(x + attended(x))
                x = second_norm(x + feed(x))
        return self.last_layernorm(x) @ self.item_emb.weight.T


class FeatureEmbeddingDict(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding_layers = nn.ModuleDict({
            name: nn.Linear(1, D, bias=False) if n is None else nn.Embedding(n, D) for name, n in FIELDS.items()})

    def forward(self, x):
        return torch.cat([layer(x[:, f:f + 1] if isinstance(layer, nn.Linear) else x[:, f].long())
                          for f, layer in enumerate(self.embedding_layers.values())], 1)


class FeatureEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding_layer = FeatureEmbeddingDict()

    def forward(self, x):
        return self.embedding_layer(x)


class CrossNetV2(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cross_layers = nn.ModuleList(nn.Linear(width, width) for _ in range(2))

    def forward(self, x0):
        x = x0
        for layer in self.cross_layers:
            x = x + x0 * layer(x)
        return x


class MLPBlock(nn.Module):
    def __init__(self, width, *hidden):
        super().__init__()
        layers = []
        for h in hidden:
            layers += [nn.Linear(width, h), nn.BatchNorm1d(h), nn.ReLU()]
            width = h
        self.mlp = nn.Sequential(*layers)

    def forward(self, x):
        return self.mlp(x)


class DCNv2(nn.Module):
    def __init__(self):
        super().__init__()
        width = D * len(FIELDS)
        self.embedding_layer = FeatureEmbedding()
        self.crossnet, self.parallel_dnn = CrossNetV2(width), MLPBlock(width, 7, 5)
        self.fc = nn.Linear(width + 5, 1)

    def forward(self, x):
        x = self.embedding_layer(x)
        return self.fc(torch.cat([self.crossnet(x), self.parallel_dnn(x)], -1))


def parameters(*shape):
    return nn.ParameterList(nn.Parameter(torch.empty(*shape)) for _ in range(2))


class Crosses(nn.Module):
    """x' = x0 (W x + b) + x over columns; `factor` gives W x of a layer."""
    def forward(self, x):
        x0 = x = x.unsqueeze(2)
        for layer in range(2):
            x = x0 * (self.factor(layer, x) + self.bias[layer]) + x
        return x.squeeze(2)


class CrossNet(Crosses):
    def __init__(self):
        super().__init__()
        self.kernels, self.bias = parameters(D, D), parameters(D, 1)

    def factor(self, layer, x):
        return self.kernels[layer] @ x


class LowRankCrossNet(Crosses):
    def __init__(self):
        super().__init__()
        self.W_kernels, self.V_kernels, self.bias = parameters(D, 2), parameters(2, D), parameters(D, 1)

    def factor(self, layer, x):
        return self.W_kernels[layer] @ (self.V_kernels[layer] @ x)


class DeepCtrCrossNet(CrossNet):
    def __init__(self):
        super().__init__()
        self.kernels, self.bias = nn.Parameter(torch.empty(2, D, D)), nn.Parameter(torch.empty(2, D, 1))


class At(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.crossnet = module

    def forward(self, x):
        return self.crossnet(x)


def main():
    torch.manual_seed(7)
    items = torch.randint(1, ITEMS + 1, (2, T))
    rows = torch.stack([torch.randn(2) if n is None else torch.randint(1, n, (2,)).double() for n in FIELDS.values()], 1)
    vectors = torch.randn(2, D)
    answers = {}
    for name, model, x in (("sasrec", SASRec(False), items), ("sasrec_norm_first", SASRec(True), items),
                           ("fuxictr_dcn_v2", DCNv2(), rows), ("torchrec_cross", At(CrossNet()), vectors),
                           ("torchrec_low_rank", At(LowRankCrossNet()), vectors),
                           ("deepctr_cross", At(DeepCtrCrossNet()), vectors)):
        for key, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape) * 0.7)
            if key.endswith("running_var"):
                tensor.abs_()
            if key.startswith(("item_emb", "pos_emb")):
                tensor[0] = 0
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, HERE / f"{name}.safetensors")
        x = x.double() if x.is_floating_point() else x
        with torch.no_grad():
            y = model.double().eval()(x)
        answers |= {f"{name}.x": x.double(), f"{name}.y": y}
    assert math.isfinite(sum(float(t.sum()) for t in answers.values()))
    save_file(answers, HERE / "recommender_answers.safetensors")
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
