// SPDX-License-Identifier: BSD-3-Clause
// Laws of backward: it is the derivative of forward, overwrites dx and adds to parameter gradients.
#pragma once

#include <inlay/testing/draw.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// What is compared: backward's number, and the place that forward is disturbed at.
struct Slope {
    double got;
    std::string where;
    std::function<void(Call&, double)> move; ///< by so much
};

/// Of `n` places at most `most`, spread evenly.
inline std::vector<std::size_t> sample(std::size_t n, std::size_t most) {
    std::vector<std::size_t> at;
    for (std::size_t k = 0, m = n < most ? n : most; k < m; ++k) at.push_back(k * n / m);
    return at;
}

/// The derivative of <dy, y> + <d_state, state out> along a move, by central differences.
inline double central_difference(Bound const& b, Call const& c, Slope const& s,
                                 std::vector<std::size_t> const& carried, double h, LawReport& report) {
    Call up = c, down = c;
    up.dy.clear(), down.dy.clear();
    s.move(up, h), s.move(down, -h);
    b.run(b, up, report), b.run(b, down, report);
    double sum = 0;
    for (int r = 0; r < c.rows; ++r)
        for (int t = 0; t < b.length_out(c, r); ++t)
            for (int i = 0; i < b.width_out; ++i) {
                auto const k = b.at_out(r, t, i);
                sum += c.dy[k] * (up.y[k] - down.y[k]) / (2 * h);
            }
    for (int r = 0; r < c.rows && !c.d_state.empty(); ++r)
        for (std::size_t at : carried) {
            auto const i = std::size_t(r) * b.state_bytes + at;
            sum += double_at(c.d_state, i) * (double_at(up.state_out, i) - double_at(down.state_out, i)) /
                   (2 * h);
        }
    return sum;
}

/// All numbers of the state that any row of a batch carries after it has read something.
inline std::vector<std::size_t> carried_numbers(Bound const& b, Call const& c, LawReport& report,
                                                Bytes* states) {
    Call one = c, other = c;
    one.dy.clear(), other.dy.clear(), one.lengths.clear(), other.lengths.clear();
    one.state.clear(), other.state.clear(), one.wants_state = other.wants_state = true;
    other.x = draw_input(b, c.rows, b.options.seed + 77);
    b.run(b, one, report), b.run(b, other, report);
    if (states) *states = other.state_out;
    Bytes const first(one.state_out.begin(), one.state_out.begin() + std::ptrdiff_t(b.state_bytes));
    Bytes const second(other.state_out.begin(), other.state_out.begin() + std::ptrdiff_t(b.state_bytes));
    return numbers_of_state(first, second);
}

/// Compares every gradient that `c` asks for with differences.
inline void check_against_differences(Bound const& b, Call c, std::vector<std::size_t> const& carried,
                                      Law const& law) {
    b.run(b, c, law.report);
    std::vector<Slope> slopes;
    for (auto const& t : b.tensors) {
        if (t.kind == Kind::buffer) continue;
        for (std::size_t k : sample(t.size(), 48)) {
            std::size_t const i = t.offset + k;
            slopes.push_back(
                {c.grads[i], place_of_parameter(b, i), [i](Call& m, double h) { m.params[i] += h; }});
        }
    }
    if (b.reads == Reads::numbers)
        for (std::size_t i : sample(c.x.size(), 96))
            slopes.push_back(
                {c.dx[i], place("input", i, b.item, b.token()), [i](Call& m, double h) { m.x[i] += h; }});
    if (!c.d_state_in.empty())
        for (int r = 0; r < c.rows; ++r)
            for (std::size_t at : carried) {
                auto const i = std::size_t(r) * b.state_bytes + at;
                slopes.push_back(
                    {double_at(c.d_state_in, i),
                     "carried state of row " + std::to_string(r) + ", byte " + std::to_string(at),
                     [i](Call& m, double h) { put_double(m.state, i, double_at(m.state, i) + h); }});
            }
    double const most = std::max({largest(c.grads), largest(c.dx), 0.0});
    for (Slope const& s : slopes) {
        // Behind a norm of numbers near zero slopes bend so much that only the shorter step sees them.
        for (double h : {1e-6, 1e-8}) {
            double const wanted = central_difference(b, c, s, carried, h, law.report);
            if (law.near(s.got, wanted, 1e-6 * most + 1e-8)) break;
            if (h == 1e-8) law.fail(s.where, s.got, wanted);
        }
    }
}

/// Backward is the derivative of forward, for parameters, inputs and carried state. In double only.
inline void law_of_gradients(Bound const& b, LawReport& report) {
    if (!b.is_double) return;
    Law law{b, report, "gradients"};
    for (int rows : {b.capacity, 1}) {
        Call c = draw_call(b, rows);
        if (rows > 1) draw_lengths(b, c);
        c.dy = draw_cotangent(b, c);
        law.context = "batch of " + std::to_string(rows);
        check_against_differences(b, c, {}, law);
    }
    if (!b.has_state || !b.streams) return;
    Call c = draw_call(b, b.capacity);
    auto const carried = carried_numbers(b, c, report, &c.state);
    draw_lengths(b, c);
    c.position.assign(std::size_t(c.rows), b.rows);
    c.wants_state = true;
    c.d_state = b.fresh_states(c.rows);
    for (int r = 0; r < c.rows; ++r)
        for (std::size_t at : carried) {
            auto const i = std::size_t(r) * b.state_bytes + at;
            put_double(c.d_state, i, draw_number(Key{b.options.seed}.fold(5), i));
        }
    c.dy = draw_cotangent(b, c);
    law.context = "with a carried state";
    check_against_differences(b, c, carried, law);
}

/// dx is overwritten (it holds NaN before); what parameter gradients held is added to; NoGrad changes
/// nothing.
inline void law_of_accumulation(Bound const& b, LawReport& report) {
    Law const law{b, report, "accumulation"};
    Call c = draw_call(b, b.capacity);
    draw_lengths(b, c);
    c.dy = draw_cotangent(b, c);
    Call onto = c;
    onto.prefill = 0.5;
    b.run(b, c, report), b.run(b, onto, report);
    auto const tolerance = gradient_tolerance(b, c.grads) + 64 * b.epsilon;
    for (auto const& t : b.tensors)
        for (std::size_t i = t.offset; i < t.offset + t.size(); ++i) {
            double const wanted = c.grads[i] + (t.slots ? 0 : 0.5);
            if (!law.near(onto.grads[i], wanted, tolerance))
                law.fail("gradient of " + place_of_parameter(b, i) + " onto 0.5", onto.grads[i], wanted);
        }
    law.same_inputs(onto.dx, c.dx, 0);
    if (b.is_double && b.reads == Reads::numbers) {
        Call without = c;
        without.wants_dx = false;
        b.run(b, without, report);
        Law const quiet{b, report, "accumulation", "without dx"};
        quiet.same_parameters(without.grads, c.grads, 0);
    }
}

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
