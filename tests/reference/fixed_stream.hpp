// SPDX-License-Identifier: BSD-3-Clause
// A stack run over two streams, of which the one beside knows nothing of the input (arXiv 2510.11602): x^(l)
// from noise or a fixed text, h^(l) from the input. Attention takes queries and keys from x for both of them.
#pragma once

#include "attention.hpp"
#include "norm.hpp"

namespace reference {

struct Streams {
    Rows x, h;
};
using Layer = std::function<Streams(Parameters const&, Streams const&)>;

namespace detail {
inline Rows added(Rows a, Rows const& b) {
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t i = 0; i < a[t].size(); ++i) a[t][i] += b[t][i];
    return a;
}
inline Rows normed(Parameters const& p, Rows rows) {
    for (Row& row : rows) row = rms_normed(row, 1e-6, row_of(p, "weight"));
    return rows;
}
} // namespace detail

// h + A(norm h), where A's queries and keys are those of norm x; x + A(norm x).
inline Layer fixed_attention(Attention const& a) {
    return [a](Parameters const& p, Streams const& s) {
        Parameters const norm = p.child("0"), own = p.child("1");
        Rows const x = detail::normed(norm, s.x), h = detail::normed(norm, s.h);
        return Streams{detail::added(s.x, detail::Attending(a, own, x, x).output()),
                       detail::added(s.h, detail::Attending(a, own, x, h).output())};
    };
}
// Each stream has an attention of its own.
inline Layer own_attention(Attention const& a) {
    return [a](Parameters const& p, Streams const& s) {
        Parameters const norm = p.child("0"), own = p.child("1");
        auto const one = [&](Rows const& z) {
            Rows const n = detail::normed(norm, z);
            return detail::added(z, detail::Attending(a, own, n, n).output());
        };
        return Streams{one(s.x), one(s.h)};
    };
}
// z + down(silu(gate norm z) (up norm z)), of each.
inline Layer fixed_swiglu() {
    return [](Parameters const& p, Streams const& s) {
        auto const one = [&](Rows const& z) {
            Rows out;
            for (Row const& token : detail::normed(p.child("0"), z)) {
                Row gate = linear(p.child("1.gate"), token);
                Row const up = linear(p.child("1.up"), token);
                for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = silu(gate[i]) * up[i];
                out.push_back(linear(p.child("1.down"), gate));
            }
            return detail::added(z, out);
        };
        return Streams{one(s.x), one(s.h)};
    };
}

// Layers "0", "1", ...
inline Layer fixed_stack(std::vector<Layer> const& layers) {
    return [layers](Parameters const& p, Streams s) {
        for (std::size_t l = 0; l < layers.size(); ++l) s = layers[l](p.child(std::to_string(l)), s);
        return s;
    };
}

// `beside` makes x^(0), given the input for its length.
inline Block fixed_stream(std::function<Rows(Parameters const&, Rows const&)> const& beside,
                          Layer const& body) {
    return block_of([=](Parameters const& p, Rows const& h) { return body(p, {beside(p, h), h}).h; });
}

} // namespace reference
