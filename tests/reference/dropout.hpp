// SPDX-License-Identifier: BSD-3-Clause
// y = x m / (1 - p) for a mask of zeros and ones; where the mask comes from is the library's choice.
#pragma once

#include "reference.hpp"

namespace reference {

inline Result dropout(Sequence const& x, Sequence const& mask, double p) {
    Sequence y = x;
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i) y[t][i] = x[t][i] * mask.at(t).at(i) / (1 - p);
    return {y, absolute(y)};
}

} // namespace reference
