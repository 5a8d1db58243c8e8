// SPDX-License-Identifier: BSD-3-Clause
// A sequence becomes one vector. The width is given because an empty sequence does not know it: its pools are
// zero.
#pragma once

#include "reference.hpp"

namespace reference {

inline Block mean_pool(int width) {
    return [width](Parameters const&, Sequence const& x) {
        std::vector<double> value(static_cast<std::size_t>(width)), magnitude = value;
        for (auto const& token : x)
            for (std::size_t i = 0; i < value.size(); ++i) {
                value[i] += token.at(i) / static_cast<double>(x.size());
                magnitude[i] += std::abs(token[i]) / static_cast<double>(x.size());
            }
        return Result{{value}, {magnitude}};
    };
}

inline Block max_pool(int width) {
    return [width](Parameters const&, Sequence const& x) {
        std::vector<double> value(static_cast<std::size_t>(width));
        for (std::size_t t = 0; t < x.size(); ++t)
            for (std::size_t i = 0; i < value.size(); ++i)
                if (t == 0 || x[t].at(i) > value[i]) value[i] = x[t].at(i);
        return Result{{value}, absolute({value})};
    };
}

inline Block last(int width) {
    return [width](Parameters const&, Sequence const& x) {
        std::vector<double> const value =
            x.empty() ? std::vector<double>(static_cast<std::size_t>(width)) : x.back();
        return Result{{value}, absolute({value})};
    };
}

// Token after token, zero past the length, up to the capacity.
inline Block flatten(int capacity, int width) {
    return [capacity, width](Parameters const&, Sequence const& x) {
        std::vector<double> value;
        for (int t = 0; t < capacity; ++t)
            for (int i = 0; i < width; ++i) {
                auto const token = static_cast<std::size_t>(t);
                value.push_back(token < x.size() ? x[token].at(static_cast<std::size_t>(i)) : 0.0);
            }
        return Result{{value}, absolute({value})};
    };
}

} // namespace reference
