// SPDX-License-Identifier: BSD-3-Clause
// Attention to a target, mixtures for several tasks, joint logits.
#pragma once

#include "combine.hpp"

namespace reference {

// sum over j of a_j e_j, a_j = score([t, e_j, t - e_j, t e_j]).
inline Block target_attention(std::vector<double> const& t, Block score) {
    return [=](Parameters const& p, Sequence const& x) {
        Result y{{std::vector<double>(t.size())}, {std::vector<double>(t.size())}};
        for (auto const& e : x) {
            std::vector<double> pair = t, size(4 * t.size());
            pair.insert(pair.end(), e.begin(), e.end());
            for (std::size_t i = 0; i < t.size(); ++i)
                pair.push_back(t[i] - e[i]), size[2 * t.size() + i] = std::abs(t[i]) + std::abs(e[i]);
            for (std::size_t i = 0; i < t.size(); ++i) pair.push_back(t[i] * e[i]);
            Result const a = apply([&](Sequence const& z) { return score(p, z); }, {{pair}, {size}});
            for (std::size_t i = 0; i < t.size(); ++i) {
                y.value[0][i] += a.value[0][0] * e[i];
                y.magnitude[0][i] += a.magnitude[0][0] * std::abs(e[i]);
            }
        }
        return y;
    };
}

// Row k is the mixture, by softmax of its own part of the gate's logits, of the shared experts and its own.
inline Block multi_gate(std::size_t tasks, std::size_t shared, std::size_t own, Block expert) {
    return [=](Parameters const& p, Sequence const& x) {
        Result y;
        for (std::size_t k = 0; k < tasks; ++k) {
            Parameters seen;
            auto const take = [&](std::size_t as, std::size_t from) {
                for (auto const& [name, m] : p.child(std::to_string(from)).by_name)
                    seen.by_name[std::to_string(as) + "." + name] = m;
            };
            for (std::size_t e = 0; e < shared; ++e) take(e, e);
            for (std::size_t e = 0; e < own; ++e) take(shared + e, shared + k * own + e);
            std::size_t const n = shared + own;
            seen.by_name["gate.weight"] =
                matrix_of(rows_between(rows_of(p["gate.weight"]), k * n, (k + 1) * n));
            auto const bias = rows_of(p["gate.bias"]).at(0);
            seen.by_name["gate.bias"] = matrix_of(
                {{bias.begin() + std::ptrdiff_t(k * n), bias.begin() + std::ptrdiff_t((k + 1) * n)}});
            Result const row = gate(std::vector<Block>(n, expert))(seen, x);
            y.value.push_back(row.value[0]);
            y.magnitude.push_back(row.magnitude[0]);
        }
        return y;
    };
}

// A level of PLE: row k is the mixture of the shared experts and task k's own, of x's row k where x has rows;
// the last one mixes all experts, the shared ones of the last row of x. Gates stand one below the other.
inline Block extraction(std::size_t tasks, std::size_t shared, std::size_t own, bool shared_row,
                        Block expert) {
    return [=](Parameters const& p, Sequence x) {
        auto const row = [&](std::size_t k) { return Sequence{x.size() == 1 ? x[0] : x.at(k)}; };
        Sequence const weight = rows_of(p["gate.weight"]);
        auto const bias = rows_of(p["gate.bias"]).at(0);
        Result y;
        std::size_t from = 0;
        for (std::size_t k = 0; k < tasks + (shared_row ? 1 : 0); ++k) {
            std::vector<std::size_t> seen;
            for (std::size_t e = 0; e < shared; ++e) seen.push_back(e);
            for (std::size_t t = 0; t < tasks; ++t)
                for (std::size_t e = 0; e < own && (t == k || k == tasks); ++e)
                    seen.push_back(shared + t * own + e);
            std::vector<double> logits, error, share;
            for (std::size_t e = 0; e < seen.size(); ++e) {
                logits.push_back(bias.at(from + e)), error.push_back(std::abs(bias[from + e]));
                for (std::size_t i = 0; i < weight[0].size(); ++i) {
                    double const term = weight.at(from + e)[i] * row(k)[0].at(i);
                    logits.back() += term, error.back() += std::abs(term);
                }
            }
            from += seen.size();
            double sum = 0, mean_error = 0;
            for (double l : logits) sum += std::exp(l);
            for (std::size_t e = 0; e < seen.size(); ++e) {
                share.push_back(std::exp(logits[e]) / sum);
                mean_error += share[e] * error[e];
            }
            std::vector<double> value, magnitude;
            for (std::size_t e = 0; e < seen.size(); ++e) {
                std::size_t const source = seen[e] < shared ? tasks : (seen[e] - shared) / own;
                Result const z = expert(p.child(std::to_string(seen[e])), row(source));
                value.resize(z.value[0].size()), magnitude.resize(value.size());
                for (std::size_t i = 0; i < value.size(); ++i) {
                    value[i] += share[e] * z.value[0][i];
                    magnitude[i] += share[e] * (z.magnitude[0][i] +
                                                (1 + error[e] + mean_error) * std::abs(z.value[0][i]));
                }
            }
            y.value.push_back(value), y.magnitude.push_back(magnitude);
        }
        return y;
    };
}

// Row k through block k, side by side; missing rows are zeros.
inline Block per_row(std::vector<Block> blocks, std::size_t width) {
    return [=](Parameters const& p, Sequence x) {
        x.resize(blocks.size(), std::vector<double>(width));
        std::vector<Result> parts;
        for (std::size_t k = 0; k < blocks.size(); ++k)
            parts.push_back(blocks[k](p.child(std::to_string(k)), {x[k]}));
        return joined(parts);
    };
}

// The target, and behind it the rows of a history, the newest first.
inline Block target_first(std::vector<double> const& target, Block body) {
    return [=](Parameters const& p, Sequence const& x) {
        Sequence all{target};
        for (auto row = x.rbegin(); row != x.rend(); ++row) all.push_back(*row);
        return body(p, all);
    };
}

// The logits of a click, and of a click and a conversion: of the product of two probabilities.
inline Result esmm(Parameters const&, Sequence const& x) {
    double const a = x.at(0).at(0), b = x[0].at(1);
    double const p = 1 / (1 + std::exp(-a)) / (1 + std::exp(-b));
    return {{{a, std::log(p / (1 - p))}}, {{std::abs(a), std::abs(a) + std::abs(b) + 1}}};
}

} // namespace reference
