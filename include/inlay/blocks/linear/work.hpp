// SPDX-License-Identifier: BSD-3-Clause
// The sizes of a LinearAttn, and the numbers of one chunk of one sequence on their way through it.
#pragma once

#include <inlay/blocks/attention/head_rows.hpp>
#include <inlay/blocks/attention/rope.hpp>
#include <inlay/blocks/linear/gates.hpp>
#include <inlay/blocks/linear/maps.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What policies and shape say.
template <class I, class R, class P> struct LinearShape {
    using Real = R;
    using T = typename R::type;
    static constexpr int W = R::lanes, rows = I::rows, H = P::heads, d = P::template keys<I::width>,
                         dv = P::template values<I::width>, C = std::min(P::chunk, rows),
                         past = std::max(P::Conv::width - 1, 0);
    using Map = FeatureMap<R, H, d, typename P::Map>;
    static constexpr int features = Map::width;
    using Fade = Fading<I, R, H, features, typename P::Decay>;
    static constexpr bool divides = P::Divisor::divides, convolves = P::Conv::width > 0,
                          unit = P::Length::unit, norms = P::Norm::used, gates = P::ReadGate::used,
                          delta = P::Write::delta, starts = P::Start::learned, steps = Fade::steps,
                          weighs = delta || steps;
    using Beta = Strength<I, R, H, delta>;
    static constexpr int held = dv + divides; ///< of a row of the memory: a value, and 1 for the divisor
    static constexpr int key_row = padded(d, W), feature_row = padded(features, W),
                         value_row = padded(held, W);
    static constexpr int memory = H * features * value_row; ///< numbers
    static constexpr int decays = Fade::each > 1 ? feature_row : Fade::each;
    using Keys = Shape<rows, H * d>;
    using Values = Shape<rows, H * dv>;
    static constexpr int keys_row = Out<Keys, R>::stride, values_row = Out<Values, R>::stride;
    static constexpr int fade_row = Fade::width > 0 ? row_stride<R>(std::max(Fade::width, 1)) : 0,
                         beta_row = delta ? row_stride<R>(H) : 0, gate_row = gates ? values_row : 0;
    static constexpr int chunks = (rows + C - 1) / C;
};

/// One chunk: rows of tokens with heads side by side, then heads apart. Where a step is left out, its result
/// is its input. Of gradients, the same.
template <class S> struct LinearWork {
    using T = typename S::T;
    using Heads = HeadRows<T>;
    int capacity = 0;
    T *q = nullptr, *k = nullptr, *v = nullptr;    ///< projections, `past` rows of earlier tokens first
    T *cq = nullptr, *ck = nullptr, *cv = nullptr; ///< behind the convolution
    T *fade = nullptr, *strength = nullptr, *gate = nullptr; ///< before their functions
    T *decay = nullptr, *beta = nullptr;
    T *hq = nullptr, *hk = nullptr; ///< heads apart
    T *uq = nullptr, *uk = nullptr; ///< of length 1, told their places
    T *fq = nullptr, *fk = nullptr; ///< mapped
    T *hv = nullptr, *read = nullptr, *mean = nullptr, *normed = nullptr;
    T *merged = nullptr, *mixed = nullptr;

    /// Calls f(pointer, numbers) for each that has room of its own.
    template <class F> constexpr void each(int n, F f) noexcept {
        auto const m = [n](int row, int more = 0) noexcept {
            return std::size_t(n + more) * std::size_t(row);
        };
        f(q, m(S::keys_row, S::past)), f(k, m(S::keys_row, S::past)), f(v, m(S::values_row, S::past));
        if (S::convolves) f(cq, m(S::keys_row)), f(ck, m(S::keys_row)), f(cv, m(S::values_row));
        if (S::fade_row > 0) f(fade, m(S::fade_row));
        if (S::delta) f(strength, m(S::beta_row));
        if (S::weighs) f(beta, m(S::H));
        if (S::gates) f(gate, m(S::gate_row)), f(mixed, m(S::values_row));
        if (S::decays > 0) f(decay, m(S::H * S::decays));
        f(hq, m(S::H * S::key_row)), f(hk, m(S::H * S::key_row));
        if (S::unit) f(uq, m(S::H * S::key_row)), f(uk, m(S::H * S::key_row));
        if (S::Map::copies) f(fq, m(S::H * S::feature_row)), f(fk, m(S::H * S::feature_row));
        f(hv, m(S::H * S::value_row)), f(read, m(S::H * S::value_row));
        if (S::divides) f(mean, m(S::H * S::value_row));
        if (S::norms) f(normed, m(S::H * S::value_row));
        f(merged, m(S::values_row));
    }
    /// Those that backward cannot do without.
    template <class F> constexpr void each_kept(int n, F f) const noexcept {
        auto const m = [n](int row, int more = 0) noexcept {
            return std::size_t(n + more) * std::size_t(row);
        };
        f(q, m(S::keys_row, S::past)), f(k, m(S::keys_row, S::past)), f(v, m(S::values_row, S::past));
        f(fade, m(S::fade_row)), f(strength, m(S::beta_row)), f(gate, m(S::gate_row));
        f(read, m(S::H * S::value_row));
    }
    static constexpr std::size_t kept(int n) {
        std::size_t sum = 0;
        LinearWork{}.each_kept(n, [&](T*, std::size_t numbers) noexcept { sum += numbers; });
        return sum;
    }
    void keep(T* to) const noexcept {
        each_kept(capacity, [&](T* at, std::size_t numbers) noexcept { to = std::copy_n(at, numbers, to); });
    }
    void recall(T const* from) const noexcept {
        each_kept(capacity, [&](T* at, std::size_t numbers) noexcept {
            std::copy_n(from, numbers, at), from += numbers;
        });
    }
    static constexpr std::size_t bytes(int n) {
        std::size_t sum = 0;
        LinearWork w;
        w.each(n, [&](T*&, std::size_t numbers) noexcept { sum += lines(sizeof(T) * numbers); });
        return sum;
    }
    static LinearWork take(Scratch& s, int n) noexcept {
        LinearWork w;
        w.capacity = n;
        w.each(n, [&](T*& at, std::size_t numbers) noexcept { at = s.template take<T>(numbers); });
        if (!S::convolves) w.cq = w.fresh_q(), w.ck = w.fresh_k(), w.cv = w.fresh_v();
        if (!S::unit) w.uq = w.hq, w.uk = w.hk;
        if (!S::Map::copies) w.fq = w.uq, w.fk = w.uk;
        if (!S::divides) w.mean = w.read;
        if (!S::norms) w.normed = w.mean;
        if (!S::gates) w.mixed = w.merged;
        return w;
    }
    T* fresh_q() const noexcept { return q + S::past * S::keys_row; }
    T* fresh_k() const noexcept { return k + S::past * S::keys_row; }
    T* fresh_v() const noexcept { return v + S::past * S::values_row; }

    Heads keys(T* of) const noexcept { return {of, capacity * S::key_row, S::key_row}; }
    Heads features(T* of) const noexcept { return {of, capacity * S::feature_row, S::feature_row}; }
    Heads values(T* of) const noexcept { return {of, capacity * S::value_row, S::value_row}; }
    HeadNumbers<T> decays() const noexcept {
        return {decay, capacity * S::decays, std::max(S::decays, 1), S::H, S::Fade::each};
    }
    HeadNumbers<T> strengths() const noexcept { return {beta, capacity, 1, S::H, 1}; }

    kernels::GatedChunk<T> head(int h, int n) const noexcept {
        kernels::GatedChunk<T> c{.tokens = n,
                                 .keys = S::features,
                                 .key_row = S::feature_row,
                                 .value_row = S::value_row,
                                 .q = features(fq)(h),
                                 .k = features(fk)(h),
                                 .v = values(hv)(h)};
        if constexpr (S::decays > 0) c.log_decay = decays().data + h * decays().head, c.decays = S::decays;
        c.delta = S::delta;
        if constexpr (S::weighs) c.beta = beta + h * capacity;
        return c;
    }
    kernels::GatedSlopes<T> slopes(int h) const noexcept {
        return {features(fq)(h), features(fk)(h), values(hv)(h),
                S::decays > 0 ? decays().data + h * decays().head : nullptr,
                S::weighs ? beta + h * capacity : nullptr};
    }
};

struct HasBegun {
    std::int32_t yes;
};
struct NeedsNoBeginning {};
template <class S> using Beginning = std::conditional_t<S::starts, HasBegun, NeedsNoBeginning>;
/// What a stream carries: the memory of each head, and the last projections where there is a convolution. Of
/// gradients, the same.
template <class S, bool Past = (S::past > 0)> struct LinearState {
    using T = typename S::T;
    alignas(64) T memory[std::size_t(S::memory)];
    INLAY_EMPTY Beginning<S> begun;
    void put_past(LinearWork<S> const&, int) const noexcept {}
    void take_past(LinearWork<S> const&, int) noexcept {}
};
template <class S> struct LinearState<S, true> {
    using T = typename S::T;
    alignas(64) T memory[std::size_t(S::memory)];
    T q[std::size_t(S::past * S::keys_row)], k[std::size_t(S::past * S::keys_row)],
        v[std::size_t(S::past * S::values_row)];
    INLAY_EMPTY Beginning<S> begun;
    /// Between here and rows `from` to `from + past` of the projections, earlier tokens included.
    void put_past(LinearWork<S> const& w, int from) const noexcept {
        std::copy_n(q, S::past * S::keys_row, w.q + from * S::keys_row);
        std::copy_n(k, S::past * S::keys_row, w.k + from * S::keys_row);
        std::copy_n(v, S::past * S::values_row, w.v + from * S::values_row);
    }
    void take_past(LinearWork<S> const& w, int from) noexcept {
        std::copy_n(w.q + from * S::keys_row, S::past * S::keys_row, q);
        std::copy_n(w.k + from * S::keys_row, S::past * S::keys_row, k);
        std::copy_n(w.v + from * S::values_row, S::past * S::values_row, v);
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
