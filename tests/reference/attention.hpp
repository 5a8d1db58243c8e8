// SPDX-License-Identifier: BSD-3-Clause
// Attention, query by query: q, k, v = x W^T + b, o_i = sum_j P_ij v_j, y = o W_o^T + b_o.
//
// Parameters, matrices as PyTorch's Linear has them, [out, in], with an optional bias [1, out] each:
// q [H dk, D], k [Hkv dk, D], v [Hkv dv, D], o [D, H dv]. Query head h is rows h dk .. h dk + dk - 1 of q and
// reads key head h / (H / Hkv).
#pragma once

#include "mask.hpp"
#include "position.hpp"
#include "rounded.hpp"

namespace reference {

struct Attention {
    int heads = 1;
    int kv_heads = 0; // 0: as many
    Mask mask = {};
    Rope rope = {};
    int position = 0;                               // of the first token
    std::string q = "q", k = "k", v = "v", o = "o"; // names of the parameters
};

// The share of head h of `heads` in each token.
inline Rows head_of(Rows const& x, int h, int heads) {
    Rows slice;
    for (Row const& token : x) {
        std::size_t const width = token.size() / static_cast<std::size_t>(heads);
        slice.push_back(part(token, static_cast<std::size_t>(h) * width, width));
    }
    return slice;
}

inline Row softmax(Row const& z) {
    if (z.empty()) return {};
    double largest = z[0].value;
    for (Rounded const& v : z) largest = std::fmax(largest, v.value);
    Row e;
    for (Rounded const& v : z) e.push_back(exp(v - largest));
    Rounded const sum = total(e);
    for (Rounded& v : e) v = v / sum;
    return e;
}

inline Row weighted_sum(Row const& weights, Rows const& values, std::size_t width) {
    Row sum;
    for (std::size_t c = 0; c < width; ++c) {
        Row terms;
        for (std::size_t j = 0; j < weights.size(); ++j) terms.push_back(weights[j] * values[j].at(c));
        sum.push_back(total(terms));
    }
    return sum;
}

// Queries and keys come from `from`, values from x.
inline Rows attended(Attention const& a, Parameters const& p, Rows const& from, Rows const& x) {
    int const kv_heads = a.kv_heads == 0 ? a.heads : a.kv_heads;
    Rows const q = linear(p.child(a.q), from), k = linear(p.child(a.k), from), v = linear(p.child(a.v), x);
    Rows o(x.size());
    for (int h = 0; h < a.heads; ++h) {
        int const g = h / (a.heads / kv_heads);
        Rows qs = head_of(q, h, a.heads), ks = head_of(k, g, kv_heads);
        Rows const vs = head_of(v, g, kv_heads);
        for (std::size_t t = 0; t < x.size(); ++t) {
            qs[t] = rotated(a.rope, qs[t], a.position + static_cast<int>(t));
            ks[t] = rotated(a.rope, ks[t], a.position + static_cast<int>(t));
        }
        for (std::size_t i = 0; i < x.size(); ++i) {
            Rounded const scale = constant(1 / std::sqrt(double(qs[i].size())));
            Row z;
            Rows seen;
            for (std::size_t j = 0; j < x.size(); ++j) {
                if (!a.mask(static_cast<int>(i), static_cast<int>(j))) continue;
                z.push_back(scale * dot(qs[i], ks[j]));
                seen.push_back(vs[j]);
            }
            Row const mixed = weighted_sum(softmax(z), seen, vs[i].size());
            o[i].insert(o[i].end(), mixed.begin(), mixed.end());
        }
    }
    return linear(p.child(a.o), o);
}

inline Block attention(Attention const& a = {}) {
    return [a](Parameters const& p, Sequence const& x) {
        return result_of(attended(a, p, exactly(x), exactly(x)));
    };
}

} // namespace reference
