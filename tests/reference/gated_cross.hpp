// SPDX-License-Identifier: BSD-3-Clause
// y = w_0 + sum of g_q w over the crosses that fire, q the policy or, under Each, the field that a cross
// belongs to. Scores a_q are given. Threshold: g = a - clamp(a, -1/2, 1/2). Else g = n p, n of the scores
// fire and p is their softmax or sparsemax.
#pragma once

#include "cross.hpp"

#include <algorithm>

namespace reference {

enum class GateKind { threshold, softmax, sparsemax };

// Rows of the hashed table with their q, without the bias.
inline std::vector<std::pair<Fired, std::size_t>>
hashed_rows_by_group(Schema const& schema, std::vector<CrossPolicy> const& policies, std::uint64_t buckets,
                     RecordRow const& row) {
    std::vector<std::pair<Fired, std::size_t>> fired;
    std::size_t group = 0;
    std::uint64_t seed = 0;
    for (CrossPolicy const& policy : policies) {
        if (policy.fields.empty()) {
            for (std::size_t f = 0; f < schema.size(); ++f) {
                if (schema[f].ids == 0) continue;
                for (std::size_t k = 0; k < row.at(f).ids.size(); ++k)
                    if (int const id = row[f].ids[k]; id != 0)
                        fired.push_back(
                            {{1 + mulhi64(hash_of_part(f, id), buckets), value_of(row[f], k)}, group});
                ++group;
            }
            continue;
        }
        std::vector<std::size_t> const parts = parts_of(schema, policy);
        if (all_fire(parts, row)) {
            std::vector<std::uint64_t> hashes;
            for (std::size_t f : parts) hashes.push_back(hash_of_part(f, row[f].ids[0]));
            fired.push_back({{1 + mulhi64(hash_of_cross(hashes, seed), buckets)}, group});
        }
        ++group, ++seed;
    }
    return fired;
}

// By trying every size of the support, largest scores first.
inline std::vector<double> sparsemax_of(std::vector<double> const& z) {
    std::vector<double> sorted = z;
    std::sort(sorted.rbegin(), sorted.rend());
    double threshold = 0, sum = 0;
    for (std::size_t k = 0; k < sorted.size(); ++k) {
        sum += sorted[k];
        double const t = (sum - 1) / static_cast<double>(k + 1);
        if (sorted[k] > t) threshold = t;
    }
    std::vector<double> p;
    for (double v : z) p.push_back(std::fmax(v - threshold, 0.0));
    return p;
}

inline Result gates_of(GateKind kind, Result const& scores, std::vector<std::size_t> const& fired) {
    Result g{{std::vector<double>(scores.value.at(0).size())}, {}};
    g.magnitude = g.value;
    std::vector<double> z, error;
    for (std::size_t q : fired) z.push_back(scores.value[0].at(q)), error.push_back(scores.magnitude[0][q]);
    if (z.empty()) return g;
    double const n = static_cast<double>(z.size());
    double total = 0, mean = 0, average = 0;
    std::vector<double> p(z.size());
    double const top = *std::max_element(z.begin(), z.end());
    for (std::size_t i = 0; i < z.size(); ++i) total += p[i] = std::exp(z[i] - top);
    for (std::size_t i = 0; i < z.size(); ++i) p[i] /= total, mean += p[i] * error[i], average += error[i];
    if (kind == GateKind::sparsemax) p = sparsemax_of(z);
    for (std::size_t i = 0; i < z.size(); ++i) {
        double& value = g.value[0][fired[i]];
        double& magnitude = g.magnitude[0][fired[i]];
        if (kind == GateKind::threshold) {
            value = z[i] - std::clamp(z[i], -0.5, 0.5);
            magnitude = std::abs(z[i]) + error[i];
        } else {
            value = n * p[i];
            magnitude = kind == GateKind::softmax ? value * (1 + error[i] + mean)
                                                  : n * (std::abs(z[i]) + error[i] + average + 1);
        }
    }
    return g;
}

inline Result cross_gated(Parameters const& p, Schema const& schema, std::vector<CrossPolicy> const& policies,
                          RecordRow const& row, Result const& scores, GateKind kind) {
    auto const buckets = static_cast<std::uint64_t>(p["weight"].rows - 1);
    auto const rows = hashed_rows_by_group(schema, policies, buckets, row);
    std::vector<std::size_t> fired;
    for (auto const& [slot, q] : rows)
        if (std::find(fired.begin(), fired.end(), q) == fired.end()) fired.push_back(q);
    Result const g = gates_of(kind, scores, fired);
    double const bias = p["weight"](0, 0);
    Result y{{{bias}}, {{std::abs(bias)}}};
    for (auto const& [slot, q] : rows) {
        double const w = slot.value * p["weight"](static_cast<int>(slot.row), 0);
        y.value[0][0] += g.value[0][q] * w;
        y.magnitude[0][0] += (std::abs(g.value[0][q]) + g.magnitude[0][q]) * std::abs(w);
    }
    return y;
}

} // namespace reference
