# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's answers in float64, as small safetensors files beside this script, with their SHA256SUMS.

    pip install torch==2.13.0 && python tests/vectors/make_vectors.py

Inputs, parameters, targets and cotangents are representable in float32, so that float code starts from the same
numbers. Every case holds x, the parameters by PyTorch's names, y, the cotangent dy, dx and grad.<parameter>; a loss
holds x, target (and what else it reads), y and dx; an optimizer holds w0, the gradients g[100][6] and the weights after each step w[100][6]; a schedule holds the rates of its steps; a table's (lazy_*) holds w0[5][3], g[100][5][3],
which rows occur in a step, present[100][5], and w[100][5][3].
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


def case(name, module, x, metadata=None, extra=None, after=None):
    """Forward and backward of a module; x may be ids (then there is no dx). `after` is filled by forward."""
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
    tensors |= {f"grad.{key}": parameter.grad for key, parameter in module.named_parameters()} | (after or {})
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


class Periodic(nn.Module):
    """PLR of "On Embeddings for Numerical Features in Tabular Deep Learning" for one number."""

    def __init__(self, waves, width):
        super().__init__()
        self.frequency = nn.Parameter(torch.empty(1, waves))
        linear = nn.Linear(2 * waves, width)
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, x):
        angle = 2 * torch.pi * self.frequency * x
        return torch.relu(F.linear(torch.cat([torch.cos(angle), torch.sin(angle)], -1), self.weight, self.bias))


class OverTokens(nn.BatchNorm1d):
    """x is [N, T, D]; BatchNorm1d wants [N, D, T]."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def numbers():
    case("periodic", Periodic(5, 7), rounded(4, 1), {"formula": "relu(Linear([cos 2 pi c x, sin 2 pi c x]))"})


def batch_norms():
    """In training the slot of a running statistic, grad.<buffer>, is how far the batch moved it."""
    for name, module, x, training in [
        ("batch_norm", nn.BatchNorm1d(7), rounded(6, 7, scale=2), True),
        ("batch_norm_tokens", OverTokens(7, eps=1e-3, momentum=0.3), rounded(3, 5, 7) + 1, True),
        ("batch_norm_serving", nn.BatchNorm1d(7), rounded(6, 7), False),
    ]:
        module.running_mean = rounded(7)
        module.running_var = rounded(7).abs() + 0.25
        before = {key: buffer.clone() for key, buffer in module.named_buffers() if key.startswith("running")}
        module.train(training)
        moves = {}
        module.register_forward_hook(
            lambda m, *_: moves.update({f"grad.{key}": getattr(m, key) - value for key, value in before.items()})
        )
        case(name, module, x, {"eps": module.eps, "momentum": module.momentum}, before, moves)


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


def more_losses():
    def loss(name, function, x, tensors, metadata=None):
        x.requires_grad_()
        y = function(x)
        y.backward()
        write(name, {"x": x, **tensors, "y": y.reshape(1), "dx": x.grad}, {"reduction": "mean", **(metadata or {})})

    target, positive = torch.rand(4, 3).float().double(), torch.tensor([0.5, 2.0, 3.25])
    loss(
        "bce_positive_weights",
        lambda x: F.binary_cross_entropy_with_logits(x, 0.75 * target + 0.125, pos_weight=positive, reduction="sum") / 4,
        rounded(4, 3, scale=3), {"target": target}, {"pos_weight": [0.5, 2, 3.25], "label_smoothing": 0.25},
    )
    classes, weights = torch.tensor([4, -100, 0, 2, 2, -100, 1]), torch.tensor([0.5, 1.0, 2.0, 0.25, 3.0])
    loss(
        "cross_entropy_smooth",
        lambda x: F.cross_entropy(x, classes, weight=weights, label_smoothing=0.125),
        rounded(7, 5, scale=3), {"target": classes.double()}, {"weight": weights.tolist(), "label_smoothing": 0.125},
    )
    target = rounded(4, 3)
    loss("huber", lambda x: F.huber_loss(x, target, delta=0.75), rounded(4, 3), {"target": target}, {"delta": 0.75})

    # The positive's score stands first.
    loss("bpr", lambda x: F.softplus(x[:, 1:] - x[:, :1]).mean(), rounded(5, 4, scale=2), {})
    log_q = torch.log(0.01 + torch.rand(5, 4)).float().double()
    first = torch.zeros(5, dtype=torch.int64)
    loss("sampled_softmax", lambda x: F.cross_entropy(x - log_q, first), rounded(5, 4, scale=2), {"target": log_q})

    def gbce(x):
        # As the paper has it: binary cross-entropy of a transformed positive logit, 30 items, t = 0.75.
        share, t = 3 / 29, 0.75
        beta = share * (t * (1 - 1 / share) + 1 / share)
        positive = -torch.log(torch.sigmoid(x[:, :1]) ** -beta - 1)
        logits = torch.cat([positive, x[:, 1:]], dim=1)
        return F.binary_cross_entropy_with_logits(logits, (torch.arange(4) == 0).double().expand(5, 4))

    loss("gbce", gbce, rounded(5, 4, scale=2), {}, {"items": 30, "t": 0.75})

    # Queries and items side by side; rows 1 and 4 have one item.
    ids = torch.tensor([7.0, 2.0, 9.0, 0.0, 2.0, 5.0])
    log_q = torch.log(0.01 + torch.rand(6)).float().double()
    twins = (ids[:, None] == ids[None, :]) & ~torch.eye(6, dtype=torch.bool)

    def in_batch(x, tau, cosine, symmetric=False, corrected=False):
        u, v = x[:, :3], x[:, 3:]
        if cosine:
            u, v = F.normalize(u, dim=1), F.normalize(v, dim=1)
        scores = (u @ v.T / tau - (log_q if corrected else 0)).masked_fill(twins, float("-inf"))
        own = torch.arange(6)
        rows = F.cross_entropy(scores, own)
        return (rows + F.cross_entropy(scores.T, own)) / 2 if symmetric else rows

    for name, arguments in {
        "info_nce": {"tau": 0.07, "cosine": True},
        "info_nce_symmetric": {"tau": 0.25, "cosine": True, "symmetric": True},
        "in_batch_softmax": {"tau": 0.5, "cosine": False, "corrected": True},
    }.items():
        tensors = {"target": torch.stack([ids, log_q], dim=1) if "corrected" in arguments else ids}
        loss(name, lambda x: in_batch(x, **arguments), rounded(6, 6), tensors, arguments)


def lion(w, g, state, t, lr, beta1, beta2, weight_decay):
    """arXiv 2302.06675, Algorithm 2."""
    m = state.setdefault("m", torch.zeros_like(w))
    update = torch.sign(beta1 * m + (1 - beta1) * g)
    m.copy_(beta2 * m + (1 - beta2) * g)
    w.sub_(lr * (update + weight_decay * w))


def ftrl(w, g, state, t, alpha, beta, l1, l2):
    """McMahan et al., KDD 2013, Algorithm 1, from zero weights."""
    z, n = state.setdefault("z", torch.zeros_like(w)), state.setdefault("n", torch.zeros_like(w))
    sigma = (torch.sqrt(n + g * g) - torch.sqrt(n)) / alpha
    z.add_(g - sigma * w)
    n.add_(g * g)
    w.copy_(torch.where(z.abs() <= l1, torch.zeros_like(w), -(z - torch.sign(z) * l1) / ((beta + torch.sqrt(n)) / alpha + l2)))


def momentum(w, g, state, t, lr, mu, row_decay):
    buffer = state.setdefault("buffer", torch.zeros_like(w))
    buffer.copy_(mu * buffer + g + row_decay * w)
    w.sub_(lr * buffer)


def adamw(w, g, state, t, lr, beta1, beta2, eps, row_decay):
    m, v = state.setdefault("m", torch.zeros_like(w)), state.setdefault("v", torch.zeros_like(w))
    w.mul_(1 - lr * row_decay)
    m.copy_(beta1 * m + (1 - beta1) * g)
    v.copy_(beta2 * v + (1 - beta2) * g * g)
    w.sub_(lr * (m / (1 - beta1**t)) / (torch.sqrt(v / (1 - beta2**t)) + eps))


def more_optimizers():
    def run(name, w, gradients, step, metadata, extra=None):
        w0, weights = w.detach().clone(), []
        for t, g in enumerate(gradients, 1):
            step(w, g, t)
            weights.append(w.detach().clone())
        write(f"optimizer_{name}", {"w0": w0, "g": gradients, **(extra or {}), "w": torch.stack(weights)}, metadata)

    def torch_step(optimizer):
        def step(w, g, t):
            w.grad = g.clone()
            optimizer.step()
        return step

    for name, kind, options in [
        ("sgd", torch.optim.SGD, {"lr": 0.05, "weight_decay": 0.01}),
        ("adagrad_decay", torch.optim.Adagrad,
         {"lr": 0.1, "lr_decay": 0.02, "weight_decay": 0.05, "initial_accumulator_value": 0.1, "eps": 1e-10}),
        ("adam_decay", torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    ]:
        w = nn.Parameter(rounded(6))
        run(name, w, rounded(100, 6), torch_step(kind([w], **options)), options)
    for name, update, options in [
        ("lion", lion, {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
        ("ftrl", ftrl, {"alpha": 0.1, "beta": 1.0, "l1": 0.5, "l2": 0.01}),
    ]:
        state = {}
        w = torch.zeros(6) if name == "ftrl" else rounded(6)
        run(name, w, rounded(100, 6), lambda w, g, t: update(w, g, state, t, **options), options)

    # Tables: rows that do not occur in a step are left alone, with their state; t counts all steps.
    def table(name, make_step, options, zero=False):
        present = (torch.rand(100, 5) < 0.4).double()
        w = nn.Parameter(torch.zeros(5, 3) if zero else rounded(5, 3))
        step = make_step(w)
        rows_of = [present[t].nonzero()[:, 0] for t in range(100)]
        gradients = rounded(100, 5, 3) * present[:, :, None]
        run(f"lazy_{name}", w, gradients, lambda w, g, t: step(w, g, t, rows_of[t - 1]), options, {"present": present})

    def torch_sparse(kind, options):
        def make(w):
            optimizer = kind([w], **options)
            def step(w, g, t, rows):
                w.grad = torch.sparse_coo_tensor(rows[None, :], g[rows], w.shape, check_invariants=True)
                optimizer.step()
            return step
        return make

    def by_rows(update, options):
        def make(w):
            states = [{} for _ in range(5)]
            def step(w, g, t, rows):
                for r in rows.tolist():
                    update(w.data[r], g[r], states[r], t, **options)
            return step
        return make

    for name, kind, options in [
        ("sgd", torch.optim.SGD, {"lr": 0.05}),
        ("adagrad", torch.optim.Adagrad, {"lr": 0.1}),
        ("adam", torch.optim.SparseAdam, {"lr": 0.01, "eps": 1e-30}),  # whose epsilon is not bias-corrected
    ]:
        table(name, torch_sparse(kind, options), options)
    for name, update, options in [
        ("momentum", momentum, {"lr": 0.05, "mu": 0.9, "row_decay": 0.01}),
        ("adamw", adamw, {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "row_decay": 0.1}),
        ("lion", lion, {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1}),
        ("ftrl", ftrl, {"alpha": 0.1, "beta": 1.0, "l1": 0.5, "l2": 0.01}),
    ]:
        table(name, by_rows(update, options), options, zero=name == "ftrl")


def schedules():
    from torch.optim import lr_scheduler as lr

    def warmed_up(optimizer, warmup, after):
        first = lr.LinearLR(optimizer, 1 / warmup, 1, warmup - 1)
        return lr.SequentialLR(optimizer, [first, after(optimizer)], [warmup])

    for name, steps, make in [
        ("cosine", 13, lambda o: lr.CosineAnnealingLR(o, 12, 0.001)),
        ("cosine_warmup", 25, lambda o: warmed_up(o, 4, lambda o: lr.CosineAnnealingLR(o, 20, 0.001))),
        ("linear", 25, lambda o: lr.LinearLR(o, 1, 0.25, 12)),
        ("step", 25, lambda o: lr.StepLR(o, 5, 0.5)),
        ("one_cycle", 25, lambda o: lr.OneCycleLR(o, 0.1, 25, cycle_momentum=False)),
        ("one_cycle_short", 12,
         lambda o: lr.OneCycleLR(o, 0.1, 12, pct_start=0.45, div_factor=10, final_div_factor=100, cycle_momentum=False)),
    ]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule, rates = make(optimizer), []
        for s in range(steps):
            if s > 0:
                optimizer.step()
                schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        write(f"schedule_{name}", {"rate": torch.tensor(rates)})


def training():
    """Ten steps of two accumulated batches each, clipped by norm, by Adam, with an average of the weights."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    for parameter in net.parameters():
        parameter.data = rounded(*parameter.shape, scale=0.7)
    x, target = rounded(20, 3), torch.arange(20) % 3
    target[5], target[17] = -1, -1
    start = {f"start.{key}": p.detach().clone() for key, p in net.named_parameters()}
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.8))
    optimizer, norms = torch.optim.Adam(net.parameters(), lr=0.1), []
    for _ in range(10):
        optimizer.zero_grad()
        for part in (slice(0, 10), slice(10, 20)):
            loss = F.cross_entropy(net(x[part]), target[part], ignore_index=-1, reduction="sum") / 18
            loss.backward()
        norms.append(nn.utils.clip_grad_norm_(net.parameters(), 0.05))
        optimizer.step()
        average.update_parameters(net)
    write("training", {"x": x, "target": target, **start, "norm": torch.stack(norms),
                       **{f"end.{key}": p for key, p in net.named_parameters()},
                       **{f"average.{key}": p for key, p in average.module.named_parameters()}},
          {"lr": 0.1, "max_norm": 0.05, "decay": 0.8})
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
    more_losses()
    more_optimizers()
    schedules()
    torch.manual_seed(21)
    batch_norms()
    torch.manual_seed(22)
    numbers()
    torch.manual_seed(23)
    training()
    recurrences()
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
