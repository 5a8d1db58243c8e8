# SPDX-License-Identifier: BSD-3-Clause
"""What flash-linear-attention's naive recurrences answer, values and gradients, as make_vectors.py writes them.

    pip install torch==2.13.0 einops==0.8.2 && pip install --no-deps fla-core==0.6.0
    python tests/vectors/make_fla_vectors.py

fla-core 0.6.0's wheel has the SHA-256 b0708b70e0b119cd58a0a5146ea56cb175cef6ed969d8ac60267e3e077ce3ebd. The files of its
naive functions are loaded by themselves, since the package asks for Triton. They compute in float32, so the answers are
good to about 1e-6. Every case holds q, k [T, H, K], v [T, H, V], g [T, H] or [T, H, K], beta [T, H], the state that came
in, o and the state that went out, their cotangents do and dstate, and the gradients of all that came in.
"""
import hashlib
import importlib.util
import pathlib

import torch
from torch.nn import functional as F

from make_vectors import HERE, rounded, write

T, H, K, V = 21, 2, 5, 3
OPS = pathlib.Path(importlib.util.find_spec("fla").origin).parent / "ops"


def naive(folder):
    spec = importlib.util.spec_from_file_location(f"naive_{folder}", OPS / folder / "naive.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heads_first(function):
    """For functions over [B, H, T, ...]."""
    return lambda *arrays, **options: (
        lambda o, S: (o.transpose(1, 2), S))(*function(*[a.transpose(1, 2) for a in arrays], **options))


def case(name, function, gate, beta):
    torch.manual_seed(30)
    given = {"q": rounded(1, T, H, K), "k": F.normalize(rounded(1, T, H, K), dim=-1).float().double(),
             "v": rounded(1, T, H, V)}
    if gate:
        given["g"] = F.logsigmoid(rounded(1, T, H, *([K] if gate > 1 else []), scale=2)).float().double()
    if beta:
        given["beta"] = torch.sigmoid(rounded(1, T, H)).float().double()
    state = rounded(1, H, K, V)
    leaves = {key: value.clone().requires_grad_() for key, value in {**given, "state": state}.items()}
    arguments = {key: value.float() for key, value in leaves.items()}
    start = arguments.pop("state")
    o, end = function(*arguments.values(), initial_state=start, output_final_state=True)
    do, dstate = rounded(1, T, H, V), rounded(1, H, K, V)
    torch.autograd.backward([o, end], [do.to(o), dstate.to(end)])
    write(name, {**given, "state": state, "o": o.double(), "end": end.double(), "do": do, "dend": dstate,
                 **{f"d{key}": leaf.grad for key, leaf in leaves.items()}}, {"fla-core": "0.6.0"})


def ordered(function):
    """q, k, v, g, beta by name: the naive functions differ in their order."""
    return lambda q, k, v, g, beta, **options: function(q=q, k=k, v=v, g=g, beta=beta, **options)


if __name__ == "__main__":
    case("fla_delta_rule", heads_first(naive("delta_rule").delta_rule_recurrence), 0, True)
    case("fla_gated_delta_rule", ordered(naive("gated_delta_rule").naive_recurrent_gated_delta_rule), 1, True)
    case("fla_kda", ordered(naive("kda").naive_recurrent_kda), 2, True)
    case("fla_gla", naive("gla").naive_recurrent_gla, 2, False)
    case("fla_simple_gla", naive("simple_gla").naive_recurrent_simple_gla, 1, False)
    files = sorted(HERE.glob("*.safetensors"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))
