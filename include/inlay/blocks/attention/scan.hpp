// SPDX-License-Identifier: BSD-3-Clause
// Attention whose scores are of keys alone: a running mean of values, in linear time (arXiv 2510.11602).
#pragma once

#include <inlay/blocks/attention/parts.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// s_t = silu(q_t) k_t / sqrt(d), L_t = log(e^L_(t-1) + e^s_t), o_t = e^(L_(t-1) - L_t) o_(t-1) + e^(s_t -
/// L_t) v_t for each head. A stream carries o and L.
template <class Spec, class I, class R> struct AttentionScan : AttentionParts<Spec, I, R> {
    using Base = AttentionParts<Spec, I, R>;
    using Base::d, Base::group, Base::H, Base::K, Base::rows, Base::scale, Base::W, Base::wide;
    using typename Base::Key, typename Base::O, typename Base::Params, typename Base::Q, typename Base::Sides,
        typename Base::T, typename Base::Value;
    static constexpr int row = Sides::mixed_row;

    struct State {
        alignas(64) T out[std::size_t(H)][std::size_t(wide)];
        T log_sum[std::size_t(H)];
        std::int64_t count; ///< of tokens that the stream has had
    };
    static constexpr double flops = Q::flops + Key::flops + Value::flops + O::flops + 6.0 * H * d * rows;
    static constexpr std::size_t scratch(int B) {
        return Sides::scratch(B) + lines(sizeof(State)) +
               2 * lines(sizeof(T) * std::size_t(Sides::query_row)) +
               lines(sizeof(T) * std::size_t(H * rows));
    }
    static constexpr std::size_t step_scratch() { return scratch(1); }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        T* const active = s.template take<T>(std::size_t(Sides::query_row));
        T* kept = s.template take<T>(std::size_t(H * rows));
        State& now = *s.template take<State>(1);
        Sides side = Sides::take(s, 1);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            if constexpr (is_recording<Tp>) side = Sides::on(tape.sides, b), kept = tape.kept[b];
            project(n, p, x(b), side);
            begin(c.template state_in<State>(b), now);
            for (int t = 0; t < n; ++t) {
                Sides const at = side.token(t);
                turn(now, at, active);
                for (int h = 0; h < H; ++h) kept[h * rows + t] = now.log_sum[h];
            }
            O::apply(n, p.o, side.mixed, y(b));
            clear_rows_from(y, b, n);
            if constexpr (is_recording<Tp>) Sides::clear_from(n, side.mixed, row);
            if (State* const after = c.template state_out<State>(b)) *after = now;
        }
    }
    template <class C>
    static void step(C const&, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        T* const active = s.template take<T>(std::size_t(Sides::query_row));
        Sides const side = Sides::take(s, 1);
        project(1, p, x, side);
        turn(state, side, active);
        O::apply(1, p.o, side.mixed, y);
    }

    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx, G& g,
                         Scratch s) noexcept {
        int const all = c.rows * rows;
        T* const active = s.template take<T>(std::size_t(Sides::query_row));
        T* const slope = s.template take<T>(std::size_t(Sides::query_row));
        State& later = *s.template take<State>(1); // gradients of what a token hands on
        Sides const sides = Sides::on(tape.sides, 0), dsides = Sides::take(s, c.capacity);
        O::pull(all, p.o, sides.mixed, dy.data, dsides.mixed, false, g.o);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            Sides const side = sides.row(b), dside = dsides.row(b);
            Sides::clear_from(0, dside.q, Sides::query_row), Sides::clear_from(0, dside.k, Sides::key_row);
            Sides::clear_from(0, dside.v, Sides::value_row);
            State const* const in = c.template state_in<State>(b);
            begin(c.template d_state_out<State>(b), later);
            for (int t = n - 1; t >= 0; --t) {
                Sides const at = side.token(t), dat = dside.token(t);
                silu(at.q, active, slope);
                for (int h = 0; h < H; ++h) {
                    T const* const kept = tape.kept[b] + h * rows;
                    bool const fresh = t == 0 && !(in && in->count > 0);
                    T const* const before = t > 0 ? at.mixed - row + h * d : fresh ? nullptr : in->out[h];
                    T const log_before = t > 0 ? kept[t - 1] : fresh ? T(0) : in->log_sum[h];
                    T const* const k = at.k + h / group * d;
                    T const score = scale() * kernels::dot<W>(d, active + h * d, k);
                    T const share = std::exp(score - kept[t]);
                    T const rest = before ? std::exp(log_before - kept[t]) : T(0);
                    T* const dout = later.out[h];
                    kernels::axpy<W>(d, T(1), dat.mixed + h * d, dout);
                    T const own = later.log_sum[h] - kernels::dot<W>(d, dout, at.mixed + h * d);
                    T const ds = scale() * share * (kernels::dot<W>(d, dout, at.v + h / group * d) + own);
                    kernels::axpy<W>(d, share, dout, dat.v + h / group * d);
                    kernels::axpy<W>(d, ds, active + h * d, dat.k + h / group * d);
                    for (int i = 0; i < d; ++i) dat.q[h * d + i] = ds * k[i] * slope[h * d + i];
                    later.log_sum[h] = before ? rest * (kernels::dot<W>(d, dout, before) + own) : T(0);
                    kernels::scale<W>(d, rest, dout, dout);
                }
            }
            if (State* const d_in = c.template d_state_in<State>(b)) {
                if (in && in->count > 0) *d_in = later;
                else std::memset(static_cast<void*>(d_in), 0, sizeof *d_in);
                d_in->count = 0;
            }
        }
        T* into = nullptr;
        if constexpr (wants_grad<DX>) into = dx.data;
        Q::pull(all, p.q, x.data, dsides.q, into, false, g.q);
        Key::pull(all, p.k, x.data, dsides.k, into, true, g.k);
        Value::pull(all, p.v, x.data, dsides.v, into, true, g.v);
    }

private:
    static void project(int n, Params const& p, T const* x, Sides const& side) noexcept {
        Q::apply(n, p.q, x, side.q);
        Key::apply(n, p.k, x, side.k);
        Value::apply(n, p.v, x, side.v);
    }
    static void begin(State const* in, State& now) noexcept {
        if (in) now = *in;
        else std::memset(static_cast<void*>(&now), 0, sizeof now);
    }
    /// silu(q), and its slope where it is asked for.
    static void silu(T const* q, T* active, T* slope) noexcept {
        using V = simd::vec<T, W>;
        V const one(T(1));
        for (int i = 0; i < padded(H * d, W); i += W) {
            V const x = V::load(q + i), s = simd::sigmoid(x), y = x * s;
            y.store(active + i);
            if (slope) simd::fma(y, one - s, s).store(slope + i);
        }
    }
    /// One token: `now` goes on, and `at.mixed` is what the heads give.
    static void turn(State& now, Sides const& at, T* active) noexcept {
        silu(at.q, active, nullptr);
        for (int h = 0; h < H; ++h) {
            T const score = scale() * kernels::dot<W>(d, active + h * d, at.k + h / group * d);
            T* const out = now.out[h];
            T& sum = now.log_sum[h];
            if (now.count == 0) {
                sum = score;
                kernels::clear(out, wide);
                std::copy_n(at.v + h / group * d, d, out);
            } else {
                T const top = score > sum ? score : sum;
                T const whole = top + std::log(std::exp(score - top) + std::exp(sum - top));
                kernels::scale<W>(d, std::exp(sum - whole), out, out);
                kernels::axpy<W>(d, std::exp(score - whole), at.v + h / group * d, out);
                sum = whole;
            }
            std::copy_n(out, d, at.mixed + h * d);
        }
        kernels::clear_pads(at.mixed, H * d, row);
        ++now.count;
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
