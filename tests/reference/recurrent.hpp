// SPDX-License-Identifier: BSD-3-Clause
// PyTorch's GRU and LSTM, from a zero state. weight_ih [gates H, D], weight_hh [gates H, H], and bias_ih,
// bias_hh [1, gates H] if there are any.
#pragma once

#include "rounded.hpp"

namespace reference {

namespace detail {

// W x + b of "weight_ih" and "bias_ih", say.
inline Row gates_of(Parameters const& p, std::string const& which, Row const& x) {
    Parameters own;
    own.by_name["weight"] = p["weight_" + which];
    if (p.has("bias_" + which)) own.by_name["bias"] = p["bias_" + which];
    return linear(own, x);
}

} // namespace detail

// r, z, n: h = (1 - z) n + z h, n = tanh(W_n x + b + r (U_n h + c)).
inline Result gru(Parameters const& p, Sequence const& x) {
    std::size_t const H = static_cast<std::size_t>(p["weight_hh"].cols);
    Tape::Scope const scope;
    Row h(H);
    Rows y;
    for (auto const& token : x) {
        Row const a = detail::gates_of(p, "ih", exactly(token)), b = detail::gates_of(p, "hh", h);
        for (std::size_t i = 0; i < H; ++i) {
            Rounded const r = sigmoid(a.at(i) + b.at(i)), z = sigmoid(a.at(H + i) + b.at(H + i));
            Rounded const n = tanh(a.at(2 * H + i) + r * b.at(2 * H + i));
            h[i] = (1.0 - z) * n + z * h[i];
        }
        y.push_back(h);
    }
    return result_of(y);
}

// i, f, g, o: c = f c + i g, h = o tanh(c).
inline Result lstm(Parameters const& p, Sequence const& x) {
    std::size_t const H = static_cast<std::size_t>(p["weight_hh"].cols);
    Tape::Scope const scope;
    Row h(H), c(H);
    Rows y;
    for (auto const& token : x) {
        Row const a = detail::gates_of(p, "ih", exactly(token)), b = detail::gates_of(p, "hh", h);
        Row sum;
        for (std::size_t i = 0; i < 4 * H; ++i) sum.push_back(a.at(i) + b.at(i));
        for (std::size_t i = 0; i < H; ++i) {
            c[i] = sigmoid(sum[H + i]) * c[i] + sigmoid(sum[i]) * tanh(sum[2 * H + i]);
            h[i] = sigmoid(sum[3 * H + i]) * tanh(c[i]);
        }
        y.push_back(h);
    }
    return result_of(y);
}

} // namespace reference
