// SPDX-License-Identifier: BSD-3-Clause
// Laws of sequences: step is forward, a sequence may be cut, the future is not seen, zero is the fresh state.
#pragma once

#include <inlay/testing/draw.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// Tokens [from, to) of every row, moved to the front; what is left over holds other valid values.
inline Call part_of(Bound const& b, Call const& c, int from, int to) {
    Call p = c;
    p.x = draw_input(b, c.rows, b.options.seed + 5);
    p.lengths.assign(std::size_t(c.rows), 0);
    p.position.assign(std::size_t(c.rows), 0);
    for (int r = 0; r < c.rows; ++r) {
        int const n = b.length(c, r), first = std::min(from, n), last = std::min(to, n);
        p.lengths[std::size_t(r)] = last - first;
        p.position[std::size_t(r)] = first;
        auto const row = std::ptrdiff_t(std::size_t(r) * b.item), w = std::ptrdiff_t(b.token());
        std::copy(c.x.begin() + row + first * w, c.x.begin() + row + last * w, p.x.begin() + row);
    }
    return p;
}
/// Token t of row r of the whole, out of two parts that meet at `cut`.
inline double joined(Bound const& b, Call const& whole, Numbers const& first, Numbers const& second, int r,
                     int t, int i, int cut) {
    int const here = std::min(cut, b.length(whole, r));
    return t < here ? first[b.at_out(r, t, i)] : second[b.at_out(r, t - here, i)];
}

/// Token by token is the whole at once; where one row comes out, the running value is that of the prefix.
inline void law_of_step(Bound const& b, LawReport& report) {
    if (!b.streams || b.options.training) return; // a stream is never trained on
    Law law{b, report, "step"};
    Call c = draw_call(b, 1);
    if (b.has_lengths) c.lengths = {b.rows};
    int const n = b.has_lengths ? b.rows : 1;
    StepCall s{c.params, c.x, n, 0, c.training, {}, {}};
    b.step(b, s, report);
    for (int m = b.keeps_rows ? n : 1; m <= n; ++m) {
        if (b.has_lengths) c.lengths = {m};
        b.run(b, c, report);
        auto const tolerance = tolerances(b, c, c.y);
        for (int t = b.keeps_rows ? 0 : m - 1; t < m; ++t)
            for (int i = 0; i < b.width_out; ++i) {
                auto const k = b.at_out(0, b.keeps_rows ? t : 0, i),
                           j = b.at_out(0, 0, i) + std::size_t(t) * std::size_t(b.width_out);
                if (!law.near(s.y[j], c.y[k], tolerance[k]))
                    law.fail("token " + std::to_string(t) + ", lane " + std::to_string(i), s.y[j], c.y[k]);
            }
    }
    if (!b.has_lengths || n < 2) return;
    // Step by step over a prefix, then a forward from the state that they left; over nothing, too.
    for (int cut : {n / 2, n}) {
        law.context = "a forward after " + std::to_string(cut) + " steps";
        StepCall head{c.params,   Numbers(c.x.begin(), c.x.begin() + cut * std::ptrdiff_t(b.token())),
                      cut,        0,
                      c.training, {},
                      {}};
        b.step(b, head, report);
        Call rest = part_of(b, c, cut, n);
        rest.state = head.state;
        b.run(b, rest, report);
        auto const tolerance = tolerances(b, c, c.y);
        for (int t = b.keeps_rows ? cut : 0; t < (b.keeps_rows ? n : 1); ++t)
            for (int i = 0; i < b.width_out; ++i) {
                auto const k = b.at_out(0, t, i), j = b.at_out(0, b.keeps_rows ? t - cut : 0, i);
                if (!law.near(rest.y[j], c.y[k], tolerance[k]))
                    law.fail("token " + std::to_string(t) + ", lane " + std::to_string(i), rest.y[j], c.y[k]);
            }
    }
    // Forward over a prefix, then step by step from its state.
    if (!b.keeps_rows) return;
    int const cut = n / 2;
    Call prefix = part_of(b, c, 0, cut);
    prefix.wants_state = true;
    b.run(b, prefix, report);
    auto const tolerance = tolerances(b, c, c.y);
    StepCall rest{c.params,   Numbers(c.x.begin() + cut * std::ptrdiff_t(b.token()), c.x.end()),
                  n - cut,    cut,
                  c.training, prefix.state_out,
                  {}};
    b.step(b, rest, report);
    law.context = "after a forward over " + std::to_string(cut) + " tokens";
    for (std::size_t k = 0; k < rest.y.size(); ++k) {
        auto const i = k + std::size_t(cut) * std::size_t(b.width_out);
        if (!law.near(rest.y[k], c.y[i], tolerance[i]))
            law.fail("token " + std::to_string(i / std::size_t(b.width_out)), rest.y[k], c.y[i]);
    }
}

/// A sequence cut in two with a carried state gives the whole's outputs and gradients, wherever it is cut.
inline void law_of_split(Bound const& b, LawReport& report) {
    if (!b.streams || !b.has_lengths || b.options.rows_meet) return;
    Law law{b, report, "split"};
    Call whole = draw_call(b, b.capacity);
    whole.lengths.assign(std::size_t(b.capacity), b.rows);
    if (b.capacity > 1) whole.lengths[1] = (b.rows + 1) / 2;
    whole.dy = draw_cotangent(b, whole);
    b.run(b, whole, report);
    auto const tolerance = tolerances(b, whole, whole.y);
    for (int cut : {0, 1, b.rows / 2, b.rows}) {
        law.context = "cut after " + std::to_string(cut);
        Call first = part_of(b, whole, 0, cut), second = part_of(b, whole, cut, b.rows);
        first.dy.assign(whole.dy.size(), 0), second.dy.assign(whole.dy.size(), 0);
        for (int r = 0; r < whole.rows; ++r)
            for (int t = 0; t < b.length_out(whole, r); ++t)
                for (int i = 0; i < b.width_out; ++i) {
                    int const here = b.keeps_rows ? std::min(cut, b.length(whole, r)) : 0;
                    double const d = whole.dy[b.at_out(r, t, i)];
                    if (t < here) first.dy[b.at_out(r, t, i)] = d;
                    else second.dy[b.at_out(r, t - here, i)] = d;
                }
        // The first runs forward, the second both ways, then the first again with what flows back.
        Numbers const dy = std::move(first.dy);
        first.dy.clear();
        first.wants_state = second.wants_state = true;
        b.run(b, first, report);
        second.state = first.state_out;
        second.d_state = b.fresh_states(whole.rows);
        b.run(b, second, report);
        first.dy = dy, first.d_state = second.d_state_in;
        b.run(b, first, report);
        for (int r = 0; r < whole.rows; ++r)
            for (int t = 0; t < b.length_out(whole, r); ++t)
                for (int i = 0; i < b.width_out; ++i) {
                    auto const k = b.at_out(r, t, i);
                    double const got =
                        b.keeps_rows ? joined(b, whole, first.y, second.y, r, t, i, cut) : second.y[k];
                    if (!law.near(got, whole.y[k], tolerance[k]))
                        law.fail(place("output", k, b.item_out(), std::size_t(b.width_out)), got, whole.y[k]);
                }
        Numbers sum = first.grads;
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += second.grads[i];
        law.same_parameters(sum, whole.grads, gradient_tolerance(b, whole.grads));
        if (b.reads != Reads::numbers) continue;
        Numbers dx = whole.dx; // past the end: as it is
        for (int r = 0; r < whole.rows; ++r)
            for (int t = 0; t < b.length(whole, r); ++t)
                for (int i = 0; i < b.width; ++i) {
                    int const here = std::min(cut, b.length(whole, r));
                    auto const at = [&](int token) {
                        return std::size_t(r) * b.item + std::size_t(token * b.width + i);
                    };
                    dx[at(t)] = t < here ? first.dx[at(t)] : second.dx[at(t - here)];
                }
        law.same_inputs(dx, whole.dx, gradient_tolerance(b, whole.dx));
    }
}

/// An all-zero state is the fresh one.
inline void law_of_fresh_state(Bound const& b, LawReport& report) {
    if (!b.streams || !b.has_lengths) return;
    Law const law{b, report, "fresh state"};
    Call none = draw_call(b, b.capacity);
    draw_lengths(b, none);
    Call zero = none;
    zero.state = b.fresh_states(zero.rows);
    b.run(b, none, report), b.run(b, zero, report);
    law.same_outputs(none, zero.y, none.y, {});
}

/// What comes later changes nothing before it, not by one bit.
inline void law_of_causality(Bound const& b, LawReport& report) {
    if (!b.streams || !b.keeps_rows || !b.has_lengths || b.rows < 2 || b.options.rows_meet) return;
    Law law{b, report, "causality"};
    Call const base = draw_call(b, b.capacity);
    Call before = base;
    b.run(b, before, report);
    Numbers const others = draw_input(b, base.rows, b.options.seed + 9);
    for (int cut : {1, b.rows / 2, b.rows - 1}) {
        Call after = base;
        for (int r = 0; r < base.rows; ++r)
            for (std::size_t k = std::size_t(cut) * b.token(); k < b.item; ++k)
                after.x[std::size_t(r) * b.item + k] = others[std::size_t(r) * b.item + k];
        b.run(b, after, report);
        law.context = "tokens from " + std::to_string(cut) + " on replaced";
        Call seen = base;
        seen.lengths.assign(std::size_t(base.rows), cut);
        law.same_outputs(seen, after.y, before.y, {});
    }
}

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
