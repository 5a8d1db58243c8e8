// SPDX-License-Identifier: BSD-3-Clause
// A layer with a feedback memory, forward, step by step and back, stretch by stretch of a block.
#pragma once

#include <inlay/blocks/memory/feedback_layer.hpp>
#include <inlay/blocks/memory/feedback_stretch.hpp>

#include <cstring>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct FeedbackBlock : BlockDefaults {
    using Output = I;
    using T = typename R::type;
    using Layer = FeedbackLayer<I, R, Spec>;
    using Work = typename Layer::Work;
    using Seen = typename Layer::Seen;
    using Rows = HeadRows<T>;
    using Stretch = FeedbackStretch<Spec::Blocks::block, Spec::Blocks::segments>;
    static constexpr bool streams = true;
    static constexpr int W = R::lanes, D = I::width, K = Spec::kv_heads, N = Spec::feedback,
                         B = Spec::Blocks::block, capacity = (Spec::Blocks::segments + 1) * B,
                         row = Layer::row, wide = Layer::head_row;
    /// Tokens that are worked on together.
    static constexpr int together = std::min({B, 64, I::rows}), group = std::max(together, N);
    static constexpr int stretches = I::rows / std::min(B, 64) + I::rows / B + 2;

    struct Params {
        Tensor<R, N, D> fam;
        typename Layer::Params layer;
    };
    template <int> using Grads = Params;
    struct State {
        alignas(64) T key[std::size_t(K)][std::size_t(capacity)][std::size_t(wide)];
        alignas(64) T value[std::size_t(K)][std::size_t(capacity)][std::size_t(wide)];
        alignas(64) T fam_kv[std::size_t(2 * K * N * wide)]; ///< what step would project again from fam
        T fam[std::size_t(N * row)];
        std::int64_t count; ///< of tokens
    };
    /// Keys and values of what came before and of a sequence of Tokens, and F before each stretch and at the
    /// end.
    template <int Tokens> struct Long {
        static constexpr int rows = capacity + Tokens;
        alignas(64) T key[std::size_t(K)][std::size_t(rows)][std::size_t(wide)];
        alignas(64) T value[std::size_t(K)][std::size_t(rows)][std::size_t(wide)];
        Rows keys(int from) noexcept { return {key[0][from], rows * wide, wide}; }
        Rows values(int from) noexcept { return {value[0][from], rows * wide, wide}; }
    };
    struct Kept {
        Long<I::rows> of;
        alignas(64) T fam[std::size_t(stretches + 1)][std::size_t(N * row)];
    };
    template <int Batch> struct Tape {
        Kept kept[std::size_t(Batch)];
    };
    static constexpr long long parameters = 1LL * N * D + Layer::parameters;
    static constexpr double flops =
        Layer::flops + 4.0 * I::rows * Spec::heads * Spec::template head_dim<D> * (N + capacity / 2.0);

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<Spec>{}, Path{&at, "fam"}, Kind::matrix, p.fam.ref());
        Layer::visit(p.layer, at, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_normal(c.key.fold(7), 0.02, p.fam.ref());
        Layer::initialize(c.key, c.depth, p.layer);
    }
    static constexpr std::size_t numbers(std::size_t n) { return lines(sizeof(T) * n); }
    static constexpr std::size_t fams = numbers(std::size_t(2 * K * N * wide));
    static constexpr std::size_t scratch(int) {
        return 2 * lines(sizeof(Long<I::rows>)) + 2 * lines(sizeof(State)) + 2 * fams +
               5 * numbers(std::size_t(N * row)) + numbers(std::size_t(row)) +
               numbers(std::size_t(group * row)) + lines(sizeof(int) * std::size_t(stretches)) +
               2 * Layer::bytes(group, capacity);
    }
    static constexpr std::size_t step_scratch() {
        return lines(sizeof(Long<1>)) + fams + 2 * numbers(std::size_t(N * row)) +
               Layer::bytes(std::max(1, N), capacity);
    }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape, Scratch s) noexcept {
        auto* const own = s.template take<Long<I::rows>>(1);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            auto const* const in = c.template state_in<State>(b);
            auto* const out = c.template state_out<State>(b);
            if constexpr (is_recording<Tp>)
                run(n, p, in, out, x(b), y(b), tape.kept[b].of, group, tape.kept[b].fam[0], s);
            else run(n, p, in, out, x(b), y(b), *own, group, static_cast<T*>(nullptr), s);
            clear_rows_from(y, b, n);
        }
    }
    template <class C>
    static void step(C const&, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
        auto* const own = s.template take<Long<1>>(1);
        run(1, p, &state, &state, x, y, *own, std::max(1, N), static_cast<T*>(nullptr), s);
    }

    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx, G& g,
                         Scratch s) noexcept {
        auto& d = *s.template take<Long<I::rows>>(1);
        T* const dfam = s.template take<T>(std::size_t(N * row));
        State& carried = *s.template take<State>(1);
        for (int b = 0; b < c.rows; ++b) {
            int const n = x.length(b);
            auto const* const in = c.template state_in<State>(b);
            if (auto const* const out = c.template d_state_out<State>(b)) carried = *out;
            else std::memset(static_cast<void*>(&carried), 0, sizeof carried);
            auto* const to = c.template d_state_in<State>(b);
            if constexpr (wants_grad<DX>) clear_rows_from(dx, b, n);
            if (n == 0) {
                if (to) *to = carried;
                continue;
            }
            std::int64_t const before = in ? in->count : 0;
            std::memset(static_cast<void*>(&d), 0, sizeof d);
            std::copy_n(carried.fam, N * row, dfam);
            int const front = int(std::min<std::int64_t>(before, capacity));
            ring<capacity>(before + n, front + n, [&](int slot, int at) noexcept {
                exchange(slot, at, carried, d,
                         [](T const* of_state, T* of_long) { copy(of_state, of_long); });
            });
            Scratch own = s;
            pull_sequence(
                n, p, g, before, front, const_cast<Kept&>(tape.kept[b]), x(b), dy(b),
                [&](int t) noexcept -> T* {
                    if constexpr (wants_grad<DX>) return dx(b, t);
                    else return nullptr;
                },
                d, dfam, carried.fam_kv, own);
            std::memset(static_cast<void*>(&carried), 0, sizeof carried);
            ring<capacity>(before, front, [&](int slot, int at) noexcept {
                exchange(slot, at, carried, d,
                         [](T* of_state, T const* of_long) { copy(of_long, of_state); });
            });
            if (before > 0) std::copy_n(dfam, N * row, carried.fam);
            else
                for (int i = 0; i < N; ++i) kernels::add<W>(padded(D, W), dfam + i * row, g.fam[i]);
            if (to) *to = carried;
        }
    }

private:
    static void copy(T const* from, T* to) noexcept { std::copy_n(from, wide, to); }
    template <class S, class L, class F>
    static void exchange(int slot, int at, S& state, L& other, F const& f) noexcept {
        for (int k = 0; k < K; ++k) {
            f(state.key[k][slot], other.key[k][at]);
            f(state.value[k][slot], other.value[k][at]);
        }
    }
    template <class L> static Seen tokens_see(Stretch const& c, Rows fk, Rows fv, L& of) noexcept {
        int const from = c.row_of(c.first_seen()), end = c.row_of(c.at) + c.m;
        return {fk, fv, of.keys(from), of.values(from), end - from, c.row_of(c.at) + 1 - from, 1};
    }
    template <class L> static Seen fam_sees(Stretch const& c, Rows fk, Rows fv, L& of) noexcept {
        int const from = c.row_of(c.block);
        return {fk, fv, of.keys(from), of.values(from), B, B, 0};
    }
    static Rows fam_rows(T* of) noexcept { return {of, N * wide, wide}; }
    /// F's keys and values are those that `in` has if it is also `out`, as for a step; else they are made
    /// again, so that gradients find their way to the F that came in.
    template <class L>
    static void run(int n, Params const& p, State const* in, State* out, T const* x, T* y, L& of,
                    int capacity_of_group, T* kept, Scratch s) noexcept {
        Work const w = Layer::take(s, capacity_of_group, capacity);
        T* const fam_kv = s.template take<T>(std::size_t(2 * K * N * wide));
        T* const fam = s.template take<T>(std::size_t(N * row));
        T* const next = s.template take<T>(std::size_t(N * row));
        Rows const fk = fam_rows(fam_kv), fv = fam_rows(fam_kv + K * N * wide);
        std::int64_t const before = in ? in->count : 0;
        int const front = int(std::min<std::int64_t>(before, capacity));
        std::copy_n(before > 0 ? in->fam : p.fam[0], N * row, fam);
        auto const answer = [&](std::int64_t block) noexcept {
            Layer::norm(N, p.layer, fam, w);
            Layer::answer(N, p.layer, block - N, w, fk, fv, s);
        };
        if (before > 0 && in == out) std::copy_n(in->fam_kv, 2 * K * N * wide, fam_kv);
        else answer(before / B * B);
        if (before > 0)
            ring<capacity>(before, front, [&](int slot, int at) noexcept {
                exchange(slot, at, *in, of, [](T const* of_state, T* of_long) { copy(of_state, of_long); });
            });
        int j = 0;
        for (int t = 0; t < n; ++j) {
            Stretch const c(before, front, t, n);
            if (kept) std::copy_n(fam, N * row, kept + j * N * row);
            T const* const tokens = x + std::ptrdiff_t(t) * row;
            int const here = c.row_of(c.at);
            Layer::ask(c.m, p.layer, tokens, c.at, w, s);
            Layer::answer(c.m, p.layer, c.at, w, of.keys(here), of.values(here), s);
            Layer::attend(c.m, tokens_see(c, fk, fv, of), w);
            Layer::finish(c.m, p.layer, tokens, w, y + std::ptrdiff_t(t) * row);
            if (c.ends_block()) {
                Layer::ask(N, p.layer, fam, c.block + B - N, w, s);
                Layer::attend(N, fam_sees(c, fk, fv, of), w);
                Layer::finish(N, p.layer, c.block > 0 ? fam : nullptr, w, next);
                if constexpr (Spec::rows_are_normed) Layer::norm_rows(N, next, fam);
                else std::copy_n(next, N * row, fam);
                answer(c.block + B);
            }
            t += c.m;
        }
        if (kept) std::copy_n(fam, N * row, kept + j * N * row);
        if (!out) return;
        if (out != in) {
            if (in) *out = *in;
            else std::memset(static_cast<void*>(out), 0, sizeof *out);
        }
        ring<capacity>(
            before + n, front + n,
            [&](int slot, int at) noexcept {
                exchange(slot, at, *out, of, [](T* of_state, T const* of_long) { copy(of_long, of_state); });
            },
            n);
        if (n > 0) {
            std::copy_n(fam, N * row, out->fam);
            std::copy_n(fam_kv, 2 * K * N * wide, out->fam_kv);
        }
        out->count = before + n;
    }

    template <class To>
    static void pull_sequence(int n, Params const& p, Params& g, std::int64_t before, int front, Kept& kept,
                              T const* x, T const* dy, To const& dx_at, Long<I::rows>& d, T* dfam,
                              T const* dlast_kv, Scratch s) noexcept {
        Work const w = Layer::take(s, group, capacity), dw = Layer::take(s, group, capacity);
        T* const fam_kv = s.template take<T>(std::size_t(2 * K * N * wide));
        T* const dfam_kv = s.template take<T>(std::size_t(2 * K * N * wide));
        T* const dold = s.template take<T>(std::size_t(N * row));
        T* const dtokens = s.template take<T>(std::size_t(group * row));
        T* const next = s.template take<T>(std::size_t(N * row));
        T* const dnext = s.template take<T>(std::size_t(N * row));
        T* const of_ones = s.template take<T>(std::size_t(row)); // a gradient that nobody asks for
        kernels::clear(of_ones, row);
        Rows const fk = fam_rows(fam_kv), fv = fam_rows(fam_kv + K * N * wide), dfk = fam_rows(dfam_kv),
                   dfv = fam_rows(dfam_kv + K * N * wide);
        int* const starts = s.template take<int>(std::size_t(stretches));
        int j = 0;
        for (int t = 0; t < n; ++j) {
            starts[j] = t;
            t += Stretch(before, front, t, n).m;
        }
        std::copy_n(dlast_kv, 2 * K * N * wide, dfam_kv);
        Layer::norm(N, p.layer, kept.fam[j], w);
        Layer::answer_backward(N, p.layer, g.layer, kept.fam[j], (before + n) / B * B - N, w, dw, dfk, dfv,
                               dfam, s);
        while (--j >= 0) {
            Stretch const c(before, front, starts[j], n);
            T const* const fam = kept.fam[j];
            Layer::norm(N, p.layer, fam, w);
            Layer::answer(N, p.layer, c.block - N, w, fk, fv, s);
            kernels::clear(dfam_kv, 2 * K * N * wide);
            if (c.ends_block()) {
                kernels::clear(dold, N * row);
                auto const seen = fam_sees(c, fk, fv, kept.of);
                T const* const added = c.block > 0 ? fam : nullptr;
                Layer::ask(N, p.layer, fam, c.block + B - N, w, s);
                Layer::attend(N, seen, w);
                Layer::finish(N, p.layer, added, w, Spec::rows_are_normed ? next : nullptr);
                if constexpr (Spec::rows_are_normed) {
                    Layer::norm_rows_backward(N, next, dfam, dnext, of_ones);
                    std::copy_n(dnext, N * row, dfam);
                }
                Layer::finish_backward(N, p.layer, g.layer, w, dw, dfam, added ? dold : nullptr);
                Layer::attend_backward(N, seen, fam_sees(c, dfk, dfv, d), w, dw);
                Layer::ask_backward(N, p.layer, g.layer, fam, c.block + B - N, w, dw, dold, s);
                std::copy_n(dold, N * row, dfam);
            }
            T const* const tokens = x + std::ptrdiff_t(c.t) * row;
            int const here = c.row_of(c.at);
            auto const seen = tokens_see(c, fk, fv, kept.of);
            kernels::clear(dtokens, c.m * row);
            Layer::ask(c.m, p.layer, tokens, c.at, w, s);
            Layer::attend(c.m, seen, w);
            Layer::finish(c.m, p.layer, tokens, w, nullptr);
            Layer::finish_backward(c.m, p.layer, g.layer, w, dw, dy + std::ptrdiff_t(c.t) * row, dtokens);
            Layer::attend_backward(c.m, seen, tokens_see(c, dfk, dfv, d), w, dw);
            Layer::ask_backward(c.m, p.layer, g.layer, tokens, c.at, w, dw, dtokens, s);
            Layer::answer_backward(c.m, p.layer, g.layer, tokens, c.at, w, dw, d.keys(here), d.values(here),
                                   dtokens, s);
            if (T* const to = dx_at(c.t)) std::copy_n(dtokens, c.m * row, to);
            Layer::norm(N, p.layer, fam, w);
            Layer::answer_backward(N, p.layer, g.layer, fam, c.block - N, w, dw, dfk, dfv, dfam, s);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
