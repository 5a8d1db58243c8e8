// SPDX-License-Identifier: BSD-3-Clause
// Laws of batches and of numbers: lengths, true counts, rows by themselves, repetition, inference, extremes.
#pragma once

#include <inlay/testing/draw.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// What lies past the end of a sequence changes nothing, is finite and gets no gradient.
inline void law_of_lengths(Bound const& b, LawReport& report) {
    if (!b.has_lengths) return;
    Law const law{b, report, "lengths"};
    Call c = draw_call(b, b.capacity);
    draw_lengths(b, c);
    Call other = c;
    Numbers const others = draw_input(b, c.rows, b.options.seed + 11);
    for (int r = 0; r < c.rows; ++r)
        for (std::size_t k = std::size_t(b.length(c, r)) * b.token(); k < b.item; ++k)
            other.x[std::size_t(r) * b.item + k] = others[std::size_t(r) * b.item + k];
    c.dy = other.dy = draw_cotangent(b, c);
    b.run(b, c, report), b.run(b, other, report);
    law.same_outputs(c, other.y, c.y, {});
    law.same_parameters(other.grads, c.grads, 0);
    for (double v : other.y) {
        ++report.checks;
        if (!std::isfinite(v)) law.fail("output past the end", v, 0);
    }
    if (b.reads != Reads::numbers) return;
    law.same_inputs(other.dx, c.dx, 0);
    for (int r = 0; r < c.rows; ++r)
        for (std::size_t k = std::size_t(b.length(c, r)) * b.token(); k < b.item; ++k) {
            auto const i = std::size_t(r) * b.item + k;
            if (!law.near(other.dx[i], 0, 0))
                law.fail(place("gradient of input past the end", i, b.item, b.token()), other.dx[i], 0);
        }
}

/// A row's value does not depend on the other rows (bit-equal), nor on how many there are (to rounding).
inline void law_of_rows(Bound const& b, LawReport& report) {
    if (b.options.rows_meet) return;
    Law law{b, report, "rows"};
    Call const all = draw_call(b, b.capacity);
    Call c = all;
    c.dy = draw_cotangent(b, c);
    b.run(b, c, report);
    if (b.capacity > 1) {
        Call other = c;
        Numbers const others = draw_input(b, c.rows, b.options.seed + 13);
        std::copy(others.begin() + std::ptrdiff_t(b.item), others.end(),
                  other.x.begin() + std::ptrdiff_t(b.item));
        b.run(b, other, report);
        law.context = "other rows beside row 0";
        Call first = c;
        first.rows = 1;
        law.same_outputs(first, other.y, c.y, {});
        if (b.reads == Reads::numbers) {
            other.dx.resize(b.item);
            law.same_inputs(other.dx, Numbers(c.dx.begin(), c.dx.begin() + std::ptrdiff_t(b.item)), 0);
        }
    }
    auto const tolerance = tolerances(b, c, c.y);
    for (int r = 0; r < c.rows; ++r) {
        Call one = c;
        auto const from = std::ptrdiff_t(std::size_t(r) * b.item);
        one.x.assign(c.x.begin() + from, c.x.begin() + from + std::ptrdiff_t(b.item));
        one.rows = 1, one.dy.clear();
        b.run(b, one, report);
        law.context = "row " + std::to_string(r) + " by itself";
        if (b.options.training) continue; // noise is drawn by row
        for (std::size_t k = 0; k < b.item_out(); ++k) {
            auto const i = std::size_t(r) * b.item_out() + k;
            if (!law.near(one.y[k], c.y[i], tolerance[i]))
                law.fail(place("output", k, b.item_out(), std::size_t(b.width_out)), one.y[k], c.y[i]);
        }
    }
}

/// The same again is the same, bit by bit; and inference is forward.
inline void law_of_repetition(Bound const& b, LawReport& report) {
    Law const law{b, report, "repetition"};
    Call c = draw_call(b, b.capacity);
    draw_lengths(b, c);
    c.dy = draw_cotangent(b, c);
    Call again = c, inference = c;
    inference.dy.clear(), inference.taped = false;
    b.run(b, c, report), b.run(b, again, report), b.run(b, inference, report);
    law.same_outputs(c, again.y, c.y, {});
    law.same_parameters(again.grads, c.grads, 0);
    law.same_inputs(again.dx, c.dx, 0);
    Law const infer{b, report, "inference"};
    infer.same_outputs(c, inference.y, c.y, {});
    ++report.checks;
    if (!b.is_noexcept) Law{b, report, "noexcept"}.fail("forward", "a function that may throw", "noexcept");
    Numbers p, q;
    b.initialize(p, 3), b.initialize(q, 3);
    Law{b, report, "initialization"}.same_parameters(p, q, 0);
}

/// Large, zero and tiny inputs give finite outputs and gradients.
inline void law_of_extremes(Bound const& b, LawReport& report) {
    if (!b.options.extremes || b.reads != Reads::numbers) return;
    Law law{b, report, "extremes"};
    auto const finite = [&](Numbers const& x, char const* what) {
        for (double v : x) {
            ++report.checks;
            if (!std::isfinite(v)) law.fail(what, v, 0);
        }
    };
    for (double scale : {1e4, 0.0, b.smallest / 8}) {
        Call c = draw_call(b, b.capacity);
        for (std::size_t i = 0; i < c.x.size(); ++i) c.x[i] = (c.x[i] > 0 ? 1 : -1) * scale;
        draw_lengths(b, c);
        c.dy = draw_cotangent(b, c);
        b.run(b, c, report);
        law.context = "inputs of " + number(scale);
        finite(c.y, "output"), finite(c.dx, "gradient of input"), finite(c.grads, "gradient of parameters");
    }
}

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
