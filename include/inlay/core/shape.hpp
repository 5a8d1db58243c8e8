// SPDX-License-Identifier: BSD-3-Clause
// What flows between blocks, and the scalar and vector width that a model is bound to.
#pragma once

#include <inlay/core/meta.hpp>

#include <cstddef>
#include <cstdint>

namespace inlay::inline INLAY_ISA {

/// `Shape<D>` is a vector of D numbers, `Shape<T, D>` a sequence of at most T vectors of D numbers.
template <int... N> struct Shape;
template <int D> struct Shape<D> {
    static constexpr int rows = 1, width = D;
};
template <int T, int D> struct Shape<T, D> {
    static constexpr int rows = T, width = D;
};

/// A vector of D numbers as a model's input.
template <int D> using Vector = Shape<D>;
/// A sequence of at most T vectors of D numbers as a model's input.
template <int T, int D> using Sequence = Shape<T, D>;

/// A sequence of at most T ids below V; every id is a token.
template <int T, int V> struct Tokens {
    static constexpr int rows = T, vocabulary = V;
};

/// A set of at most N ids below V, in no order: what `Select` makes of a multi-hot field.
template <int N, int V> struct Bag {
    static constexpr int rows = N, vocabulary = V;
};

/// A set of at most N ids below V with a weight each: what `Select` makes of a field that is Weighted. In
/// memory the ids are followed by the bits of the weights, floats.
template <int N, int V> struct WeightedBag {
    static constexpr int rows = N, vocabulary = V;
};

/// The lanes of one vector register, as a policy of `Model::as`.
template <int N> struct Lanes {
    static_assert(N > 0 && (N & (N - 1)) == 0, "inlay: Lanes must be a power of two");
    static constexpr int count = N;
};

template <class T>
inline constexpr int native_lanes = INLAY_VECTOR_BYTES == 0 ? 1 : INLAY_VECTOR_BYTES / int(sizeof(T));

/// The scalar that a model computes in and the lanes that its kernels use.
template <class T, int N, class Stored = T> struct Real {
    using type = T;
    using storage = Stored;
    static constexpr int lanes = N;
};
using Native = Real<float, native_lanes<float>>;

template <class S> inline constexpr bool is_numbers = false;
template <int... N> inline constexpr bool is_numbers<Shape<N...>> = true;
template <class S> inline constexpr bool is_sequence = false;
template <int T, int D> inline constexpr bool is_sequence<Shape<T, D>> = true;
template <class S> inline constexpr bool is_ids = false;
template <int T, int V> inline constexpr bool is_ids<Tokens<T, V>> = true;
template <int N, int V> inline constexpr bool is_ids<Bag<N, V>> = true;
template <int N, int V> inline constexpr bool is_ids<WeightedBag<N, V>> = true;

/// Words of 32 bits in a row of ids.
template <class S> inline constexpr int id_words = S::rows;
template <int N, int V> inline constexpr int id_words<WeightedBag<N, V>> = 2 * N;

/// Whether a block from A to B keeps the sequence's positions, and with them its lengths.
template <class A, class B> inline constexpr bool keeps_rows = false;
template <int T, int D, int E> inline constexpr bool keeps_rows<Shape<T, D>, Shape<T, E>> = true;
template <int T, int V, int D> inline constexpr bool keeps_rows<Tokens<T, V>, Shape<T, D>> = true;

namespace detail {
constexpr int padded(int n, int lanes) { return (n + lanes - 1) / lanes * lanes; }

/// Elements from one row to the next: whole vectors, and one more where rows 4 KB apart would share a cache
/// set.
template <class R> constexpr int row_stride(int width) {
    int const n = padded(width, R::lanes);
    bool const collides = (std::size_t(n) * sizeof(typename R::type)) % 4096 == 0;
    return collides ? n + (R::lanes > 1 ? R::lanes : 16) : n;
}
constexpr std::size_t lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Shapes with one more width: what a block that keeps positions gives.
template <class S, int D> struct WithWidth;
template <int D0, int D> struct WithWidth<Shape<D0>, D> {
    using type = Shape<D>;
};
template <int T, int D0, int D> struct WithWidth<Shape<T, D0>, D> {
    using type = Shape<T, D>;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
