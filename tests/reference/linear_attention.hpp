// SPDX-License-Identifier: BSD-3-Clause
// Linear attention and its gated family, token by token:
//
//     S' = diag(a) S, u = beta (v - delta k S'), S = S' + k^T u, o = scale q S
//
// Parameters. Matrices are [out, in] as PyTorch's Linear has them, and a bias [1, out] beside any of them is
// added: q [H dk, D], k [Hkv dk, D], v [Hkv dv, D], o [D, H dv]; what an option adds is said beside it. A
// matrix "a" may be two, "a.0" [r, D] and "a.1" [., r].
#pragma once

#include "attention.hpp"
#include "conv.hpp"
#include "feature_map.hpp"

namespace reference {

using State = Rows; // [dk][dv]

// A token of the family. decay: factors in (0, 1], one for each row of S.
struct Written {
    Row k, v, decay;
    Rounded beta = 1.0;
    bool delta = false;
};

inline Row read(Row const& q, State const& S) { return weighted_sum(q, S, S.at(0).size()); }

inline void write(State& S, Written const& w) {
    for (std::size_t d = 0; d < S.size(); ++d)
        for (Rounded& s : S[d]) s = w.decay.at(d) * s;
    Row const held = read(w.k, S);
    for (std::size_t c = 0; c < w.v.size(); ++c) {
        Rounded const u = w.beta * (w.delta ? w.v[c] - held[c] : w.v[c]);
        for (std::size_t d = 0; d < S.size(); ++d) S[d][c] += w.k.at(d) * u;
    }
}

enum class Decay {
    none,
    retention, // 1 - 2^(-5 - h)
    softplus,  // exp(-e^A_log softplus(a + dt_bias)): a [H, D] or [H dk, D]; A_log [1, H]; dt_bias like a's
               // rows
    logistic,  // sigmoid(a)^(1/16): a [H dk, D]
    ssd        // exp(-e^A_log Delta), Delta = softplus(dt + dt_bias), v is Delta v, o is o + skip v, scale is
               // 1 as a rule: dt [H, D]; A_log, dt_bias, skip [1, H]
};
enum class HeadNorm { none, rms, layer };  // norm.weight [1, dv], and norm.bias for layer
enum class GateBy { none, sigmoid, silu }; // gate [H dv, D]

struct LinearAttention {
    int heads = 1;
    int kv_heads = 0; // 0: as many
    int groups = 0;   // heads of q and k, where several heads read one of both; 0: as many as heads
    FeatureMap map = FeatureMap::identity; // its parameters: q_map, k_map
    double cosine_end = 1024;              // cosformer's M
    bool normalise = false;                // by q (sum of k) + eps
    double eps = 1e-6;                     // of that sum
    double scale = 0;                      // 0: 1 / sqrt(dk), behind the map
    bool bidirectional = false;            // all tokens are written before the first is read
    Decay decay = Decay::none;
    bool beta = false; // sigmoid(beta), beta [H, D]
    double beta_times = 1;
    bool delta = false;
    bool unit = false;     // q and k are l2 normed
    int conv = 0;          // its width: q_conv, k_conv, v_conv
    bool conv_silu = true; // silu behind it
    Taps taps = Taps::torch;
    Rope rope = {};
    int position = 0;
    HeadNorm norm = HeadNorm::none;
    double norm_eps = 1e-6;
    GateBy gate = GateBy::none;      // behind the norm
    std::vector<int> documents = {}; // the state is zero where the id changes
};

namespace detail {

inline Row chained(Parameters const& p, Row const& x) {
    return p.has("weight") ? linear(p, x) : linear(p.child("1"), linear(p.child("0"), x));
}

// What the parameter `name` makes of all tokens, convolved.
inline Rows projected(LinearAttention const& a, Parameters const& p, std::string const& name, Rows const& x) {
    Rows y;
    for (Row const& token : x) y.push_back(chained(p.child(name), token));
    if (a.conv == 0) return y;
    y = depthwise(p.child(name + "_conv"), y, a.taps);
    for (Row& token : y)
        for (Rounded& v : token) v = a.conv_silu ? silu(v) : v;
    return y;
}

inline Row features(LinearAttention const& a, Parameters const& map, Row x, std::size_t head, int position) {
    if (a.unit) x = l2_normed(x);
    return mapped(a.map, map, rotated(a.rope, x, position), head, position, a.cosine_end);
}

inline Row decay_of(LinearAttention const& a, Parameters const& p, Row const& x, std::size_t h,
                    std::size_t dk) {
    if (a.decay == Decay::none) return Row(dk, 1.0);
    if (a.decay == Decay::retention) return Row(dk, constant(1 - std::pow(2.0, -5.0 - double(h))));
    Row const pre = chained(p.child(a.decay == Decay::ssd ? "dt" : "a"), x);
    bool const by_channel = pre.size() != static_cast<std::size_t>(a.heads);
    Row decay;
    for (std::size_t d = 0; d < dk; ++d) {
        std::size_t const at = by_channel ? h * dk + d : h;
        if (a.decay == Decay::logistic) decay.push_back(exp(-softplus(-pre.at(at)) / 16.0));
        else
            decay.push_back(
                exp(-exp(row_of(p, "A_log").at(h)) * softplus(pre.at(at) + row_of(p, "dt_bias").at(at))));
    }
    return decay;
}

inline Rounded delta_t(Parameters const& p, Row const& x, std::size_t h) {
    return softplus(chained(p.child("dt"), x).at(h) + row_of(p, "dt_bias").at(h));
}

inline Row head_normed(LinearAttention const& a, Parameters const& p, Row o) {
    if (a.norm == HeadNorm::rms) return rms_normed(o, a.norm_eps, row_of(p, "norm.weight"));
    if (a.norm == HeadNorm::layer) {
        o = layer_normed(o, a.norm_eps);
        for (std::size_t c = 0; c < o.size(); ++c)
            o[c] = total({row_of(p, "norm.weight").at(c) * o[c], row_of(p, "norm.bias").at(c)});
    }
    return o;
}

inline Row gated(LinearAttention const& a, Parameters const& p, Row const& x, Row o) {
    if (a.gate == GateBy::none) return o;
    Row const gates = chained(p.child("gate"), x);
    for (std::size_t c = 0; c < o.size(); ++c)
        o[c] = o[c] * (a.gate == GateBy::silu ? silu(gates.at(c)) : sigmoid(gates.at(c)));
    return o;
}

// One head's tokens as they are read and written.
struct HeadTokens {
    Rows q;
    std::vector<Written> w;
};

inline Rows recurrence(LinearAttention const& a, HeadTokens const& tokens) {
    State S;
    Row sum;
    Rows o;
    auto const starts = [&](std::size_t t) {
        return t == 0 || (!a.documents.empty() && a.documents.at(t) != a.documents[t - 1]);
    };
    auto const put = [&](std::size_t t) {
        Written const& w = tokens.w[t];
        if (starts(t)) S = State(w.k.size(), Row(w.v.size())), sum = Row(w.k.size());
        write(S, w);
        for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += w.k[d];
    };
    if (a.bidirectional)
        for (std::size_t t = 0; t < tokens.w.size(); ++t) put(t);
    for (std::size_t t = 0; t < tokens.w.size(); ++t) {
        if (!a.bidirectional) put(t);
        double const width = static_cast<double>(tokens.q[t].size());
        Row q = tokens.q[t];
        for (Rounded& v : q) v = v * constant(a.scale > 0 ? a.scale : 1 / std::sqrt(width));
        o.push_back(read(q, S));
        if (!a.normalise) continue;
        Rounded const n = total({dot(q, sum), constant(a.eps)});
        for (Rounded& v : o.back()) v = v / n;
    }
    return o;
}

} // namespace detail

inline Rows linearly_attended(LinearAttention const& a, Parameters const& p, Rows const& x) {
    int const shared = a.groups > 0 ? a.groups : a.heads;
    int const k_heads = a.kv_heads > 0 ? a.kv_heads : shared, v_heads = a.kv_heads > 0 ? a.kv_heads : a.heads;
    Rows const q = detail::projected(a, p, "q", x), k = detail::projected(a, p, "k", x),
               v = detail::projected(a, p, "v", x);
    Rows o(x.size());
    for (int h = 0; h < a.heads; ++h) {
        std::size_t const head = static_cast<std::size_t>(h);
        Rows const qs = head_of(q, h * shared / a.heads, shared),
                   ks = head_of(k, h * k_heads / a.heads, k_heads),
                   vs = head_of(v, h * v_heads / a.heads, v_heads);
        detail::HeadTokens tokens;
        for (std::size_t t = 0; t < x.size(); ++t) {
            int const position = a.position + static_cast<int>(t);
            tokens.q.push_back(detail::features(a, p.child("q_map"), qs[t], head, position));
            Written w{detail::features(a, p.child("k_map"), ks[t], head, position), vs[t], {}, 1.0, a.delta};
            w.decay = detail::decay_of(a, p, x[t], head, w.k.size());
            if (a.beta) w.beta = a.beta_times * sigmoid(linear(p.child("beta"), x[t]).at(head));
            if (a.decay == Decay::ssd)
                for (Rounded& c : w.v) c = c * detail::delta_t(p, x[t], head);
            tokens.w.push_back(w);
        }
        Rows const mixed = detail::recurrence(a, tokens);
        for (std::size_t t = 0; t < x.size(); ++t) {
            Row out = mixed[t];
            if (a.decay == Decay::ssd)
                for (std::size_t c = 0; c < out.size(); ++c) out[c] += row_of(p, "skip").at(head) * vs[t][c];
            out = detail::head_normed(a, p, out);
            o[t].insert(o[t].end(), out.begin(), out.end());
        }
    }
    for (std::size_t t = 0; t < x.size(); ++t) o[t] = detail::gated(a, p, x[t], o[t]);
    return linear(p.child("o"), o);
}

inline Block linear_attention(LinearAttention const& a = {}) {
    return block_of([a](Parameters const& p, Rows const& x) { return linearly_attended(a, p, x); });
}

} // namespace reference
