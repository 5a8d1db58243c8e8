// SPDX-License-Identifier: BSD-3-Clause
// Weights in fewer bits than what is computed in, for inference.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/gemm/stored.hpp>
#include <inlay/kernels/map.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace inlay::inline INLAY_ISA {

/// How a model that only infers keeps its weights: `Weights<Bf16>`, `Weights<F16>` or `Weights<Int8>`, as in
/// `Model::with<Weights<Int8>>`. Arithmetic stays in float.
template <class S> struct Weights {
    using type = S;
};

namespace detail {
template <class R> inline constexpr bool stores_less = !std::is_same_v<typename R::storage, typename R::type>;

/// The same numbers in the same vectors, where nothing is stored in fewer bits.
template <class R> using InFloat = Real<typename R::type, R::lanes>;
template <class R, class Tp> consteval void inference_only() {
    static_assert(!stores_less<R> || !is_recording<Tp>, "inlay: weights of fewer bits are for inference");
}

/// Where number c of row r of a matrix of fewer bits lies, in bytes: row by row where lanes is 0, otherwise
/// in vectors of words, where part j of a word belongs to the j-th vector of floats.
template <class S> constexpr std::ptrdiff_t stored_place(int stride, int lanes, int r, int c) noexcept {
    constexpr std::ptrdiff_t size = sizeof(typename S::Element);
    if (lanes == 0) return std::ptrdiff_t(r) * stride + c * size;
    constexpr int P = kernels::per_word<S>;
    int const group = r / (P * lanes), j = r / lanes % P, lane = r % lanes;
    int const part = std::endian::native == std::endian::little ? j : P - 1 - j;
    return std::ptrdiff_t(c) * stride + std::ptrdiff_t(group * lanes + lane) * 4 + part * size;
}

/// A matrix of fewer bits, as `store` fills it.
template <class S> struct StoredRef {
    using Element = typename S::Element;
    std::byte* data = nullptr;
    float* scale = nullptr; ///< of each row, or null
    int rows = 0, width = 0;
    int stride = 0; ///< bytes from one column to the next, or from one row to the next
    int lanes = 0;  ///< of the vectors that words are laid out for; 0: row by row

    /// Row r from floats.
    void put_row(int r, float const* from) const noexcept {
        float largest = 0;
        for (int c = 0; c < width; ++c) largest = std::max(largest, std::abs(from[c]));
        float const own = S::scaled ? largest / 127 : 1;
        if constexpr (S::scaled) scale[r] = own;
        for (int c = 0; c < width; ++c) {
            Element const e = S::narrow(from[c], own);
            std::memcpy(data + stored_place<S>(stride, lanes, r, c), &e, sizeof e);
        }
    }
};

struct NoScale {};
/// A weight [O, D] as words, by the columns of x; rows of outputs are padded to whole groups of vectors.
template <class R, int O, int D> struct StoredMatrix {
    using S = typename R::storage;
    static constexpr int W = R::lanes, group = W * kernels::per_word<S>;
    static constexpr int groups = (O + group - 1) / group, row = groups * W, columns = groups * group;
    alignas(64) std::uint32_t data[std::size_t(D) * std::size_t(row)];
    INLAY_EMPTY std::conditional_t<S::scaled, Tensor<R, 1, columns>, NoScale> scales;

    float const* scale() const noexcept {
        if constexpr (S::scaled) return scales[0];
        else return nullptr;
    }
    StoredRef<S> ref() noexcept {
        float* scale = nullptr;
        if constexpr (S::scaled) scale = scales[0];
        return {reinterpret_cast<std::byte*>(data), scale, O, D, row * 4, W};
    }
    /// Row r as floats.
    void read(int r, float* to) const noexcept {
        auto const* const bytes = reinterpret_cast<std::byte const*>(data);
        float own = 1;
        if constexpr (S::scaled) own = scales[0][r];
        for (int c = 0; c < D; ++c) {
            typename S::Element e;
            std::memcpy(&e, bytes + stored_place<S>(row * 4, W, r, c), sizeof e);
            to[c] = S::wide(e) * own;
        }
    }
};

/// y = x W^T and a bias, unless that is null; as long as all columns.
template <class R, int O, int D>
void stored_product(int m, StoredMatrix<R, O, D> const& w, float const* x, int xs, float const* bias,
                    float* y, int ys) noexcept {
    using Weight = StoredMatrix<R, O, D>;
    constexpr int N = padded(O, R::lanes);
    kernels::gemm_stored<typename R::storage, R::lanes>(
        m, Weight::groups, {D, N, x, xs, w.data, Weight::row, w.scale(), bias, y, ys});
    if (ys > N)
        for (int i = 0; i < m; ++i) kernels::clear_pads(y + std::ptrdiff_t(i) * ys, N, ys);
}

/// A table [V, D] of fewer bits that is read row by row.
template <class R, int V, int D> struct StoredTable {
    using S = typename R::storage;
    using Element = typename S::Element;
    Element data[std::size_t(V)][std::size_t(D)];
    INLAY_EMPTY std::conditional_t<S::scaled, Tensor<R, 1, V>, NoScale> scales;

    StoredRef<S> ref() noexcept {
        float* scale = nullptr;
        if constexpr (S::scaled) scale = scales[0];
        return {reinterpret_cast<std::byte*>(data), scale, V, D, int(sizeof data[0]), 0};
    }
    float at(int r, int c) const noexcept {
        if constexpr (S::scaled) return S::wide(data[r][c]) * scales[0][r];
        else return S::wide(data[r][c]);
    }
    /// Calls f(i, number) for each number of row r.
    template <class F> void each_of(int r, F const& f) const noexcept {
        float own = 1;
        if constexpr (S::scaled) own = scales[0][r];
        for (int i = 0; i < D; ++i) f(i, S::wide(data[r][i]) * own);
    }
};

/// The weights of a column [N, 1] in fewer bits, as `store` fills them: `rows` has as many groups as there
/// are.
template <class S> struct StoredColumnRef {
    StoredRef<S> groups;
    int rows = 0, width = 1;
};
/// A column [N, 1] of fewer bits. A scale, where there is one, is that of a group of 64 weights: for each by
/// itself it would be larger than what it saves.
template <class R, int N> struct StoredColumn {
    static constexpr int group = 64;
    StoredTable<R, (N + group - 1) / group, group> table;

    StoredColumnRef<typename R::storage> ref() noexcept { return {table.ref(), N, 1}; }
    float operator[](std::int32_t i) const noexcept { return table.at(i / group, i % group); }
};
template <class R, int N>
using ColumnOf = std::conditional_t<stores_less<R>, StoredColumn<R, N>, Tensor<R, N, 1, Layout::packed>>;

template <class R, int N, Layout L>
typename R::type read_weight(Tensor<R, N, 1, L> const& column, std::int32_t i) noexcept {
    return column.data[i];
}
template <class R, int N> float read_weight(StoredColumn<R, N> const& column, std::int32_t i) noexcept {
    return column[i];
}

/// Dense for inference with weights of fewer bits. `apply` is that of Dense.
template <class Spec_, int O, class I, class R> struct StoredDense : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using Output = typename decltype(Spec::out(Tag<I>{}))::type;
    static_assert(std::is_same_v<T, float>, "inlay: Weights of fewer bits are for models in float");
    static constexpr int D = I::width, W = R::lanes;
    static constexpr bool streams = true, has_bias = Spec::has_bias;
    static constexpr long long parameters = 1LL * O * D + (has_bias ? O : 0);
    static constexpr double flops = 2.0 * O * D * I::rows;
    using Weight = StoredMatrix<R, O, D>;

    struct NoVector {};
    struct Params {
        Weight weight;
        INLAY_EMPTY std::conditional_t<has_bias, Tensor<R, 1, Weight::columns>, NoVector> bias;
    };
    template <int> using Grads = Params;

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        f(Tag<Spec>{}, Path{&at, "weight"}, Kind::matrix, p.weight.ref());
        if constexpr (has_bias) {
            auto ref = p.bias.ref();
            ref.width = O;
            f(Tag<Spec>{}, Path{&at, "bias"}, Kind::vector, ref);
        }
    }
    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
        inference_only<R, Tp>();
        apply(c.rows * I::rows, p, x.data, y.data);
    }
    template <class C>
    static void step(C const&, Params const& p, typename BlockDefaults::State&, T const* x, T* y,
                     Scratch) noexcept {
        apply(1, p, x, y);
    }
    static void apply(int m, Params const& p, T const* x, T* y) noexcept {
        apply(m, p, x, y, [](auto v) noexcept { return v; });
    }
    template <class F> static void apply(int m, Params const& p, T const* x, T* y, F f) noexcept {
        constexpr int xs = In<I, R>::stride, ys = In<Output, R>::stride;
        T const* bias = nullptr;
        if constexpr (has_bias) bias = p.bias.data;
        stored_product(m, p.weight, x, xs, bias, y, ys);
        kernels::map<W>(std::ptrdiff_t(m) * ys, y, y, f);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
