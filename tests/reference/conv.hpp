// SPDX-License-Identifier: BSD-3-Clause
// Convolutions that read the past: x before the first token is zero.
#pragma once

#include "rounded.hpp"

namespace reference {

// How the taps of a depthwise convolution lie: [w, C] with tap i for x_{t-i}, or [C, w] as PyTorch's Conv1d
// has them (without the 1), with the last tap for x_t.
enum class Taps { newest_first, torch };

// y_t = b + sum_i c_i * x_{t - i dilation}, channel by channel.
inline Rows depthwise(Parameters const& p, Rows const& x, Taps taps = Taps::newest_first, int dilation = 1) {
    Sequence c = rows_of(p["weight"]);
    if (taps == Taps::torch) {
        Sequence turned(c.at(0).size(), std::vector<double>(c.size()));
        for (std::size_t channel = 0; channel < c.size(); ++channel)
            for (std::size_t i = 0; i < turned.size(); ++i)
                turned[turned.size() - 1 - i][channel] = c[channel].at(i);
        c = turned;
    }
    std::size_t const stride = static_cast<std::size_t>(dilation);
    Rows y;
    for (std::size_t t = 0; t < x.size(); ++t) {
        Row row;
        for (std::size_t channel = 0; channel < x[t].size(); ++channel) {
            Row weights, tokens;
            for (std::size_t i = 0; i < c.size() && i * stride <= t; ++i) {
                weights.push_back(c[i].at(channel));
                tokens.push_back(x[t - i * stride][channel]);
            }
            if (p.has("bias")) weights.push_back(row_of(p, "bias").at(channel)), tokens.push_back(1.0);
            row.push_back(dot(weights, tokens));
        }
        y.push_back(row);
    }
    return y;
}

inline Block causal_depthwise_conv(Taps taps = Taps::newest_first, int dilation = 1) {
    return block_of([=](Parameters const& p, Rows const& x) { return depthwise(p, x, taps, dilation); });
}

// All channels of the last w tokens. PyTorch's Conv1d on a sequence padded on the left: weight [O, D w],
// where channel d of x_{t - (w - 1 - i) dilation} is column d w + i.
inline Block causal_conv(int width, int dilation = 1) {
    return block_of([=](Parameters const& p, Rows const& x) {
        std::size_t const taps = static_cast<std::size_t>(width), stride = static_cast<std::size_t>(dilation);
        Rows y;
        for (std::size_t t = 0; t < x.size(); ++t) {
            Row seen;
            for (std::size_t d = 0; d < x[t].size(); ++d)
                for (std::size_t i = 0; i < taps; ++i) {
                    std::size_t const back = (taps - 1 - i) * stride;
                    seen.push_back(back <= t ? x[t - back][d] : 0.0);
                }
            y.push_back(linear(p, seen));
        }
        return y;
    });
}

// y_t = x_t + mix * (x_{t-1} - x_t).
inline Result token_shift(Parameters const& p, Sequence const& x) {
    Rows const rows = exactly(x);
    Row const mix = row_of(p, "mix");
    Rows y;
    for (std::size_t t = 0; t < rows.size(); ++t) {
        Row row;
        for (std::size_t c = 0; c < rows[t].size(); ++c) {
            Rounded const before = t > 0 ? rows[t - 1][c] : constant(0);
            row.push_back(total({rows[t][c], mix.at(c) * before, -(mix.at(c) * rows[t][c])}));
        }
        y.push_back(row);
    }
    return result_of(y);
}

} // namespace reference
