// SPDX-License-Identifier: BSD-3-Clause
// Rows of codes under an exchange: id m K + c gives sum over k of P_m(c, k) weight[m K + k], P_m from
// exp(permutation / temperature) by dividing rows, then columns, by their sums, so many times.
#pragma once

#include "rounded.hpp"

namespace reference {

inline Block aligned_codes(std::size_t codes, double temperature, int rounds) {
    return [=](Parameters const& p, Sequence const& ids) {
        Sequence const weight = rows_of(p["weight"]), permutation = rows_of(p["permutation"]);
        Result y;
        for (auto const& token : ids) {
            auto const id = static_cast<std::size_t>(token.at(0)), group = id / codes * codes;
            Sequence share(codes, std::vector<double>(codes));
            double largest = 0; // of the logarithms, whose error is one of the shares
            for (std::size_t i = 0; i < codes; ++i)
                for (std::size_t j = 0; j < codes; ++j) {
                    double const r = permutation.at(group + i).at(j) / temperature;
                    share[i][j] = std::exp(r), largest = std::fmax(largest, std::abs(r));
                }
            for (int n = 0; n < rounds; ++n) {
                for (auto& row : share) {
                    double sum = 0;
                    for (double v : row) sum += v;
                    for (double& v : row) v /= sum;
                }
                for (std::size_t j = 0; j < codes; ++j) {
                    double sum = 0;
                    for (auto const& row : share) sum += row[j];
                    for (auto& row : share) row[j] /= sum;
                }
            }
            std::vector<double> value(weight[0].size()), magnitude = value;
            for (std::size_t k = 0; k < codes; ++k)
                for (std::size_t i = 0; i < value.size(); ++i) {
                    double const term = share[id - group][k] * weight[group + k][i];
                    value[i] += term;
                    magnitude[i] += (2 + 2 * largest + rounds) * std::abs(term);
                }
            y.value.push_back(value), y.magnitude.push_back(magnitude);
        }
        return y;
    };
}

} // namespace reference
