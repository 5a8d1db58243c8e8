// SPDX-License-Identifier: BSD-3-Clause
// Inputs and parameters for a check: the same on every machine, exact in float, away from kinks.
#pragma once

#include <inlay/core/random.hpp>
#include <inlay/testing/bound.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// N(0, 1), never within 1e-3 of 0, as a float.
inline double draw_number(Key key, std::size_t i) {
    double const v = double(float(key.normal(i)));
    return std::abs(v) < 1e-3 ? v + (v < 0 ? -0.0625 : 0.0625) : v;
}
inline void draw_numbers(Numbers& x, Key key) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = draw_number(key, i);
}

/// n rows of input; ids are valid everywhere, also behind the end of a sequence.
inline Numbers draw_input(Bound const& b, int n, std::uint64_t seed) {
    Numbers x(b.item * std::size_t(n));
    Key const key = Key{seed}.fold(1);
    if (b.reads == Reads::record) b.draw_records(x, n, seed);
    else if (b.reads == Reads::numbers) draw_numbers(x, key);
    else
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = double(key.below(std::uint64_t(b.vocabulary), i));
    return x;
}
/// Parameters around their initial values.
inline Numbers draw_parameters(Bound const& b, std::uint64_t seed) {
    Numbers p;
    b.initialize(p, seed);
    Key const key = Key{seed}.fold(2);
    for (auto const& t : b.tensors)
        for (std::size_t i = t.offset; i < t.offset + t.size(); ++i)
            p[i] = double(float(p[i] + (t.kind == Kind::buffer ? 0 : 0.3 * key.normal(i))));
    return p;
}
/// A batch with everything drawn, all sequences full.
inline Call draw_call(Bound const& b, int rows) {
    Call c;
    c.params = draw_parameters(b, b.options.seed);
    c.x = draw_input(b, rows, b.options.seed);
    c.rows = rows;
    c.training = b.options.training;
    return c;
}
/// Lengths between nothing and everything, where a block takes them.
inline void draw_lengths(Bound const& b, Call& c) {
    if (!b.has_lengths) return;
    int const some[] = {b.rows, 0, (b.rows + 1) / 2};
    c.lengths.resize(std::size_t(c.rows));
    for (int r = 0; r < c.rows; ++r) c.lengths[std::size_t(r)] = some[r % 3];
}
/// Cotangents, zero past the end.
inline Numbers draw_cotangent(Bound const& b, Call const& c, std::uint64_t salt = 0) {
    Numbers dy(b.item_out() * std::size_t(c.rows));
    draw_numbers(dy, Key{b.options.seed}.fold(3 + salt));
    for (int r = 0; r < c.rows; ++r)
        for (int t = b.length_out(c, r); t < b.rows_out; ++t)
            for (int i = 0; i < b.width_out; ++i) dy[b.at_out(r, t, i)] = 0;
    return dy;
}

/// The numbers of a carried state: those that follow from the input and look like numbers, by their place in
/// bytes. Counters and places in rings do not change with the values and are left alone.
inline std::vector<std::size_t> numbers_of_state(Bytes const& one, Bytes const& other) {
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i + sizeof(double) <= one.size(); i += sizeof(double)) {
        double u = 0, v = 0;
        std::memcpy(&u, one.data() + i, sizeof u), std::memcpy(&v, other.data() + i, sizeof v);
        auto const plain = [](double x) { return std::abs(x) < 1e100 && (x == 0 || std::abs(x) > 1e-100); };
        if (u != v && plain(u) && plain(v)) at.push_back(i);
    }
    return at;
}
inline double double_at(Bytes const& b, std::size_t i) {
    double v = 0;
    std::memcpy(&v, b.data() + i, sizeof v);
    return v;
}
inline void put_double(Bytes& b, std::size_t i, double v) { std::memcpy(b.data() + i, &v, sizeof v); }

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
