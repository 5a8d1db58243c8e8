// SPDX-License-Identifier: BSD-3-Clause
// The gated linear family forward by groups of four tokens, where one decay is for all channels, or none.
//
// With a_i, what is left at token i of the memory S that the tokens start from, and w_i = u_i / a_i,
//
//     w_i = beta_i (v_i / a_i - k_i S - sum over j < i of (k_i k_j) w_j)
//     o_i = a_i (q_i S + sum over j <= i of (q_i k_j) w_j),   S += sum of k_i w_i, and a_last S at the end:
//
// no pair of tokens has a decay of its own. Few tokens meet in pairs, and what k and q read of S, eight rows,
// is as many sums as the registers hold.
#pragma once

#include <inlay/kernels/decay.hpp>

namespace inlay::inline INLAY_ISA {
namespace kernels {

/// Tokens of a head; rows are padded to whole vectors with zeros, and lie one behind the other.
template <class T> struct GatedChunk {
    int tokens, keys, key_row, value_row;
    T const *q = nullptr, *k = nullptr, *v = nullptr;
    T const* log_decay = nullptr; ///< `decays` to a token
    int decays = 0;               ///< none, one, or key_row: one for each row of S
    T const* beta = nullptr;      ///< one a token; null: 1
    bool delta = false;           ///< needs beta

    /// The n tokens from token t on.
    GatedChunk part(int t, int n) const noexcept {
        GatedChunk c = *this;
        c.tokens = n;
        c.q += t * key_row, c.k += t * key_row, c.v += t * value_row;
        if (log_decay) c.log_decay += t * decays;
        if (beta) c.beta += t;
        return c;
    }
};

/// Tokens that are worked on together.
inline constexpr int group = 4;

namespace detail {
/// Products of a group's queries with keys up to their own, and, for a delta rule, of its keys with earlier
/// ones.
struct GroupPair {
    int later, earlier;
    bool query;
};
inline constexpr int query_pairs = group * (group + 1) / 2, all_pairs = group * group;
constexpr int query_pair(int later, int earlier) { return later * (later + 1) / 2 + earlier; }
constexpr int key_pair(int later, int earlier) { return query_pairs + later * (later - 1) / 2 + earlier; }
constexpr GroupPair group_pair(int at) {
    for (int i = 0; i < group; ++i)
        for (int j = 0; j <= i; ++j) {
            if (j < i && key_pair(i, j) == at) return {i, j, false};
            if (query_pair(i, j) == at) return {i, j, true};
        }
    return {};
}
template <int At> inline constexpr GroupPair pair_at = group_pair(At);

/// Products of the pairs from First on, at `to[pair]`; without a delta rule those of keys are not known.
template <int W, bool delta, int First, class T>
INLAY_INLINE void pair_products(int row, T const* q, T const* k, T* to) noexcept {
    using V = simd::vec<T, W>;
    constexpr int end = delta ? all_pairs : query_pairs;
    if constexpr (First < end) {
        V sum[std::size_t(W)];
        INLAY_UNROLL for (int p = 0; p < W; ++p) sum[p] = V(T(0));
        for (int d = 0; d < row; d += W)
            [&]<int... P>(std::integer_sequence<int, P...>) INLAY_INLINE_LAMBDA {
                ((sum[P] = simd::fma(
                      V::load((pair_at<First + P>.query ? q : k) + pair_at<First + P>.later * row + d),
                      V::load(k + pair_at<First + P>.earlier * row + d), sum[P])),
                 ...);
            }(std::make_integer_sequence<int, std::min(W, end - First)>{});
        simd::row_sums(sum).store(to + First);
        pair_products<W, delta, First + W>(row, q, k, to);
    }
}

/// What is known of tokens before the memory is read: `pairs` of each group, and of each token 1 / a times
/// beta, -beta and a.
template <class T> struct GroupParts {
    T *pairs, *in, *lost, *out;
    GroupParts from(std::ptrdiff_t token) const noexcept {
        return {pairs + token * group, in + token, lost + token, out + token};
    }
};
/// Groups one behind the other.
template <class T> struct Groups {
    int count;
    T const *q, *k, *v;
    T* o;
    GroupParts<T> parts;
};

/// Four numbers of a column: p, and one, two and three rows on.
template <class T>
INLAY_INLINE T of_row(int r, T const* p, std::ptrdiff_t row, std::ptrdiff_t three) noexcept {
    return r == 0 ? p[0] : r == 1 ? p[row] : r == 2 ? p[2 * row] : p[three];
}
/// NV vectors of the values' columns from `column` on; `state` has these alone.
template <int W, int NV, bool delta, class T>
INLAY_NOINLINE inline void group_columns(GatedChunk<T> const& c, Groups<T> const& x, int column, T* state,
                                         std::ptrdiff_t state_row) noexcept {
    using V = simd::vec<T, W>;
    std::ptrdiff_t const K = c.key_row, row = c.value_row;
    T const *q = x.q, *k = x.k, *v = x.v + column;
    T* o = x.o + column;
    GroupParts<T> at = x.parts;
    // what is only added is known before the memory is read: one walk over it, where the registers hold both
    // sums
    constexpr bool one_pass = !delta && registers == 32;
    for (int left = x.count; left > 0; --left) {
        V held[group][std::size_t(NV)], read[group][std::size_t(NV)];
        INLAY_UNROLL for (int r = 0; r < group; ++r) INLAY_UNROLL for (int n = 0; n < NV; ++n) held[r][n] =
            read[r][n] = V(T(0));
        INLAY_UNROLL for (int r = 0; r < group; ++r) // parts of rows, which no machine foresees
            INLAY_UNROLL for (int n = 0; n < NV; ++n) simd::prefetch(v + r * row + n * W);
        auto const here_of = [&](T const* s, V(&here)[std::size_t(NV)]) INLAY_INLINE_LAMBDA {
            INLAY_UNROLL for (int n = 0; n < NV; ++n) {
                here[n] = V::load(s + n * W);
                simd::hold(here[n]);
            }
        };
        auto const rows_read = [&](T const* rows, V const(&here)[std::size_t(NV)],
                                   V(&sum)[group][std::size_t(NV)]) INLAY_INLINE_LAMBDA {
            INLAY_UNROLL for (int r = 0; r < group; ++r) {
                V const by(of_row(r, rows, K, 3 * K));
                INLAY_UNROLL for (int n = 0; n < NV; ++n) sum[r][n] = simd::fma(by, here[n], sum[r][n]);
            }
        };
        V here[std::size_t(NV)];
        T* s = state;
        if constexpr (!one_pass)
            for (int d = 0; d < c.keys; ++d, s += state_row) {
                here_of(s, here);
                if constexpr (delta) rows_read(k + d, here, held);
                rows_read(q + d, here, read);
            }
        V w[group][std::size_t(NV)];
        INLAY_UNROLL for (int r = 0; r < group; ++r) INLAY_UNROLL for (int n = 0; n < NV; ++n) {
            w[r][n] = V(at.in[r]) * V::load(v + r * row + n * W);
            if constexpr (delta) w[r][n] = simd::fma(V(at.lost[r]), held[r][n], w[r][n]);
        }
        if constexpr (delta)
            INLAY_UNROLL for (int j = 0; j < group; ++j) INLAY_UNROLL for (int i = j + 1; i < group; ++i) {
                V const by = V(at.lost[i]) * V(at.pairs[key_pair(i, j)]);
                INLAY_UNROLL for (int n = 0; n < NV; ++n) w[i][n] = simd::fma(by, w[j][n], w[i][n]);
            }
        s = state;
        for (int d = 0; d < c.keys; ++d, s += state_row) {
            here_of(s, here);
            if constexpr (one_pass) rows_read(q + d, here, read);
            INLAY_UNROLL for (int r = 0; r < group; ++r) {
                V const key(of_row(r, k + d, K, 3 * K));
                INLAY_UNROLL for (int n = 0; n < NV; ++n) here[n] = simd::fma(key, w[r][n], here[n]);
            }
            INLAY_UNROLL for (int n = 0; n < NV; ++n) here[n].store(s + n * W);
        }
        INLAY_UNROLL for (int i = 0; i < group; ++i) {
            INLAY_UNROLL for (int j = 0; j <= i; ++j) {
                V const by(at.pairs[query_pair(i, j)]);
                INLAY_UNROLL for (int n = 0; n < NV; ++n) read[i][n] = simd::fma(by, w[j][n], read[i][n]);
            }
            INLAY_UNROLL for (int n = 0; n < NV; ++n)(V(at.out[i]) * read[i][n]).store(o + i * row + n * W);
        }
        q += group * K, k += group * K, v += group * row, o += group * row;
        at = at.from(group);
    }
}
/// The widest columns whose sums fit the registers, of four rows or with a delta rule of eight.
template <bool delta> constexpr int group_vectors() { return registers == 32 || !delta ? 2 : 1; }

/// All columns, NV vectors at a time and then less: whole groups, and what is left of one, if anything.
/// `fade` is what is left of the memory in the end. A state that is not near is brought there.
template <int W, int NV, bool delta, class T>
INLAY_NOINLINE inline void all_columns(GatedChunk<T> const& c, Groups<T> const (&x)[2], T const* fade,
                                       T* state, T* room, int column = 0) noexcept {
    using V = simd::vec<T, W>;
    std::ptrdiff_t const row = c.value_row;
    std::size_t const bytes = std::size_t(c.keys) * std::size_t(row) * sizeof(T);
    bool const brings = delta && x[0].count > 2 && bytes > near_bytes;
    for (; column + NV * W <= c.value_row; column += NV * W) {
        T *const from = state + column, *s = from;
        std::ptrdiff_t s_row = row;
        if (brings) {
            s = room, s_row = NV * W;
            for (int d = 0; d < c.keys; ++d)
                INLAY_UNROLL for (int n = 0; n < NV; ++n) V::load(from + d * row + n * W)
                    .store(s + d * s_row + n * W);
        }
        for (Groups<T> const& part : x)
            if (part.count > 0) group_columns<W, NV, delta>(c, part, column, s, s_row);
        if (!brings && c.decays == 0) continue;
        V const faded(*fade);
        for (int d = 0; d < c.keys; ++d)
            INLAY_UNROLL for (int n = 0; n < NV; ++n)(faded * V::load(s + d * s_row + n * W))
                .store(from + d * row + n * W);
    }
    if constexpr (NV > 1)
        if (column < c.value_row) all_columns<W, NV / 2, delta>(c, x, fade, state, room, column);
}

/// Numbers of temporaries of gated_groups.
template <int W> constexpr std::size_t gated_groups_room(int tokens, int key_row, int value_row) {
    auto const n = std::size_t(whole<group>(whole<W>(tokens)));
    return n * (group + 5) + std::size_t(2 * group * (key_row + value_row) + key_row * 2 * W);
}
/// As many tokens as their decays allow, all but for steep ones: returns how many. Tokens behind these have
/// no say in it. `state` moves behind them.
template <int W, class T>
INLAY_NOINLINE inline int gated_groups(GatedChunk<T> const& c, T* state, T* o, T* room) noexcept {
    using V = simd::vec<T, W>;
    int const span = whole<group>(whole<W>(c.tokens)), K = c.key_row, row = c.value_row;
    auto const take = [&](int numbers) noexcept {
        T* const here = room;
        room += numbers;
        return here;
    };
    GroupParts<T> const at{take(span * group), take(span), take(span), take(span)};
    int n = c.tokens;
    if (c.decays > 0) {
        DecaySums<T> const sums{take(span), take(span), 1};
        sum_decays<W>(n, c.log_decay, sums);
        for (int i = 0; i < n; i += W)
            decay_of(V::load(sums.high + i), V::load(sums.low + i), V(T(0)), V(T(0))).store(at.out + i);
        // the reciprocal of less would be too large
        auto const lasts = [&](int i) noexcept { return at.out[i] > T(1e-12); };
        if (!lasts(n - 1)) {
            for (n = 0; lasts(n);) ++n;
            if (n == 0) return 0;
        }
    }
    int const groups = n / group, left = n % group, behind = groups * group;
    for (int i = 0; i < n; i += W) {
        V const beta = c.beta ? V::load_first(c.beta + i, std::min(n - i, W)) : V(T(1));
        (c.decays > 0 ? beta / V::load(at.out + i) : beta).store(at.in + i);
        (-beta).store(at.lost + i);
        if (c.decays == 0) V(T(1)).store(at.out + i);
    }
    Groups<T> x[2]{{groups, c.q, c.k, c.v, o, at}, {0, nullptr, nullptr, nullptr, nullptr, at.from(behind)}};
    Groups<T>& last = x[1];
    T const* const fade = at.out + n - 1;
    if (left > 0) { // tokens of zeros write nothing
        auto const fill = [left](T const* from, int each, T* to) noexcept {
            std::copy_n(from, left * each, to);
            std::fill_n(to + left * each, (group - left) * each, T(0));
            return to;
        };
        last.count = 1;
        last.q = fill(c.q + behind * K, K, take(group * K));
        last.k = fill(c.k + behind * K, K, take(group * K));
        last.v = fill(c.v + behind * row, row, take(group * row));
        last.o = take(group * row);
        for (T* of : {at.in, at.lost, at.out}) std::fill_n(of + n, group - left, T(0));
    }
    for (Groups<T> const& part : x)
        for (int g = 0; g < part.count; ++g) {
            T const *const q = part.q + g * group * K, *const k = part.k + g * group * K;
            T* const to = part.parts.pairs + g * all_pairs;
            if (c.delta) pair_products<W, true, 0>(K, q, k, to);
            else pair_products<W, false, 0>(K, q, k, to);
        }
    if (c.delta) all_columns<W, group_vectors<true>(), true>(c, x, fade, state, room);
    else all_columns<W, group_vectors<false>(), false>(c, x, fade, state, room);
    if (left > 0) std::copy_n(last.o, left * row, o + behind * row);
    return n;
}
} // namespace detail

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
