// SPDX-License-Identifier: BSD-3-Clause
// TransformerFAM: a layer of attention and feed-forward over blocks of tokens, and a feedback memory F of n
// rows that is asked by the next block and learns from each whole one, through the same parameters.
//
// Parameters: norm.weight [1, D] (RMSNorm; with norm.bias LayerNorm), attn.q, attn.k, attn.v, attn.o,
// ff_norm, ff.gate, ff.up, ff.down (SwiGLU), and fam [n, D], F before the first block.
#pragma once

#include "attention.hpp"
#include "feature_map.hpp"

namespace reference {

struct Feedback {
    int heads = 1, kv_heads = 0;
    Rope rope = {};
    int block = 0, segments = 0; // tokens see their block, and so many before it
    bool norm_rows = false;      // of F, by their root mean square, behind each block
};

namespace detail {

// Rows with their place, as attention sees them.
struct Placed {
    Rows q, k, v; // normed and projected
    std::vector<int> positions;
};

inline Row normed_by(Parameters const& p, Row const& x) {
    if (!p.has("bias")) return rms_normed(x, 1e-6, row_of(p, "weight"));
    Row y = layer_normed(x);
    for (std::size_t c = 0; c < y.size(); ++c)
        y[c] = total({row_of(p, "weight").at(c) * y[c], row_of(p, "bias").at(c)});
    return y;
}

inline Placed placed(Parameters const& p, Rows const& x, int first_position) {
    Placed rows;
    for (Row const& token : x) {
        Row const n = normed_by(p.child("norm"), token);
        rows.q.push_back(linear(p.child("attn").child("q"), n));
        rows.k.push_back(linear(p.child("attn").child("k"), n));
        rows.v.push_back(linear(p.child("attn").child("v"), n));
        rows.positions.push_back(first_position++);
    }
    return rows;
}

// What one query, at its position, gets of the keys.
inline Row asked(Feedback const& f, Parameters const& p, Row const& query, int position, Placed const& keys) {
    int const kv_heads = f.kv_heads == 0 ? f.heads : f.kv_heads;
    Row o;
    for (int h = 0; h < f.heads; ++h) {
        int const g = h / (f.heads / kv_heads);
        Row const q = rotated(f.rope, head_of({query}, h, f.heads)[0], position);
        Row z;
        for (std::size_t j = 0; j < keys.k.size(); ++j)
            z.push_back(dot(q, rotated(f.rope, head_of({keys.k[j]}, g, kv_heads)[0], keys.positions[j])) *
                        constant(1 / std::sqrt(double(q.size()))));
        Rows const v = head_of(keys.v, g, kv_heads);
        Row const mixed = weighted_sum(softmax(z), v, v.at(0).size());
        o.insert(o.end(), mixed.begin(), mixed.end());
    }
    return linear(p.child("attn").child("o"), o);
}

inline void append(Placed& keys, Placed const& more, std::size_t count) {
    for (std::size_t j = 0; j < count; ++j) {
        keys.k.push_back(more.k[j]);
        keys.v.push_back(more.v[j]);
        keys.positions.push_back(more.positions[j]);
    }
}

// x + SwiGLU(norm(x)).
inline Row fed_forward(Parameters const& p, Row const& x) {
    Row const n = normed_by(p.child("ff_norm"), x);
    Row hidden = linear(p.child("ff").child("gate"), n);
    Row const up = linear(p.child("ff").child("up"), n);
    for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = silu(hidden[i]) * up.at(i);
    Row y = linear(p.child("ff").child("down"), hidden);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[i];
    return y;
}

inline Row sum_of(Row a, Row const& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b.at(i);
    return a;
}

} // namespace detail

// The layer over x, from F = memory on; F is left as the last whole block made it. Of a block that starts at
// position s, the F before is placed at s - n, ..., s - 1, and the F that it makes asks from the block's end.
inline Rows with_feedback(Feedback const& f, Parameters const& p, Rows const& x, Rows& memory) {
    std::size_t const B = static_cast<std::size_t>(f.block), n = memory.size();
    std::vector<detail::Placed> blocks;
    Rows y;
    for (std::size_t start = 0; start < x.size(); start += B) {
        std::size_t const count = std::min(B, x.size() - start);
        int const position = static_cast<int>(start), length = static_cast<int>(n);
        Rows const own(x.begin() + std::ptrdiff_t(start), x.begin() + std::ptrdiff_t(start + count));
        blocks.push_back(detail::placed(p, own, position));
        detail::Placed const& tokens = blocks.back();
        detail::Placed const feedback = detail::placed(p, memory, position - length);
        std::size_t const tau = blocks.size() - 1, before = static_cast<std::size_t>(f.segments);
        for (std::size_t t = 0; t < count; ++t) {
            detail::Placed keys;
            append(keys, feedback, n);
            for (std::size_t b = tau > before ? tau - before : 0; b < tau; ++b) append(keys, blocks[b], B);
            append(keys, tokens, t + 1);
            Row const a = detail::asked(f, p, tokens.q[t], tokens.positions[t], keys);
            y.push_back(detail::fed_forward(p, detail::sum_of(a, own[t])));
        }
        if (count < B) break;
        detail::Placed keys;
        append(keys, feedback, n);
        append(keys, tokens, B);
        Rows made;
        for (std::size_t r = 0; r < n; ++r) {
            int const place = position + f.block - length + static_cast<int>(r);
            Row const a = detail::asked(f, p, feedback.q[r], place, keys);
            made.push_back(detail::fed_forward(p, tau == 0 ? a : detail::sum_of(a, memory[r])));
            if (f.norm_rows)
                made.back() = rms_normed(made.back(), 1e-6, Row(made.back().size(), constant(1)));
        }
        memory = made;
    }
    return y;
}

// The prompt of the next layer: this layer over the prompt, all of which sees all.
inline Rows prompt_behind(Feedback const& f, Parameters const& p, Rows const& prompt) {
    detail::Placed const rows = detail::placed(p, prompt, 0);
    Rows y;
    for (std::size_t r = 0; r < prompt.size(); ++r) {
        Row const a = detail::asked(f, p, rows.q[r], rows.positions[r], rows);
        y.push_back(detail::fed_forward(p, detail::sum_of(a, prompt[r])));
    }
    return y;
}

// `layers` of them: their parameters are 0, 1, ..., fam is beside.
inline Block feedback_stack(Feedback const& f, int layers) {
    return block_of([=](Parameters const& p, Rows x) {
        Rows prompt = p.has("fam") ? exactly(rows_of(p["fam"])) : Rows();
        for (int layer = 0; layer < layers; ++layer) {
            Parameters const own = p.child(std::to_string(layer));
            Rows memory = prompt;
            x = with_feedback(f, own, x, memory);
            prompt = prompt_behind(f, own, prompt);
        }
        return x;
    });
}

} // namespace reference
