// SPDX-License-Identifier: BSD-3-Clause
// Positions added to tokens, and tokens mixed with the one before.
#pragma once

#include "rounded.hpp"

namespace reference {

// Row t of a learned table, added to token t.
inline Result learned_positions(Parameters const& p, Sequence const& x) {
    return block_of([](Parameters const& q, Rows const& tokens) {
        Rows y;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            Row row;
            for (std::size_t i = 0; i < tokens[t].size(); ++i)
                row.push_back(tokens[t][i] + constant(q["weight"](static_cast<int>(t), static_cast<int>(i))));
            y.push_back(row);
        }
        return y;
    })(p, x);
}

// PE(t, 2i) = sin(t / 10000^(2i/D)), PE(t, 2i + 1) = cos of the same.
inline Result sinusoidal_positions(Parameters const& p, Sequence const& x) {
    return block_of([](Parameters const&, Rows const& tokens) {
        Rows y;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            Row row;
            double const d = static_cast<double>(tokens[t].size());
            for (std::size_t i = 0; i < tokens[t].size(); ++i) {
                double const angle = double(t) / std::pow(10000.0, double(i / 2 * 2) / d);
                row.push_back(tokens[t][i] + constant(i % 2 == 0 ? std::sin(angle) : std::cos(angle)));
            }
            y.push_back(row);
        }
        return y;
    })(p, x);
}

// mu x_{t-1} + (1 - mu) x_t.
inline Result token_shift(Parameters const& p, Sequence const& x) {
    return block_of([](Parameters const& q, Rows const& tokens) {
        Row const mu = row_of(q, "weight");
        Rows y;
        for (std::size_t t = 0; t < tokens.size(); ++t) {
            Row row;
            for (std::size_t i = 0; i < mu.size(); ++i) {
                Rounded const before = t > 0 ? tokens[t - 1][i] : Rounded(0.0);
                row.push_back(mu[i] * before + (Rounded(1.0) - mu[i]) * tokens[t][i]);
            }
            y.push_back(row);
        }
        return y;
    })(p, x);
}

} // namespace reference
