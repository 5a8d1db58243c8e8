// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/blocks/memory/block.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
template <class Heads> struct a_width_for;
struct keys_as_wide_as_values;
struct a_memory_that_is_learned;

/// A memory that learns while it reads (Titans, arXiv 2501.00663): each head has a small network M, and each
/// token takes a step of gradient descent that makes M give the token's value for its key, then asks M:
///
///     S_t = eta_t S_(t-1) - theta_t grad l(M_c; k_t, v_t),  M_t = (1 - alpha_t) M_(t-1) + S_t,  o_t =
///     M_t(q_t)
///
/// with l = c / 2 |M(k) - v|^2, and M_c the memory at the start of the token's chunk: the length of a chunk
/// is part of the meaning. alpha = sigmoid(alpha x + b), eta and theta alike; y = Wo concat_h(o).
///
/// Shapes: `Shape<T, D>`, kept. Policies: `Heads<1>`; `HeadDim<D / Heads>`, or `KeyDim<N>` and `ValueDim<N>`;
/// `Chunk<16>`; `Depth<2>` layers, `Expansion<2>` and `Inner<Silu>` between them; `InnerResidual` or
/// `InnerNorm`; `Post`,
/// `Pre` or `PreviousChunk`; `NeverForgets`, `NoMomentum`, `StepSize<1 / Chunk>`, `LossScale<1>`,
/// `GradientLimit<Norm>`, `ZeroStart`; `FirstOrder`; `ShortConv<4>`, `UnitKeys` or `FreeKeys`, `NormHeads`,
/// `SiluGate`, `SigmoidGate`. Parameters: `q.weight [H d, D]`, `k.weight`, `v.weight [H dv, D]`,
/// `o.weight [D, H dv]` and `q_conv.weight` as LinearAttn's; `memory.0 [H d, d_1]` and so on; `alpha.weight
/// [H, D]`, `alpha.bias [H]`, `eta`, `theta`. Cost a token: the projections' and about 8 flops for each
/// number of a memory and 4 more with momentum; backward 3 times. State: M, S and M_c, three times the
/// memories' numbers, and the last ShortConv - 1 projections; a stream may run for ever, and learns on after
/// training. Memory: the tape keeps projections, and M and S for each chunk. Backward: through the gradients
/// that the memory took (second order). PyTorch: `NeuralMemory` of titans-pytorch is a relative. Error: what
/// is no sequence of numbers, Heads that do not divide D without a HeadDim, InnerResidual where keys and
/// values differ in width, ZeroStart of more than one layer, an unknown or doubled policy.
template <class... Policies> struct Memory {
    template <class Kind, class Default>
    using policy = typename detail::PolicyOr<Kind, Default, Policies...>::type;
    using Wanted = a_sequence;
    using Allowed =
        PolicyKinds<HowManyHeads, HowWideHeads, HowWideKeys, HowWideValues, HowLongChunks, HowDeep,
                    HowManyTimesWider, WhichInner, WhichWrapper, WhichRead, WhichMomentum, WhichForgetfulness,
                    HowLargeSteps, HowLargeLoss, HowLargeGradients, WhichOrder, WhichFirstMemory, WhichLength,
                    WhichConv, WhichHeadNorm, WhichReadGate>;
    static constexpr int layers = 1;
    static constexpr int heads = policy<HowManyHeads, Heads<1>>::value;
    static constexpr int chunk = policy<HowLongChunks, Chunk<16>>::value;
    static constexpr int depth = policy<HowDeep, Depth<2>>::value;
    static constexpr int expansion = policy<HowManyTimesWider, Expansion<2>>::value;
    static constexpr double step_size = policy<HowLargeSteps, StepSize<1.0 / chunk>>::value;
    using Function = typename policy<WhichInner, Inner<Silu>>::Function;
    using Wrapper = policy<WhichWrapper, detail::BareMemory>;
    using Reading = policy<WhichRead, Post>;
    using Momentum = policy<WhichMomentum, detail::HasMomentum>;
    using Forgetfulness = policy<WhichForgetfulness, detail::Forgets>;
    using Loss = policy<HowLargeLoss, LossScale<1>>;
    using Limit = policy<HowLargeGradients, detail::NoGradientLimit>;
    using Order = policy<WhichOrder, detail::SecondOrder>;
    using First = policy<WhichFirstMemory, detail::LearnedMemory>;
    using Length = policy<WhichLength, UnitKeys>;
    using Conv = policy<WhichConv, ShortConv<4>>;
    using Norm = policy<WhichHeadNorm, BareHeads>;
    using ReadGate = policy<WhichReadGate, NoReadGate>;
    template <int D> static constexpr int head_dim = detail::head_width<D, heads, Policies...>;
    template <int D> static constexpr int keys = policy<HowWideKeys, KeyDim<head_dim<D>>>::value;
    template <int D> static constexpr int values = policy<HowWideValues, ValueDim<head_dim<D>>>::value;

    template <class I> static consteval auto problem() {
        using Brief = Memory<>; // its policies would fill the message
        using P = detail::PolicyProblem<Brief, I, Allowed, Policies...>;
        if constexpr (!detail::fits<P>) return Tag<P>{};
        else if constexpr (heads < 1 || keys<I::width> < 1 || values<I::width> < 1)
            return Tag<Misfit<Brief, Place<>, Got<I>, Wants<a_width_for<Heads<heads>>>>>{};
        else if constexpr (Wrapper::residual && keys<I::width> != values<I::width>)
            return Tag<Misfit<Brief, Place<>, Got<KeyDim<keys<I::width>>>, Wants<keys_as_wide_as_values>>>{};
        else if constexpr (!First::learned && depth > 1)
            return Tag<Misfit<Brief, Place<>, Got<Depth<depth>>, Wants<a_memory_that_is_learned>>>{};
        else return Tag<Fits>{};
    }
    template <class I> using Problem = typename decltype(problem<I>())::type;
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : detail::MemoryBlock<Memory, I, R> {
        using Spec = Memory;
    };
};

} // namespace inlay::inline INLAY_ISA
