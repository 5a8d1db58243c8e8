// SPDX-License-Identifier: BSD-3-Clause
// How scores become weights: softmax, or maps that give most keys none.
#pragma once

#include <inlay/blocks/attention/scored_by.hpp>
#include <inlay/core/tensor.hpp>
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>
#include <inlay/kernels/attention/sparse.hpp>

namespace inlay::inline INLAY_ISA {

/// Weights max(z - t, 0) that sum to 1 (arXiv 1602.02068): far keys get none. A block of queries keeps all of
/// its scores, and cost is about twice that of softmax.
struct Sparsemax {
    using PolicyKind = WhichWeights;
    using Is = List<that_chooses_weights>;
    using Refuses = List<with_a_score_of_no_key>;
    using Map = kernels::SparsemaxWeights;
};
/// Weights max(z / 2 - t, 0)^2 that sum to 1 (arXiv 1905.05702): between softmax and Sparsemax.
struct Entmax15 {
    using PolicyKind = WhichWeights;
    using Is = List<that_chooses_weights>;
    using Refuses = List<with_a_score_of_no_key>;
    using Map = kernels::Entmax15Weights;
};

namespace detail {
/// Every key that is seen is asked.
struct NothingChosen {};
struct NoWeights {};

/// Softmax.
template <class S, class Policy> struct WeightsOf {
    using T = typename S::T;
    using Map = kernels::SoftmaxWeights;
    static constexpr int W = S::W;
    static constexpr bool kept_may_be_null = true;
    static constexpr std::size_t room = kernels::attention_room<W, T>(S::d, S::vd);
    static constexpr std::size_t backward_room = kernels::attention_backward_room<W, T>(S::d, S::vd);

    template <class Z>
    static void forward(kernels::AttentionHead<T> const& head, Z const& scores, T const* sink, T* out,
                        std::ptrdiff_t out_row, T* kept, T* space, NothingChosen = {}) noexcept {
        kernels::attend<W>(head, scores, sink, out, out_row, kept, space);
    }
    /// `mean` holds the product of each output and its gradient.
    template <class Z>
    static void backward(kernels::AttentionHead<T> const& head, Z const& scores, T const* dout,
                         std::ptrdiff_t dout_row, T const* kept, T* mean, T* dq, T* dk, T* dv, T* space,
                         NothingChosen = {}) noexcept {
        kernels::attend_backward<kernels::SoftmaxWeights, W>(head, scores, dout, dout_row, kept,
                                                             static_cast<T const*>(mean), dq, dk, dv, space);
    }
    static void step(int rows, int n, T* scores, int row) noexcept {
        kernels::softmax<W>(rows, n, scores, row, scores, row);
    }
};

template <class S, class Policy>
    requires requires { typename Policy::Map; }
struct WeightsOf<S, Policy> {
    using T = typename S::T;
    using Map = typename Policy::Map;
    static constexpr int W = S::W;
    static constexpr std::size_t room = kernels::sparse_room<W, T>(S::d, S::vd, S::front + S::most_keys);
    static constexpr std::size_t backward_room = kernels::attention_backward_room<W, T>(S::d, S::vd);

    template <class Z>
    static void forward(kernels::AttentionHead<T> const& head, Z const& scores, T const*, T* out,
                        std::ptrdiff_t out_row, T* kept, T* space, NothingChosen = {}) noexcept {
        kernels::attend_sparse<Map, W>(head, scores, out, out_row, kept, space);
    }
    template <class Z>
    static void backward(kernels::AttentionHead<T> const& head, Z const& scores, T const* dout,
                         std::ptrdiff_t dout_row, T const* kept, T* mean, T* dq, T* dk, T* dv, T* space,
                         NothingChosen = {}) noexcept {
        kernels::sparse_means<Map, W>(head, scores, dout, dout_row, kept, mean, space);
        kernels::attend_backward<Map, W>(head, scores, dout, dout_row, kept, static_cast<T const*>(mean), dq,
                                         dk, dv, space);
    }
    static void step(int rows, int n, T* scores, int row) noexcept {
        for (int r = 0; r < rows; ++r) kernels::sparse_row<Map, W>(n, scores + r * row);
    }
};

template <class S> struct WeightsOf<S, ScoredBy<Approximate>> : WeightsOf<S, NoWeights> {
    using T = typename S::T;
    using Map = kernels::TaylorWeights;
    static constexpr int W = S::W;
    static constexpr bool kept_may_be_null = false;

    template <class Z>
    static void forward(kernels::AttentionHead<T> const& head, Z const& scores, T const*, T* out,
                        std::ptrdiff_t out_row, T* kept, T* space, NothingChosen = {}) noexcept {
        kernels::attend_taylor<W>(head, scores, out, out_row, kept, space);
    }
    template <class Z>
    static void backward(kernels::AttentionHead<T> const& head, Z const& scores, T const* dout,
                         std::ptrdiff_t dout_row, T const* kept, T* mean, T* dq, T* dk, T* dv, T* space,
                         NothingChosen = {}) noexcept {
        kernels::attend_backward<Map, W>(head, scores, dout, dout_row, kept, static_cast<T const*>(mean), dq,
                                         dk, dv, space);
    }
    static void step(int rows, int n, T* scores, int row) noexcept {
        for (int r = 0; r < rows; ++r) kernels::taylor_row<W>(n, scores + r * row);
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
