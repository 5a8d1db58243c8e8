// SPDX-License-Identifier: BSD-3-Clause
// Lookups. Over tokens: row x of weight [V, D]. Over a record: one row per field, from the table named after
// the field: the mean of the rows of its ids (one id: that row; id 0 has a row; none: zero), or the value
// times the only row.
#pragma once

#include "reference.hpp"

namespace reference {

inline Result embed(Parameters const& p, Sequence const& ids) {
    Sequence const table = rows_of(p["weight"]);
    Sequence y;
    for (auto const& token : ids) y.push_back(table.at(static_cast<std::size_t>(token.at(0))));
    return {y, absolute(y)};
}

inline Result embed_record(Parameters const& p, Schema const& schema, RecordRow const& row) {
    Result y;
    for (std::size_t f = 0; f < schema.size(); ++f) {
        Sequence const table = rows_of(p[schema[f].table.empty() ? schema[f].name : schema[f].table]);
        FieldValue const& field = row.at(f);
        std::vector<double> value(table.at(0).size()), magnitude = value;
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (field.is_numeric) {
                value[i] = field.value * table[0][i];
                magnitude[i] = std::abs(value[i]);
                continue;
            }
            for (int id : field.ids) {
                double const term =
                    table.at(static_cast<std::size_t>(id))[i] / static_cast<double>(field.ids.size());
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
