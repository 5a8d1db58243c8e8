// SPDX-License-Identifier: BSD-3-Clause
// Scores that fall with distance: by a slope, or by what the tokens between decide to forget.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/core/view.hpp>

namespace inlay::inline INLAY_ISA {

/// Scores fall by slope_h (i - j), with the slopes of arXiv 2108.12409: 2^(-8 (h+1) / n) for the first n
/// heads, n the largest power of two up to H, then 2^(-4 (2 (h-n) + 1) / n).
struct Alibi {
    using PolicyKind = WhichPlaces;
    using Is = List<that_knows_distances>;
    using Refuses = List<that_sees_ahead, with_keys_of_no_place>;
};
/// Alibi whose `slopes [H]` are learned, from those of Alibi.
struct LearnedAlibi {
    using PolicyKind = WhichPlaces;
    using Is = List<that_knows_distances>;
    using Refuses = List<that_sees_ahead, with_keys_of_no_place>;
};
/// Scores fall by what the tokens between forget (arXiv 2503.02130): sum over l in (j, i] of
/// log sigmoid(w_h x_l + b_h). Parameters: `forget.weight [H, D]` from Xavier's distribution, `forget.bias
/// [H]`, zeros at first. A stream keeps one number more for each head and key.
struct Forgetting {
    using PolicyKind = WhichForgetting;
    using Is = List<that_knows_distances>;
    using Refuses = List<that_sees_ahead, with_keys_of_no_place>;
};

namespace detail {
inline double alibi_slope(int h, int heads) {
    int n = 1;
    while (2 * n <= heads) n *= 2;
    double const turn = h < n ? -8.0 * (h + 1) / n : -4.0 * (2 * (h - n) + 1) / n;
    return std::exp2(turn);
}

/// Adds to the levels of the keys of head h, whose differences are added to scores.
template <class S, class Policy> struct PlaceLevels : NoPart<WhichPlaces> {
    template <class... A> static void lay(A&&...) noexcept {}
    template <class... A> static void pull(A&&...) noexcept {}
    template <class... A> static void step(A&&...) noexcept {}
};
template <class S> struct PlaceLevels<S, Alibi> : NoPart<WhichPlaces> {
    static constexpr bool used = true;
    template <class P> static double slope(P const&, int h) noexcept { return alibi_slope(h, S::H); }

    template <class P>
    static void lay(P const& p, int h, typename S::Order order, int n, double* level) noexcept {
        lay_slope(slope(p, h), order, n, level);
    }
    template <class... A> static void pull(A&&...) noexcept {}
    template <class P, class T>
    static void step(P const& p, int h, typename S::Ring const& ring, T* scores) noexcept {
        step_slope(slope(p, h), ring, scores);
    }

protected:
    static void lay_slope(double slope, typename S::Order order, int n, double* level) noexcept {
        for (int r = 0; r < order.stored() + n; ++r)
            level[r] -= slope * double(order.place(r) - order.before);
    }
    template <class T>
    static void step_slope(double slope, typename S::Ring const& ring, T* scores) noexcept {
        for (int slot = 0; slot < ring.stored(); ++slot)
            scores[slot] -= T(slope * double(ring.count - 1 - ring.place(slot)));
    }
};
template <class S> struct PlaceLevels<S, LearnedAlibi> : PlaceLevels<S, Alibi> {
    using Base = PlaceLevels<S, Alibi>;
    using T = typename S::T;
    static constexpr long long parameters = S::H;
    struct Params {
        Tensor<typename S::Real, 1, S::H> slopes;
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<LearnedAlibi>{}, Path{&at, "slopes"}, Kind::vector, p.slopes.ref());
    }
    template <class C> static void initialize(C const&, Params& p) noexcept {
        for (int h = 0; h < S::H; ++h) p.slopes[0][h] = T(alibi_slope(h, S::H));
    }
    static void lay(Params const& p, int h, typename S::Order order, int n, double* level) noexcept {
        Base::lay_slope(double(p.slopes[0][h]), order, n, level);
    }
    static void pull(Params& g, int h, typename S::Order order, int n, double const* dlevel) noexcept {
        double sum = 0;
        for (int r = 0; r < order.stored() + n; ++r) sum += dlevel[r] * double(order.place(r) - order.before);
        g.slopes[0][h] -= T(sum);
    }
    static void step(Params const& p, int h, typename S::Ring const& ring, T* scores) noexcept {
        Base::step_slope(double(p.slopes[0][h]), ring, scores);
    }
};

template <class S, class I, class Policy> struct ForgetLevels : NoPart<WhichForgetting> {
    template <class... A> static void project(A&&...) noexcept {}
    template <class... A> static void lay(A&&...) noexcept {}
    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static void pull(A&&...) noexcept {}
    template <class... A> static void count(A&&...) noexcept {}
    template <class... A> static void step(A&&...) noexcept {}
};
/// The level of a token is the sum of all log f up to it.
template <class S, class I> struct ForgetLevels<S, I, Forgetting> : NoPart<WhichForgetting> {
    using T = typename S::T;
    using R = typename S::Real;
    using Ring = typename S::Ring;
    using Order = typename S::Order;
    using Map = typename Dense<S::H>::template Block<I, R>;
    using Rows = PartRows<Shape<S::rows, S::H>, R>; ///< w x + b, or gradients
    static constexpr bool used = true;
    static constexpr int row = Rows::row;
    static constexpr long long parameters = Map::parameters;
    static constexpr double flops = Map::flops;
    struct Params {
        typename Map::Params map;
    };
    /// What a stream keeps: levels of the keys in the ring, and of the last token.
    struct Memory {
        double level[std::size_t(S::H)][std::size_t(Ring::capacity)];
        double last[std::size_t(S::H)];
    };
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Map::visit(p.map, Path{&at, "forget"}, f);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        draw_map(c.key.fold(7), 1, p.map);
    }

    static void project(int n, Params const& p, T const* x, Rows before) noexcept {
        Map::apply(n, p.map, x, before.data);
    }

    static void lay(int h, Order order, int n, Rows before, Memory const* memory, double* level) noexcept {
        int const old = order.stored();
        for (int r = 0; r < old; ++r) level[r] += memory->level[h][Ring::slot(order.place(r))];
        double last = memory ? memory->last[h] : 0;
        for (int t = 0; t < n; ++t) level[old + t] += last += log_sigmoid(double(before.data[t * row + h]));
    }
    /// What the stream keeps of head h after n new tokens; of what it kept before, the survivors are there.
    static void keep(int h, Order order, int n, Rows before, Memory const* in, Memory& out) noexcept {
        double last = in ? in->last[h] : 0;
        for (int t = 0; t < n; ++t) {
            last += log_sigmoid(double(before.data[t * row + h]));
            std::int64_t const place = order.before + t;
            if (Ring::survives(place, order.before + n)) out.level[h][Ring::slot(place)] = last;
        }
        out.last[h] = last;
    }
    /// The gradient of what came before the sigmoid, from that of levels and of what the stream kept.
    static void pull(int h, Order order, int n, Rows before, double* dlevel, Memory const* d_out,
                     Memory* d_in, Rows dbefore) noexcept {
        int const old = order.stored();
        double sum = d_out ? d_out->last[h] : 0;
        if (d_out)
            for (int r = 0; r < old + n; ++r)
                if (Ring::survives(order.place(r), order.before + n))
                    dlevel[r] += d_out->level[h][Ring::slot(order.place(r))];
        for (int t = n - 1; t >= 0; --t) {
            sum += dlevel[old + t];
            dbefore.data[t * row + h] = T(sum * sigmoid(-double(before.data[t * row + h])));
        }
        if (!d_in) return;
        std::fill_n(d_in->level[h], Ring::capacity, 0.0);
        for (int r = 0; r < old; ++r) d_in->level[h][Ring::slot(order.place(r))] = dlevel[r];
        d_in->last[h] = sum;
    }
    /// One token, that the ring has counted: its levels are kept.
    static void count(Memory& memory, Ring const& ring, Rows before) noexcept {
        for (int h = 0; h < S::H; ++h)
            memory.level[h][Ring::slot(ring.count - 1)] = memory.last[h] +=
                log_sigmoid(double(before.data[h]));
    }
    /// Distances from that token are added to scores.
    static void step(int h, Memory const& memory, Ring const& ring, T* scores) noexcept {
        for (int slot = 0; slot < ring.stored(); ++slot)
            scores[slot] += T(memory.last[h] - memory.level[h][slot]);
    }

private:
    static double log_sigmoid(double x) noexcept {
        return (x < 0 ? x : 0) - std::log1p(std::exp(-std::abs(x)));
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
