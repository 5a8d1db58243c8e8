// SPDX-License-Identifier: BSD-3-Clause
// The wide part: the sum of the rows of one table "weight" that a record fires. Row 0 is the bias and always
// fires. Each: every id != 0 of every field, times its weight if it has one. Of<a, b, ...>: one row if all
// the ids are != 0. Hashed: the
// other rows are slots, 1 + mulhi64(h, N). Indexed: exact, mixed radix.
#pragma once

#include "reference.hpp"
#include "xxh64.hpp"

#include <algorithm>

namespace reference {

// An Of names its fields; Each names none.
struct CrossPolicy {
    std::vector<std::string> fields;
};
inline CrossPolicy each() { return {}; }
inline CrossPolicy of(std::vector<std::string> fields) { return {fields}; }

inline std::uint64_t hash_of_part(std::size_t field_index, int id) {
    return xxh64(le64(field_index) + le64(static_cast<std::uint64_t>(id)));
}

// A cross of one part is the part.
inline std::uint64_t hash_of_cross(std::vector<std::uint64_t> const& parts, std::uint64_t seed) {
    if (parts.size() == 1) return parts[0];
    std::string bytes;
    for (std::uint64_t part : parts) bytes += le64(part);
    return xxh64(bytes, seed);
}

// The fields of an Of, in record order.
inline std::vector<std::size_t> parts_of(Schema const& schema, CrossPolicy const& policy) {
    std::vector<std::size_t> parts;
    for (std::size_t f = 0; f < schema.size(); ++f)
        if (std::find(policy.fields.begin(), policy.fields.end(), schema[f].name) != policy.fields.end()) {
            if (schema[f].several || schema[f].ids == 0)
                throw std::invalid_argument("reference: Of needs one id a field");
            parts.push_back(f);
        }
    if (parts.size() != policy.fields.size())
        throw std::invalid_argument("reference: Of names an unknown field");
    return parts;
}

inline bool all_fire(std::vector<std::size_t> const& parts, RecordRow const& row) {
    for (std::size_t f : parts)
        if (row.at(f).ids.at(0) == 0) return false;
    return true;
}

// A row that fires, and what it counts.
struct Fired {
    std::uint64_t row;
    double value = 1;
    bool operator==(Fired const&) const = default;
};
inline double value_of(FieldValue const& field, std::size_t k) {
    return field.weights.empty() ? 1 : field.weights.at(k);
}

// The rows that fire, the bias first, then in policy order. buckets is N: the table has 1 + N rows.
inline std::vector<Fired> hashed_rows(Schema const& schema, std::vector<CrossPolicy> const& policies,
                                      std::uint64_t buckets, RecordRow const& row) {
    std::vector<Fired> fired = {{0}};
    std::uint64_t seed = 0;
    for (CrossPolicy const& policy : policies) {
        if (policy.fields.empty()) {
            for (std::size_t f = 0; f < schema.size(); ++f)
                for (std::size_t k = 0; k < row.at(f).ids.size(); ++k)
                    if (int const id = row[f].ids[k]; id != 0)
                        fired.push_back({1 + mulhi64(hash_of_part(f, id), buckets), value_of(row[f], k)});
            continue;
        }
        std::vector<std::size_t> const parts = parts_of(schema, policy);
        if (all_fire(parts, row)) {
            std::vector<std::uint64_t> hashes;
            for (std::size_t f : parts) hashes.push_back(hash_of_part(f, row[f].ids[0]));
            fired.push_back({1 + mulhi64(hash_of_cross(hashes, seed), buckets)});
        }
        ++seed;
    }
    return fired;
}

struct IndexedRows {
    std::vector<Fired> fired;
    std::uint64_t total; // rows of the table
};

inline IndexedRows indexed_rows(Schema const& schema, std::vector<CrossPolicy> const& policies,
                                RecordRow const& row) {
    IndexedRows result{{{0}}, 0};
    std::uint64_t base = 1;
    for (CrossPolicy const& policy : policies) {
        if (policy.fields.empty()) {
            for (std::size_t f = 0; f < schema.size(); ++f) {
                for (std::size_t k = 0; k < row.at(f).ids.size(); ++k)
                    if (int const id = row[f].ids[k]; id != 0)
                        result.fired.push_back({base + static_cast<std::uint64_t>(id), value_of(row[f], k)});
                base += static_cast<std::uint64_t>(schema[f].ids);
            }
            continue;
        }
        std::vector<std::size_t> const parts = parts_of(schema, policy);
        std::uint64_t index = 0, count = 1;
        for (std::size_t f : parts) {
            index = index * static_cast<std::uint64_t>(schema[f].ids) +
                    static_cast<std::uint64_t>(row.at(f).ids.at(0));
            count *= static_cast<std::uint64_t>(schema[f].ids);
        }
        if (all_fire(parts, row)) result.fired.push_back({base + index});
        base += count;
    }
    result.total = base;
    return result;
}

inline Result sum_of_rows(Matrix const& table, std::vector<Fired> const& fired) {
    std::vector<double> value(static_cast<std::size_t>(table.cols)), magnitude = value;
    Sequence const rows = rows_of(table);
    for (auto const& [r, x] : fired)
        for (std::size_t i = 0; i < value.size(); ++i) {
            value[i] += x * rows.at(r)[i];
            magnitude[i] += std::abs(x * rows[r][i]);
        }
    return {{value}, {magnitude}};
}

inline Result cross_hashed(Parameters const& p, Schema const& schema,
                           std::vector<CrossPolicy> const& policies, RecordRow const& row) {
    auto const buckets = static_cast<std::uint64_t>(p["weight"].rows - 1);
    return sum_of_rows(p["weight"], hashed_rows(schema, policies, buckets, row));
}

inline Result cross_indexed(Parameters const& p, Schema const& schema,
                            std::vector<CrossPolicy> const& policies, RecordRow const& row) {
    return sum_of_rows(p["weight"], indexed_rows(schema, policies, row).fired);
}

} // namespace reference
