// SPDX-License-Identifier: BSD-3-Clause
// One sequence as kernels of attention read it: heads apart, keys behind those that the stream had stored.
#pragma once

#include <inlay/blocks/key_ring.hpp>
#include <inlay/blocks/rope.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/attention_tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Bytes of a buffer behind which the next one starts at another place of a page: tiles of several are read
/// and written in turn, and addresses that are equal modulo 4 KB would wait for each other (measured: 1.6x).
constexpr std::size_t apart(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096 + 1088; }

/// What policies and shape say of an attention.
template <class Spec, class I, class R> struct AttentionShape {
    using Real = R;
    using T = typename R::type;
    static constexpr int W = R::lanes, rows = I::rows, H = Spec::heads, K = Spec::kv_heads;
    static constexpr int d = Spec::template head_dim<I::width>;
    static constexpr int wide = padded(d, W); ///< of a row of a head
    using Keys = typename Spec::Keys;
    // A stream without a window keeps as many keys as its input has rows.
    using Win = std::conditional_t<std::is_same_v<typename Spec::Win, NoWindow> && Keys::streams,
                                   Window<rows>, typename Spec::Win>;
    using Sink = typename Spec::Sink;
    static constexpr int front = Spec::ScoreSink::keys; ///< rows of keys before those of tokens

    static constexpr Sight sight(std::int64_t place) noexcept { return sight_of<Keys, Win, Sink>(place); }
    static constexpr int slots() {
        if constexpr (Keys::streams) return Win::capacity;
        else return 1;
    }
    using Ring = KeyRing<R, K, Sink::value, slots(), d, d>;
    using Order = KeyOrder<Ring, Sink::value>;
    /// Of a part of a stream.
    static constexpr int most_keys = (Keys::streams ? Ring::capacity : 0) + rows;

    /// Pairs of a query and a key that it sees.
    static constexpr double pairs() {
        double n = 0;
        for (int i = 0; i < rows; ++i) {
            Sight const s = sight(i);
            auto const end = std::min<std::int64_t>(s.last, rows);
            auto const first = std::max(s.first, s.always);
            n += double(s.always + (end > first ? end - first : 0));
        }
        return n;
    }
};

/// Queries, keys and values of one sequence (or their gradients), heads apart. Row -S::front of keys is the
/// first that kernels read.
template <class S> struct AttentionRows {
    using T = typename S::T;
    using Ring = typename S::Ring;
    HeadRows<T> q, k, v;
    kernels::KeySpan* spans = nullptr;
    typename S::Order order{};

    static constexpr std::size_t query_bytes = sizeof(T) * std::size_t(S::H) * std::size_t(S::rows * S::wide);
    static constexpr std::size_t key_bytes =
        sizeof(T) * std::size_t(S::K) * std::size_t((S::front + S::most_keys) * S::wide);
    static constexpr std::size_t scratch =
        apart(query_bytes) + 2 * apart(key_bytes) + lines(sizeof(kernels::KeySpan) * std::size_t(S::rows));

    static HeadRows<T> take_queries(Scratch& s) noexcept {
        return {reinterpret_cast<T*>(s.template take<std::byte>(apart(query_bytes))), S::rows * S::wide,
                S::wide};
    }
    static HeadRows<T> take_keys(Scratch& s) noexcept {
        T* const room = reinterpret_cast<T*>(s.template take<std::byte>(apart(key_bytes)));
        return {room + S::front * S::wide, (S::front + S::most_keys) * S::wide, S::wide};
    }
    static AttentionRows take(Scratch& s) noexcept {
        AttentionRows r;
        r.q = take_queries(s), r.k = take_keys(s), r.v = take_keys(s);
        r.spans = s.template take<kernels::KeySpan>(std::size_t(S::rows));
        return r;
    }

    int keys(int n) const noexcept { return order.stored() + n; }
    /// Rows of what is new.
    HeadRows<T> fresh(HeadRows<T> all) const noexcept { return {all(0, order.stored()), all.head, all.row}; }

    /// Fills keys and values from a ring, or none, and finds what n new tokens see.
    void begin(Ring const* ring, int n) noexcept {
        order.before = ring ? ring->count : 0;
        for (int r = 0; r < order.stored(); ++r)
            for (int h = 0; h < S::K; ++h) {
                int const slot = Ring::slot(order.place(r));
                std::copy_n(ring->key[h][slot], S::wide, k(h, r));
                std::copy_n(ring->value[h][slot], S::wide, v(h, r));
            }
        std::int64_t const end = order.before + n;
        for (int t = 0; t < n; ++t) {
            Sight const sight = S::sight(order.before + t);
            spans[t] = {S::front + order.row(std::min(sight.always, end)), S::front + order.row(sight.first),
                        S::front + order.row(std::min(sight.last, end))};
        }
    }
    /// The ring after n new tokens.
    void end(Ring const* in, int n, Ring& out) const noexcept {
        if (!in) std::memset(static_cast<void*>(&out), 0, sizeof out);
        else if (in != &out) out = *in;
        out.count = order.before + n;
        each_survivor(n, order.stored(), [&](int r, int slot) {
            for (int h = 0; h < S::K; ++h) {
                std::copy_n(k(h, r), S::wide, out.key[h][slot]);
                std::copy_n(v(h, r), S::wide, out.value[h][slot]);
            }
        });
    }
    /// Of gradients: adds those of a ring after n new tokens.
    void add(Ring const& ring, int n) const noexcept {
        each_survivor(n, 0, [&](int r, int slot) {
            for (int h = 0; h < S::K; ++h) {
                kernels::add<S::W>(S::wide, ring.key[h][slot], k(h, r));
                kernels::add<S::W>(S::wide, ring.value[h][slot], v(h, r));
            }
        });
    }
    /// Of gradients: those of the ring that came in.
    void give(Ring& ring) const noexcept {
        std::memset(static_cast<void*>(&ring), 0, sizeof ring);
        for (int r = 0; r < order.stored(); ++r)
            for (int h = 0; h < S::K; ++h) {
                int const slot = Ring::slot(order.place(r));
                std::copy_n(k(h, r), S::wide, ring.key[h][slot]);
                std::copy_n(v(h, r), S::wide, ring.value[h][slot]);
            }
    }

    kernels::AttentionHead<T> head(int h, int n, T scale) const noexcept {
        int const g = h / (S::H / S::K);
        return {n,       S::d,    S::d,    scale, q(h), k(g, -S::front), v(g, -S::front),
                S::wide, S::wide, S::wide, spans};
    }

private:
    /// Calls f(row, slot) for rows from `first` that are stored after n new tokens.
    template <class F> void each_survivor(int n, int first, F const& f) const noexcept {
        for (int r = first; r < keys(n); ++r)
            if (Ring::survives(order.place(r), order.before + n)) f(r, Ring::slot(order.place(r)));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
