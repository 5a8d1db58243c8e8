// SPDX-License-Identifier: BSD-3-Clause
// Lookups. Over tokens: row x of weight [V, D]. Over a record: one row per field, from the table named after
// the field: the mean of the rows of its ids (one id: that row; id 0 has a row; none: zero), or the value
// times the only row, or where the field has a weight of its own, a number by bins or by waves.
#pragma once

#include "reference.hpp"
#include "xxh64.hpp"

namespace reference {

inline Result embed(Parameters const& p, Sequence const& ids) {
    Sequence const table = rows_of(p["weight"]);
    Sequence y;
    for (auto const& token : ids) y.push_back(table.at(static_cast<std::size_t>(token.at(0))));
    return {y, absolute(y)};
}

// The rows of a bag as one: their mean, their sum, their sum over the root of their count, or their maximum.
// With weights each row is multiplied by its own; "sqrtn" then divides by the root of their squares, and
// "weighted" by their sum.
inline Result embed_bag(std::string const& how, Matrix const& weight, std::vector<int> const& ids,
                        std::vector<double> weights = {}) {
    Sequence const table = rows_of(weight);
    Sequence y(1, std::vector<double>(table.at(0).size())), m = y;
    double const n = static_cast<double>(ids.size());
    if (weights.empty()) weights.assign(ids.size(), 1);
    double sum = 0, squares = 0;
    for (double w : weights) sum += w, squares += w * w;
    double const share = how == "mean"       ? 1 / n
                         : how == "sqrtn"    ? 1 / std::sqrt(squares)
                         : how == "weighted" ? 1 / sum
                                             : 1;
    for (std::size_t i = 0; i < y[0].size(); ++i)
        for (std::size_t k = 0; k < ids.size(); ++k) {
            double const v = table.at(static_cast<std::size_t>(ids[k]))[i];
            if (how == "max") {
                y[0][i] = k == 0 ? v : std::fmax(v, y[0][i]);
                m[0][i] = std::abs(y[0][i]);
            } else {
                y[0][i] += share * weights.at(k) * v;
                m[0][i] += std::abs(share * weights[k] * v);
            }
        }
    return {y, m};
}
inline Block embed_bag(std::string const& how) {
    return [how](Parameters const& p, Sequence const& ids) {
        std::vector<int> own;
        for (auto const& id : ids) own.push_back(static_cast<int>(id.at(0)));
        return embed_bag(how, p["weight"], own);
    };
}

// The row of an id is the high word of XXH64 of its eight bytes, times the number of rows.
inline Result embed_hashed(Parameters const& p, Sequence const& ids) {
    Sequence const rows = rows_of(p["weight"]);
    Sequence y;
    for (auto const& token : ids) {
        std::uint64_t const hash = xxh64(le64(static_cast<std::uint64_t>(token.at(0))));
        y.push_back(rows.at(static_cast<std::size_t>(mulhi64(hash, rows.size()))));
    }
    return {y, absolute(y)};
}

// Row i mod M of one table times row i / M of another.
inline Result embed_quotient(Parameters const& p, Sequence const& ids) {
    Sequence const remainder = rows_of(p["remainder"]), quotient = rows_of(p["quotient"]);
    Sequence y;
    for (auto const& token : ids) {
        std::size_t const id = static_cast<std::size_t>(token.at(0)), m = remainder.size();
        std::vector<double> row = remainder[id % m];
        for (std::size_t i = 0; i < row.size(); ++i) row[i] *= quotient.at(id / m)[i];
        y.push_back(row);
    }
    return {y, absolute(y)};
}

// relu(W v + b) with v the bins that a number fills, or the cosines and sines of its angles, and a last one
// for a missing number where there is one more. error: how far each v may be off, in epsilon.
inline Result embed_number(Parameters const& p, FieldValue const& x) {
    Matrix const& weight = p["weight"];
    std::vector<double> v, error;
    if (p.has("frequency")) {
        std::vector<double> const c = rows_of(p["frequency"]).at(0);
        double const turn = 2 * std::acos(-1.0);
        for (double f : c) v.push_back(std::cos(turn * f * x.value));
        for (double f : c) v.push_back(std::sin(turn * f * x.value));
        for (int twice = 0; twice < 2; ++twice)
            for (double f : c) error.push_back(3 + turn * std::abs(f * x.value));
        if (!x.ids.empty()) v.push_back(x.ids[0] == 0 ? 1 : 0), error.push_back(0);
    } else {
        for (int t = 1; t < weight.cols; ++t)
            v.push_back(x.ids.at(0) == 0 || t > x.ids[0] ? 0 : t < x.ids[0] ? 1 : x.part);
        v.push_back(x.ids[0] == 0 ? 1 : 0);
        error.resize(v.size());
    }
    if (v.size() != static_cast<std::size_t>(weight.cols)) throw std::invalid_argument("reference: features");
    Result y{{std::vector<double>(static_cast<std::size_t>(weight.rows))}, {}};
    y.magnitude = y.value;
    for (int o = 0; o < weight.rows; ++o) {
        double sum = p["bias"](0, o), magnitude = std::abs(sum);
        for (int i = 0; i < weight.cols; ++i) {
            auto const at = static_cast<std::size_t>(i);
            sum += weight(o, i) * v[at];
            magnitude += std::abs(weight(o, i)) * (std::abs(v[at]) + error[at]);
        }
        y.value[0][static_cast<std::size_t>(o)] = sum > 0 ? sum : 0;
        y.magnitude[0][static_cast<std::size_t>(o)] = magnitude;
    }
    return y;
}
inline Result embed_bare_number(Parameters const& p, Sequence const& x) {
    return embed_number(p, {.value = x.at(0).at(0), .ids = {}, .is_numeric = true});
}

inline Result embed_record(Parameters const& p, Schema const& schema, RecordRow const& row) {
    Result y;
    for (std::size_t f = 0; f < schema.size(); ++f) {
        if (p.has(schema[f].name + ".weight")) {
            Result const own = embed_number(p.child(schema[f].name), row.at(f));
            y.value.push_back(own.value[0]);
            y.magnitude.push_back(own.magnitude[0]);
            continue;
        }
        Sequence const table = rows_of(p[schema[f].table.empty() ? schema[f].name : schema[f].table]);
        FieldValue const& field = row.at(f);
        std::vector<double> value(table.at(0).size()), magnitude = value;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (field.is_numeric) {
                value[i] = field.value * table[0][i];
                magnitude[i] = std::abs(value[i]);
                continue;
            }
            for (std::size_t k = 0; k < field.ids.size(); ++k) {
                double const own = field.weights.empty() ? 1 : field.weights.at(k);
                double const term = own * table.at(static_cast<std::size_t>(field.ids[k]))[i] /
                                    static_cast<double>(field.ids.size());
                value[i] += term;
                magnitude[i] += std::abs(term);
            }
        }
        y.value.push_back(value);
        y.magnitude.push_back(magnitude);
    }
    return y;
}

} // namespace reference
