// SPDX-License-Identifier: BSD-3-Clause
// What tokens look at: the weights of attention, which blocks themselves never hold.
#pragma once

#include <inlay/blocks/softmax_attn.hpp>
#include <inlay/blocks/sparse_attn.hpp>
#include <inlay/probe/attention_heads.hpp>
#include <inlay/probe/watch.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {

/// The weights of one layer of attention over one sequence.
struct AttentionMap {
    std::string place; ///< of the block, as names of tensors have it
    int layer = 0;     ///< layers of SoftmaxAttn and SparseAttn before it
    int heads = 0;     ///< of queries; with Differential those of both sets, side by side
    int tokens = 0;
    std::vector<double> weight; ///< heads x tokens x tokens: of a head, a query and a key

    double at(int head, int query, int key) const noexcept { return row(head, query)[key]; }
    double const* row(int head, int query) const noexcept {
        return weight.data() +
               (std::size_t(head) * std::size_t(tokens) + std::size_t(query)) * std::size_t(tokens);
    }
    /// The key that a query looks at most, the first of equals.
    int strongest(int head, int query) const noexcept {
        auto const* const w = row(head, query);
        return int(std::max_element(w, w + tokens) - w);
    }
    /// What a query leaves for no token: learned keys, and scores without a key.
    double elsewhere(int head, int query) const noexcept {
        double sum = 0;
        for (int j = 0; j < tokens; ++j) sum += at(head, query, j);
        return std::max(0.0, 1 - sum);
    }
    /// -sum w log w of a query, over tokens: 0 where it looks at one, log n where at n evenly.
    double entropy(int head, int query) const noexcept {
        double sum = 0;
        for (int j = 0; j < tokens; ++j)
            if (double const w = at(head, query, j); w > 0) sum -= w * std::log(w);
        return sum;
    }
};

namespace detail {
template <class Spec> inline constexpr bool is_attention = false;
template <class... P> inline constexpr bool is_attention<SoftmaxAttn<P...>> = true;
template <class... P> inline constexpr bool is_attention<SparseAttn<P...>> = true;

/// Reads weights off the block's own kernel: what it mixes, with unit vectors for values, are the weights, as
/// many keys at a time as a value has numbers.
template <class A> class WeightReader {
public:
    using T = typename A::T;
    using S = typename A::S;
    static constexpr int d = S::d, vd = S::vd, wide = S::vwide, front = S::front;

    template <class C, class X>
    static void read(C const& c, typename A::Params const& p, X x, AttentionMap& map) {
        Scratched room;
        Scratch s{room.data()};
        int const n = x.length(0);
        auto side = A::Sides::take(s, 1);
        auto const forget = A::Forget::Rows::take(s, 1);
        auto rows = A::Rows::take(s);
        double* const level = reinterpret_cast<double*>(s.template take<std::byte>(level_bytes));
        auto const selected = A::Select::take(s);
        auto chosen = A::Choice::take(c, s);
        A::Forget::project(n, p.forget, A::asked_rows(c, x)(0), forget);
        lay_heads<A>(c, p, x, side, rows, s);
        A::Select::begin(rows.order, n, nullptr, selected);
        if constexpr (A::Choice::used) {
            A::Choice::project(n, p.choice, x(0), chosen);
            A::Choice::begin(static_cast<typename A::Choice::Memory const*>(nullptr), rows.order, n, chosen);
        }

        map.heads = S::asks, map.tokens = n;
        map.weight.assign(std::size_t(S::asks) * std::size_t(n) * std::size_t(n), 0.0);
        T* const unit = s.template take<T>(std::size_t((front + S::rows) * wide));
        T* const mixed = s.template take<T>(std::size_t(S::rows * wide));
        T* const kept = s.template take<T>(std::size_t(S::rows));
        T* const work = s.template take<T>(A::Weights::room);
        T const scale = A::Norm::scaled ? T(1 / std::sqrt(double(d))) : T(1);
        auto const judge = rows.head(0, 0, n, scale);
        for (int h = 0; h < A::H; ++h) {
            if constexpr (A::Choice::used) A::Choice::choose(h, rows, n, chosen);
            A::Sink::put(p.sink, h, rows.key(h, 0), rows.value(h));
            std::fill_n(level, S::most_keys, 0.0);
            A::Place::lay(p.place, h, rows.order, n, level);
            lay(h, rows.order, n, forget, level);
            for (int set = 0; set < S::sets; ++set) {
                auto head = rows.head(h, set, n, scale);
                head.value = unit;
                double* const to =
                    map.weight.data() + std::size_t(h * S::sets + set) * std::size_t(n) * std::size_t(n);
                for (int first = 0; first < n; first += vd) {
                    std::fill_n(unit, (front + n) * wide, T(0));
                    for (int i = 0; i < vd && first + i < n; ++i) unit[(front + first + i) * wide + i] = T(1);
                    A::Weights::forward(head, scores(judge, selected, rows.order, n, level),
                                        A::Sink::score(p.sink, h), mixed, wide, kept, work, chosen);
                    for (int t = 0; t < n; ++t)
                        for (int i = 0; i < vd && first + i < n; ++i)
                            to[t * n + first + i] = double(mixed[t * wide + i]);
                }
            }
        }
    }

private:
    static constexpr std::size_t level_bytes = lines(sizeof(double) * std::size_t(S::most_keys));
    struct Scratched {
        AlignedBytes bytes =
            aligned_bytes(A::scratch(1) + level_bytes + 4 * 64 +
                          sizeof(T) * (std::size_t((front + 3 * S::rows) * wide) + A::Weights::room));
        std::byte* data() noexcept { return bytes.get(); }
    };
    template <class Order, class Rows>
    static void lay(int h, Order order, int n, Rows forget, double* level) noexcept {
        if constexpr (A::Forget::used)
            A::Forget::lay(h, order, n, forget, static_cast<typename A::Forget::Memory const*>(nullptr),
                           level);
    }
    template <class Head, class Room, class Order>
    static auto scores([[maybe_unused]] Head const& judge, [[maybe_unused]] Room const& selected,
                       [[maybe_unused]] Order order, [[maybe_unused]] int n,
                       [[maybe_unused]] double const* level) noexcept {
        auto const cap = A::Spec::Cap::template of<T>();
        using Cap = std::remove_const_t<decltype(cap)>;
        if constexpr (A::has_levels) return kernels::Scores<Cap, kernels::Levels>{cap, {level, 0, nullptr}};
        else if constexpr (A::Select::used)
            return kernels::Scores<Cap, typename A::Select::Bias>{
                cap, A::Select::bias(&judge, cap, order, n, selected, selected.rest)};
        else return kernels::Scores<Cap>{cap, {}};
    }
};

/// Weights of scores that are of keys alone.
template <class A> struct MeanReader {
    template <class C, class X>
    static void read(C const&, typename A::Params const& p, X x, AttentionMap& map) {
        auto const room = aligned_bytes(A::scratch(1));
        Scratch s{room.get()};
        int const n = x.length(0);
        auto const side = A::Sides::take(s, 1);
        A::Q::apply(n, p.q, x(0), side.q);
        A::Key::apply(n, p.k, x(0), side.k);
        map.heads = A::H, map.tokens = n;
        map.weight.assign(std::size_t(A::H) * std::size_t(n) * std::size_t(n), 0.0);
        std::vector<double> score(static_cast<std::size_t>(n));
        for (int h = 0; h < A::H; ++h)
            for (int t = 0; t < n; ++t) {
                auto const at = side.token(t);
                double sum = 0;
                for (int i = 0; i < A::d; ++i) {
                    auto const q = double(at.q[h * A::d + i]);
                    sum += q / (1 + std::exp(-q)) * double(at.k[h / A::group * A::d + i]);
                }
                score[std::size_t(t)] = sum / std::sqrt(double(A::d));
                double const top = *std::max_element(score.begin(), score.begin() + t + 1);
                double* const to = map.weight.data() + std::size_t(h * n + t) * std::size_t(n);
                double total = 0;
                for (int j = 0; j <= t; ++j) total += to[j] = std::exp(score[std::size_t(j)] - top);
                for (int j = 0; j <= t; ++j) to[j] /= total;
            }
    }
};
template <class A>
using MapReader = std::conditional_t<std::is_same_v<typename A::Spec::Asks, ScoredBy<NonApproximate>>,
                                     MeanReader<A>, WeightReader<A>>;

template <class F> class AttentionWatch {
public:
    explicit AttentionWatch(F& f) : f_(f) {}
    void enter(Path const& place) { place_.enter(place); }
    template <class Block, class C, class P, class X, class Y> void leave(C const& c, P const& p, X x, Y) {
        if constexpr (is_attention<typename Block::Spec>) {
            map_.place = place_.text();
            MapReader<Block>::read(c, p, x, map_);
            f_(std::as_const(map_));
            ++map_.layer;
        }
        place_.leave();
    }

private:
    F& f_;
    PlaceNow place_;
    AttentionMap map_;
};
} // namespace detail

/// Runs one sequence, ids or a view, through a network and calls `f(AttentionMap const&)` for each layer of
/// SoftmaxAttn and SparseAttn, in the order in which they run; a map holds for the call. Weights are those
/// that values are added with: of Nsa the sum of its branches, gates included. Cost: forward, and for each
/// layer T / HeadDim times the kernel of attention again; memory heads T^2 numbers.
template <class M, class X, class F> void each_attention_map(Network<M> const& net, X const& x, F&& f) {
    detail::AttentionWatch<std::remove_reference_t<F>> observer(f);
    watch(net, x, observer);
}

} // namespace inlay::inline INLAY_ISA
