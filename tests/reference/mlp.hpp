// SPDX-License-Identifier: BSD-3-Clause
// Dense layers with an activation between them, and the gated one: down(silu(gate x) * up x).
#pragma once

#include "activation.hpp"
#include "combine.hpp"
#include "dense.hpp"

namespace reference {

// The prefixes of the dense layers, in order: {"0", "2"} for Linear, ReLU, Linear as PyTorch's Sequential
// names them.
inline Block mlp(std::vector<std::string> prefixes, Block activation, bool activate_last = false) {
    return [=](Parameters const& p, Sequence const& x) {
        Result y{x, zeros_like(x)};
        for (std::size_t layer = 0; layer < prefixes.size(); ++layer) {
            Parameters const own = p.child(prefixes[layer]);
            y = apply([&](Sequence const& z) { return dense(own, z); }, y);
            if (activate_last || layer + 1 < prefixes.size())
                y = apply([&](Sequence const& z) { return activation({}, z); }, y);
        }
        return y;
    };
}

inline Result swiglu(Parameters const& p, Sequence const& x) {
    Result const g = dense(p.child("gate"), x), u = dense(p.child("up"), x);
    Result h{g.value, g.value};
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < g.value[t].size(); ++i) {
            auto const [value, slope] = silu_of(g.value[t][i]);
            h.value[t][i] = value * u.value[t].at(i);
            h.magnitude[t][i] = std::abs(h.value[t][i]) +
                                std::abs(slope * u.value[t][i]) * g.magnitude[t][i] +
                                std::abs(value) * u.magnitude[t][i];
        }
    return apply([&](Sequence const& z) { return dense(p.child("down"), z); }, h);
}

} // namespace reference
