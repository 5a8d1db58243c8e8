// SPDX-License-Identifier: BSD-3-Clause
// Attention and a memory together: parameters attn, memory (those of each), persistent [n, D], and the norms
// attn_norm.weight, memory_norm.weight [1, D].
#pragma once

#include "memory.hpp"
#include "selection.hpp"

namespace reference {

struct MemoryLayout {
    Memory memory = {}; // its own persistent is 0: the layout has them
    Attention attention = {};
    int persistent = 0;
    int segment = 0; // of memory_as_context
    double eps = 1e-6;
};

// RMSNorm(y) sigmoid(RMSNorm(m)).
inline Row gated_by_memory(MemoryLayout const& l, Parameters const& p, Row const& y, Row const& m) {
    Row const a = rms_normed(y, l.eps, row_of(p, "attn_norm.weight")),
              b = rms_normed(m, l.eps, row_of(p, "memory_norm.weight"));
    Row o;
    for (std::size_t c = 0; c < a.size(); ++c) o.push_back(a[c] * sigmoid(b[c]));
    return o;
}

inline Rows without(int n, Rows x) {
    x.erase(x.begin(), x.begin() + n);
    return x;
}

// Both read [persistent, x]: the attention, over a window, always sees the persistent ones.
inline Block memory_as_gate(MemoryLayout const& l) {
    return block_of([l](Parameters const& p, Rows const& x) {
        Rows const all = with_persistent(p, l.persistent, x);
        Attention a = l.attention;
        a.mask.sinks = l.persistent;
        Parameters const of_attention = p.child("attn");
        Rows const y = without(l.persistent, detail::Attending(a, of_attention, all, all).output()),
                   m = without(l.persistent, remembered(l.memory, p.child("memory"), all));
        Rows o;
        for (std::size_t t = 0; t < x.size(); ++t) o.push_back(gated_by_memory(l, p, y[t], m[t]));
        return o;
    });
}

// Attention over what the memory answers; the answers to the persistent tokens are dropped before.
inline Block memory_as_layer(MemoryLayout const& l) {
    return block_of([l](Parameters const& p, Rows const& x) {
        Rows const m = without(l.persistent,
                               remembered(l.memory, p.child("memory"), with_persistent(p, l.persistent, x)));
        Parameters const of_attention = p.child("attn");
        return detail::Attending(l.attention, of_attention, m, m).output();
    });
}

// Segment by segment: what the memory of the segments before answers to each token, h; attention over
// [persistent, h, tokens], where token s sees h and tokens up to s; then the memory learns the results y, and
// answers them.
inline Block memory_as_context(MemoryLayout const& l) {
    return block_of([l](Parameters const& p, Rows const& x) {
        if (l.attention.rope.base > 0) throw std::invalid_argument("reference: no positions in a segment");
        Parameters const of_memory = p.child("memory"), of_attention = p.child("attn");
        MemoryStream stream(l.memory, of_memory);
        Rows o;
        std::size_t const C = static_cast<std::size_t>(l.segment), N = static_cast<std::size_t>(l.persistent);
        for (std::size_t start = 0; start < x.size(); start += C) {
            std::size_t const count = std::min(C, x.size() - start);
            Rows seen = with_persistent(p, l.persistent, {}),
                 history(x.begin(), x.begin() + std::ptrdiff_t(start));
            for (std::size_t s = 0; s < count; ++s) {
                history.push_back(x[start + s]);
                seen.push_back(stream.ask(history));
            }
            seen.insert(seen.end(), x.begin() + std::ptrdiff_t(start),
                        x.begin() + std::ptrdiff_t(start + count));
            Attention a = l.attention;
            a.mask = {.sees = Sees::all};
            detail::Attending attending(a, of_attention, seen, seen);
            for (int h = 0; h < a.heads; ++h)
                attending.narrow(h, chosen_where(seen.size(), [&](int query, int key) {
                                     std::size_t const i = static_cast<std::size_t>(query),
                                                       j = static_cast<std::size_t>(key);
                                     if (i < N + count || j < N) return true;
                                     return (j - N) % count <= i - N - count;
                                 }));
            Rows const y = attending.output();
            for (std::size_t s = 0; s < count; ++s) {
                Row const& own = y[N + count + s];
                o.push_back(gated_by_memory(l, p, own, stream.step(own)));
            }
        }
        return o;
    });
}

} // namespace reference
