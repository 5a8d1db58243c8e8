// SPDX-License-Identifier: BSD-3-Clause
// One sequence as kernels of attention read it: heads apart, keys behind those that the stream had stored.
#pragma once

#include <inlay/blocks/attention/key_ring.hpp>
#include <inlay/blocks/attention/rope.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Bytes of a buffer behind which the next one starts at another place of a page: tiles of several are read
/// and written in turn, and addresses that are equal modulo 4 KB would wait for each other (measured: 1.6x).
constexpr std::size_t apart(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096 + 1088; }

/// What a token sees of an input of so many rows. A stream without a window keeps as many keys as its input
/// has rows; patterns know a window of their own.
template <class Win, int Rows, bool Streams> struct WindowOver {
    using type = Win;
};
template <int Rows> struct WindowOver<NoWindow, Rows, true> {
    using type = Window<Rows>;
};
template <class Win, int Rows, bool Streams>
    requires requires { typename Win::template Over<Rows>; }
struct WindowOver<Win, Rows, Streams> {
    using type = typename Win::template Over<Rows>;
};

/// What policies and shape say of an attention.
template <class Spec, class I, class R> struct AttentionShape {
    using Input = I;
    using Real = R;
    using T = typename R::type;
    static constexpr int W = R::lanes, rows = I::rows, H = Spec::heads, K = Spec::kv_heads;
    static constexpr int sets = Spec::Diff::sets; ///< of queries and keys over the same values
    static constexpr int d = Spec::template head_dim<I::width>, vd = sets * d;
    static constexpr int wide = padded(d, W), vwide = padded(vd, W); ///< of a row of a head
    static constexpr int asks = H * sets, answers = K * sets;        ///< heads of queries, and of keys
    using Keys = typename Spec::Keys;
    using Win = typename WindowOver<typename Spec::Win, rows, Keys::streams>::type;
    using Sink = typename Spec::Sink;
    static constexpr int front = Spec::ScoreSink::keys; ///< rows of keys before those of tokens

    static constexpr Sight sight(std::int64_t place) noexcept { return sight_of<Keys, Win, Sink>(place); }
    static constexpr int slots() {
        if constexpr (Keys::streams) return Win::capacity;
        else return 1;
    }
    using Ring = KeyRing<R, answers, K, Sink::value, slots(), d, vd>;
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
    kernels::KeySpans<T> spans{};
    typename S::Order order{};

    static constexpr std::size_t query_bytes = apart(sizeof(T) * std::size_t(S::asks * S::rows * S::wide));
    static constexpr std::size_t mixed_bytes = apart(sizeof(T) * std::size_t(S::asks * S::rows * S::vwide));
    static constexpr std::size_t key_bytes(int heads, int wide) {
        return apart(sizeof(T) * std::size_t(heads) * std::size_t((S::front + S::most_keys) * wide));
    }
    static constexpr std::size_t scratch = query_bytes + key_bytes(S::answers, S::wide) +
                                           key_bytes(S::K, S::vwide) +
                                           3 * lines(sizeof(T) * std::size_t(S::rows));

    /// Rows of what heads give, heads apart.
    static HeadRows<T> take_mixed(Scratch& s) noexcept {
        return {reinterpret_cast<T*>(s.template take<std::byte>(mixed_bytes)), S::rows * S::vwide, S::vwide};
    }
    static AttentionRows take(Scratch& s) noexcept {
        AttentionRows r;
        r.q = {reinterpret_cast<T*>(s.template take<std::byte>(query_bytes)), S::rows * S::wide, S::wide};
        r.k = take_keys(s, S::answers, S::wide), r.v = take_keys(s, S::K, S::vwide);
        for (T** part : {&r.spans.always, &r.spans.first, &r.spans.last})
            *part = s.template take<T>(std::size_t(S::rows));
        return r;
    }

    int keys(int n) const noexcept { return order.stored() + n; }
    /// Rows of what is new.
    HeadRows<T> fresh(HeadRows<T> all) const noexcept { return {all(0, order.stored()), all.head, all.row}; }

    /// Fills keys and values from a ring, or none, and finds what n new tokens see.
    void begin(Ring const* ring, int n) noexcept {
        order.before = ring ? ring->count : 0;
        for (int r = 0; r < order.stored(); ++r)
            each_row(r, Ring::slot(order.place(r)), *ring,
                     [](T* row, T const* in, int wide) { std::copy_n(in, wide, row); });
        std::int64_t const end = order.before + n;
        for (int t = 0; t < n; ++t) {
            Sight const sight = S::sight(order.before + t);
            spans.set(t, S::front + order.row(std::min(sight.always, end)), S::front + order.row(sight.first),
                      S::front + order.row(std::min(sight.last, end)));
        }
    }
    /// The ring after n new tokens.
    void end(Ring const* in, int n, Ring& out) const noexcept {
        if (!in) std::memset(static_cast<void*>(&out), 0, sizeof out);
        else if (in != &out) out = *in;
        out.count = order.before + n;
        each_survivor(n, order.stored(), [&](int r, int slot) {
            each_row(r, slot, out, [](T const* row, T* to, int wide) { std::copy_n(row, wide, to); });
        });
    }
    /// Of gradients: adds those of a ring after n new tokens.
    void add(Ring const& ring, int n) const noexcept {
        each_survivor(n, 0, [&](int r, int slot) {
            each_row(r, slot, ring, [](T* row, T const* in, int wide) { kernels::add<S::W>(wide, in, row); });
        });
    }
    /// Of gradients: those of the ring that came in.
    void give(Ring& ring) const noexcept {
        std::memset(static_cast<void*>(&ring), 0, sizeof ring);
        for (int r = 0; r < order.stored(); ++r)
            each_row(r, Ring::slot(order.place(r)), ring,
                     [](T const* row, T* to, int wide) { std::copy_n(row, wide, to); });
    }

    /// Zeros in the keys and values that n new tokens see.
    void clear_keys(int n) const noexcept {
        for (int h = 0; h < S::answers; ++h) kernels::clear(k(h), std::ptrdiff_t(keys(n)) * S::wide);
        for (int h = 0; h < S::K; ++h) kernels::clear(v(h), std::ptrdiff_t(keys(n)) * S::vwide);
    }
    /// Set `set` of head h: its queries, and the first of the keys and values that it reads.
    T* query(int h, int set) const noexcept { return q(h * S::sets + set); }
    T* key(int h, int set) const noexcept { return k(h / (S::H / S::K) * S::sets + set, -S::front); }
    T* value(int h) const noexcept { return v(h / (S::H / S::K), -S::front); }
    kernels::AttentionHead<T> head(int h, int set, int n, T scale) const noexcept {
        return {n, S::d, S::vd, scale, query(h, set), key(h, set), value(h), q.row, k.row, v.row, spans};
    }

private:
    static HeadRows<T> take_keys(Scratch& s, int heads, int wide) noexcept {
        T* const room = reinterpret_cast<T*>(s.template take<std::byte>(key_bytes(heads, wide)));
        return {room + S::front * wide, (S::front + S::most_keys) * wide, wide};
    }
    /// Calls f(own row, row of the ring, width) for each head of keys and of values.
    template <class Kept, class F> void each_row(int r, int slot, Kept& ring, F const& f) const noexcept {
        for (int h = 0; h < S::answers; ++h) f(k(h, r), ring.key[h][slot], S::wide);
        for (int h = 0; h < S::K; ++h) f(v(h, r), ring.value[h][slot], S::vwide);
    }
    /// Calls f(row, slot) for rows from `first` that are stored after n new tokens.
    template <class F> void each_survivor(int n, int first, F const& f) const noexcept {
        for (int r = first; r < keys(n); ++r)
            if (Ring::survives(order.place(r), order.before + n)) f(r, Ring::slot(order.place(r)));
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
