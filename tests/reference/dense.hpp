// SPDX-License-Identifier: BSD-3-Clause
// y = x W^T + b. weight [out, in], bias [1, out] if there is one.
#pragma once

#include "reference.hpp"

namespace reference {

inline Result dense(Parameters const& p, Sequence const& x) {
    Sequence const w = rows_of(p["weight"]);
    Result y;
    for (auto const& token : x) {
        std::vector<double> value, magnitude;
        for (std::size_t o = 0; o < w.size(); ++o) {
            if (w[o].size() != token.size())
                throw std::invalid_argument("reference: dense got another width");
            double const b = p.has("bias") ? p["bias"](0, static_cast<int>(o)) : 0.0;
            double sum = b, terms = std::abs(b);
            for (std::size_t i = 0; i < token.size(); ++i) {
                sum += w[o][i] * token[i];
                terms += std::abs(w[o][i] * token[i]);
            }
            value.push_back(sum);
            magnitude.push_back(terms);
        }
        y.value.push_back(value);
        y.magnitude.push_back(magnitude);
    }
    return y;
}

} // namespace reference
