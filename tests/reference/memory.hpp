// SPDX-License-Identifier: BSD-3-Clause
// A memory that learns while it reads (Titans), token by token as it is defined:
//
//     S_t = eta S_{t-1} - theta grad l(M_c; k, v), M_t = (1 - alpha) M_{t-1} + S_t, o_t = M_t(q)
//
// with l = c / 2 |M(k) - v|^2 and M_c the memory at the start of the chunk that t is in.
//
// Parameters. As those of linear attention: q, k [H dk, D], v [H dv, D], o [D, H dv], q_conv and so on. Gates
// alpha, eta, theta [H, D]. The memory at the start: memory.0 [H dk, d_1], memory.1 [H d_1, d_2], ...: z = a
// W, head below head.
#pragma once

#include "linear_attention.hpp"

namespace reference {

enum class Read { post, pre, chunk }; // by M_t, by M_{t-1}, by the memory at the start of the chunk
enum class Inner { silu, gelu };

struct Memory {
    int heads = 1;
    int layers = 1;
    int chunk = 1;
    Read read = Read::post;
    Inner activation = Inner::silu;
    bool residual = false;   // M(k) = k + f(k)
    bool layer_norm = false; // M(k) = k + weight LN(f(k)) + bias: inner_norm.weight, inner_norm.bias [H dv]
    double inner_eps = 1e-5; // of that norm
    double loss_scale = 1;   // c
    double limit = 0;        // gradients of norm n are divided by sqrt(1 + n^2 / limit^2); 0: they are not
    double theta_max = 1;    // theta = theta_max sigmoid(.)
    bool forgets = true;     // else alpha = 0
    bool momentum = true;    // else eta = 0
    bool starts_at_zero = false; // no memory.0, ...: zeros
    int inner_width = 0;         // of the hidden layers that start at zero
    bool unit = true;            // q and k are l2 normed
    int conv = 0;
    bool conv_silu = true;
    Taps taps = Taps::torch;
    HeadNorm norm = HeadNorm::none;
    double norm_eps = 1e-6;
    GateBy gate = GateBy::none;
    int persistent = 0; // persistent [n, D]: tokens before the first, whose outputs are dropped
};

// One head's.
class HeadMemory {
public:
    std::vector<Rows> M, S, start_of_chunk; // a matrix [d_{l-1}][d_l] for each layer

    HeadMemory(Memory const& m, Parameters const& p, std::size_t h, std::size_t dk, std::size_t dv) : m_(m) {
        for (int l = 0; l < m.layers; ++l) {
            std::string const name = "memory." + std::to_string(l);
            Rows W;
            if (m.starts_at_zero) {
                std::size_t const hidden = static_cast<std::size_t>(m.inner_width);
                W = Rows(l == 0 ? dk : hidden, Row(l + 1 == m.layers ? dv : hidden));
            } else {
                std::size_t const in = static_cast<std::size_t>(p[name].rows / m.heads);
                for (std::size_t r = 0; r < in; ++r) W.push_back(row_of(p, name, h * in + r));
            }
            M.push_back(W);
            S.emplace_back(W.size(), Row(W.at(0).size()));
        }
        start_of_chunk = M;
        if (m.layer_norm) {
            weight_ = part(row_of(p, "inner_norm.weight"), h * dv, dv);
            bias_ = part(row_of(p, "inner_norm.bias"), h * dv, dv);
        }
    }

    Row read(std::vector<Rows> const& W, Row const& q) const { return wrapped(q, passed(W, q).output); }

    // d l / d W at the start of the chunk.
    std::vector<Rows> gradient(Row const& k, Row const& v) const {
        Pass const pass = passed(start_of_chunk, k);
        Row error = wrapped(k, pass.output);
        for (std::size_t c = 0; c < error.size(); ++c)
            error[c] = (error[c] - v.at(c)) * constant(m_.loss_scale);
        if (m_.layer_norm) error = behind_norm(pass.output, error);
        std::vector<Rows> slopes(M.size());
        for (std::size_t l = M.size(); l-- > 0;) {
            for (Rounded const& a : pass.inputs[l]) {
                Row row;
                for (Rounded const& e : error) row.push_back(a * e);
                slopes[l].push_back(row);
            }
            if (l == 0) break;
            Row below;
            for (std::size_t i = 0; i < pass.inputs[l].size(); ++i)
                below.push_back(dot(start_of_chunk[l][i], error) * slope(pass.sums[l - 1][i]));
            error = below;
        }
        return slopes;
    }

    void update(Row const& k, Row const& v, Rounded alpha, Rounded eta, Rounded theta) {
        std::vector<Rows> const g = gradient(k, v);
        if (m_.limit > 0) {
            std::vector<Rounded> squares{constant(1)};
            for (Rows const& layer : g)
                for (Row const& row : layer)
                    for (Rounded const& x : row) squares.push_back(x * x * constant(1 / m_.limit / m_.limit));
            theta = theta / sqrt(total(squares));
        }
        for (std::size_t l = 0; l < M.size(); ++l)
            for (std::size_t i = 0; i < M[l].size(); ++i)
                for (std::size_t j = 0; j < M[l][i].size(); ++j) {
                    S[l][i][j] = eta * S[l][i][j] - theta * g[l][i][j];
                    M[l][i][j] = (1.0 - alpha) * M[l][i][j] + S[l][i][j];
                }
    }

private:
    struct Pass {
        std::vector<Row> inputs, sums; // of each layer
        Row output;
    };
    Memory const& m_;
    Row weight_, bias_;

    Rounded activated(Rounded z) const { return m_.activation == Inner::silu ? silu(z) : gelu(z); }
    Rounded slope(Rounded z) const {
        if (m_.activation == Inner::silu) {
            Rounded const s = sigmoid(z);
            return s * (1.0 + z * (1.0 - s));
        }
        double const density = std::exp(-z.value * z.value / 2) / std::sqrt(2 * std::acos(-1.0));
        return at(z, {0.5 * std::erfc(-z.value / std::sqrt(2.0)) + z.value * density,
                      density * (2 - z.value * z.value)});
    }
    Pass passed(std::vector<Rows> const& W, Row x) const {
        Pass pass;
        for (std::size_t l = 0; l < W.size(); ++l) {
            pass.inputs.push_back(x);
            pass.sums.push_back(weighted_sum(x, W[l], W[l].at(0).size()));
            x = pass.sums.back();
            if (l + 1 < W.size())
                for (Rounded& v : x) v = activated(v);
        }
        pass.output = x;
        return pass;
    }
    Row wrapped(Row const& x, Row y) const {
        if (m_.layer_norm) {
            y = layer_normed(y, m_.inner_eps);
            for (std::size_t c = 0; c < y.size(); ++c) y[c] = total({weight_.at(c) * y[c], bias_.at(c)});
        }
        if (m_.residual || m_.layer_norm)
            for (std::size_t c = 0; c < y.size(); ++c) y[c] += x.at(c);
        return y;
    }
    // Through y = weight (z - mean) / deviation: (g - mean(g) - hat mean(g hat)) / deviation, g = weight dy.
    Row behind_norm(Row const& z, Row const& dy) const {
        Rounded const n(static_cast<double>(z.size())), mean = total(z) / n;
        Row centred, g, dz;
        for (std::size_t c = 0; c < z.size(); ++c) {
            centred.push_back(z[c] - mean);
            g.push_back(weight_.at(c) * dy.at(c));
        }
        Rounded const deviation = sqrt(dot(centred, centred) / n + constant(m_.inner_eps));
        Row const hat = layer_normed(z, m_.inner_eps);
        for (std::size_t c = 0; c < z.size(); ++c)
            dz.push_back((g[c] - total(g) / n - hat[c] * (dot(g, hat) / n)) / deviation);
        return dz;
    }
};

namespace detail {

// Everything of the block that is not the memory itself is as in linear attention.
inline LinearAttention around(Memory const& m) {
    LinearAttention a;
    a.heads = m.heads, a.unit = m.unit, a.conv = m.conv, a.conv_silu = m.conv_silu, a.taps = m.taps;
    a.norm = m.norm, a.norm_eps = m.norm_eps, a.gate = m.gate;
    return a;
}

} // namespace detail

// The memory over a stream of tokens, some at a time.
class MemoryStream {
public:
    MemoryStream(Memory const& m, Parameters const& p) : m_(m), p_(p) {}

    // Takes the token behind those before, and answers it.
    Row step(Row const& token) {
        tokens_.push_back(token);
        Row o;
        Row const q = last("q", tokens_), k = last("k", tokens_), v = last("v", tokens_);
        for (std::size_t h = 0; h < heads(); ++h) {
            HeadMemory& memory = of_head(h, k.size() / heads(), v.size() / heads());
            if ((tokens_.size() - 1) % static_cast<std::size_t>(m_.chunk) == 0)
                memory.start_of_chunk = memory.M;
            std::vector<Rows> const before = memory.M;
            memory.update(key(k, h), share(v, h), m_.forgets ? gate("alpha", token, h) : 0.0,
                          m_.momentum ? gate("eta", token, h) : 0.0, m_.theta_max * gate("theta", token, h));
            Row const read = memory.read(m_.read == Read::post  ? memory.M
                                         : m_.read == Read::pre ? before
                                                                : memory.start_of_chunk,
                                         key(q, h));
            o.insert(o.end(), read.begin(), read.end());
        }
        return finished(token, o);
    }

    // What the memory as it is answers to the last of these tokens: it does not learn it.
    Row ask(Rows const& tokens) {
        Row const q = last("q", tokens), v = last("v", tokens);
        Row o;
        for (std::size_t h = 0; h < heads(); ++h) {
            HeadMemory const& memory = of_head(h, q.size() / heads(), v.size() / heads());
            Row const read = memory.read(memory.M, key(q, h));
            o.insert(o.end(), read.begin(), read.end());
        }
        return finished(tokens.back(), o);
    }

    std::vector<HeadMemory> const& memories() const { return memories_; }

private:
    Memory const& m_;
    Parameters const& p_;
    Rows tokens_;
    std::vector<HeadMemory> memories_;

    std::size_t heads() const { return static_cast<std::size_t>(m_.heads); }
    HeadMemory& of_head(std::size_t h, std::size_t dk, std::size_t dv) {
        while (memories_.size() <= h) memories_.emplace_back(m_, p_, memories_.size(), dk, dv);
        return memories_[h];
    }
    Row last(std::string const& name, Rows const& tokens) const {
        return detail::projected(detail::around(m_), p_, name, tokens).back();
    }
    Row share(Row const& x, std::size_t h) const {
        return part(x, h * (x.size() / heads()), x.size() / heads());
    }
    Row key(Row const& x, std::size_t h) const { return m_.unit ? l2_normed(share(x, h)) : share(x, h); }
    Rounded gate(std::string const& name, Row const& token, std::size_t h) const {
        return sigmoid(linear(p_.child(name), token).at(h));
    }
    Row finished(Row const& token, Row const& o) const {
        LinearAttention const a = detail::around(m_);
        Row normed;
        for (std::size_t h = 0; h < heads(); ++h) {
            Row const head = detail::head_normed(a, p_, share(o, h));
            normed.insert(normed.end(), head.begin(), head.end());
        }
        return linear(p_.child("o"), detail::gated(a, p_, token, normed));
    }
};

inline Rows with_persistent(Parameters const& p, int n, Rows const& x) {
    Rows all;
    for (int i = 0; i < n; ++i) all.push_back(row_of(p, "persistent", static_cast<std::size_t>(i)));
    all.insert(all.end(), x.begin(), x.end());
    return all;
}

inline Rows remembered(Memory const& m, Parameters const& p, Rows const& x) {
    MemoryStream stream(m, p);
    Rows y;
    for (Row const& token : with_persistent(p, m.persistent, x)) y.push_back(stream.step(token));
    y.erase(y.begin(), y.begin() + m.persistent);
    return y;
}

inline Block memory(Memory const& m = {}) {
    return block_of([m](Parameters const& p, Rows const& x) { return remembered(m, p, x); });
}

} // namespace reference
