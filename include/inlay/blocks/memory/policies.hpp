// SPDX-License-Identifier: BSD-3-Clause
// Policies of Memory: what it is made of, how it learns, what is read of it.
#pragma once

#include <inlay/blocks/linear/policies.hpp>

namespace inlay::inline INLAY_ISA {

/// The families of policies.
struct HowDeep;
struct HowManyTimesWider;
struct WhichInner;
struct WhichWrapper;
struct WhichRead;
struct WhichMomentum;
struct WhichForgetfulness;
struct HowLargeSteps;
struct HowLargeLoss;
struct HowLargeGradients;
struct WhichOrder;
struct WhichFirstMemory;

/// Words of a misfit.
struct one_to_four_layers;

/// Layers of a memory: 1 is a matrix.
template <int N> struct Depth {
    using Must = detail::Must<(N > 0 && N <= 4), one_to_four_layers>;
    using PolicyKind = HowDeep;
    static constexpr int value = N;
};
/// Numbers between the layers of a memory, as a multiple of those of a key.
template <int N> struct Expansion {
    using Must = detail::Must<(N > 0), a_positive_number>;
    using PolicyKind = HowManyTimesWider;
    static constexpr int value = N;
};
/// The function between the layers of a memory: Silu or Gelu.
template <class F> struct Inner {
    static_assert(requires { F::second(simd::vec<float, 1>(0.0f)); }, "inlay: Inner is Silu or Gelu");
    using PolicyKind = WhichInner;
    using Function = F;
};
/// The memory adds what it gives to the key: M(k) = k + f(k).
struct InnerResidual {
    using PolicyKind = WhichWrapper;
    static constexpr bool residual = true, norm = false;
};
/// The memory adds a norm of what it gives to the key: M(k) = k + weight LN(f(k)) + bias (arXiv 2407.04620):
/// `inner_norm.weight [H dv]`, ones at first, and `inner_norm.bias [H dv]`, which no token moves.
struct InnerNorm {
    using PolicyKind = WhichWrapper;
    static constexpr bool residual = true, norm = true;
};

/// A token reads what the memory is once it has learnt the token.
struct Post {
    using PolicyKind = WhichRead;
};
/// A token reads what the memory is before it learns the token.
struct Pre {
    using PolicyKind = WhichRead;
};
/// A token reads what the memory was when its chunk began.
struct PreviousChunk {
    using PolicyKind = WhichRead;
};

/// Steps do not go on: eta is 0, and there is neither `eta` nor a momentum in the state.
struct NoMomentum {
    using PolicyKind = WhichMomentum;
    static constexpr bool used = false;
};
/// Nothing is forgotten: alpha is 0, and there is no `alpha`.
struct NeverForgets {
    using PolicyKind = WhichForgetfulness;
    static constexpr bool used = false;
};
/// The largest step: theta = Most sigmoid(.). Keys of length 1 that are all alike push one way for a whole
/// chunk, so that steps of more than 2 (1 - eta) / Chunk may go too far.
template <auto Most> struct StepSize {
    using Must = detail::Must<(Most > 0), a_positive_number>;
    using PolicyKind = HowLargeSteps;
    static constexpr double value = double(Most);
};
/// The c of the memory's own loss, c / 2 |M(k) - v|^2: 1 unless said; 2 in the paper, 2 / d_v in
/// titans-pytorch.
template <auto C> struct LossScale {
    using Must = detail::Must<(C > 0), a_positive_number>;
    using PolicyKind = HowLargeLoss;
    static constexpr double value = double(C);
};
/// A token's gradient g is divided by sqrt(1 + |g|^2 / Norm^2): it is never longer than Norm.
template <auto Norm> struct GradientLimit {
    using Must = detail::Must<(Norm > 0), a_positive_number>;
    using PolicyKind = HowLargeGradients;
    static constexpr double value = double(Norm);
};
/// Backward takes what the memory learns for independent of the memory that it learns from: cheaper, and not
/// the derivative of forward.
struct FirstOrder {
    using PolicyKind = WhichOrder;
    static constexpr bool value = true;
};
/// The memory is zero at first and not learned; one of several layers would stay zero.
struct ZeroStart {
    using PolicyKind = WhichFirstMemory;
    static constexpr bool learned = false;
};

namespace detail {
struct BareMemory {
    static constexpr bool residual = false, norm = false;
};
struct HasMomentum {
    static constexpr bool used = true;
};
struct Forgets {
    static constexpr bool used = true;
};
struct NoGradientLimit {
    static constexpr double value = 0;
};
struct SecondOrder {
    static constexpr bool value = false;
};
struct LearnedMemory {
    static constexpr bool learned = true;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
