// SPDX-License-Identifier: BSD-3-Clause
// Policies of LinearAttn: how a memory fades, what is written, what queries and keys are mapped to; and the
// members of the family that have names, as bundles of them.
#pragma once

#include <inlay/blocks/activation.hpp>
#include <inlay/blocks/attention/policies.hpp>

namespace inlay::inline INLAY_ISA {

/// The families of policies.
struct HowWideKeys;
struct HowWideValues;
struct HowLongChunks;
struct WhichMember;
struct WhichDecay;
struct WhichWrite;
struct WhichStrength;
struct WhichMap;
struct WhichDivisor;
struct WhichLength;
struct WhichConv;
struct WhichHeadNorm;
struct WhichReadGate;
struct WhichStart;

/// Numbers of a query and a key of one head.
template <int N> struct KeyDim {
    using PolicyKind = HowWideKeys;
    static constexpr int value = N;
};
/// Numbers of a value of one head.
template <int N> struct ValueDim {
    using PolicyKind = HowWideValues;
    static constexpr int value = N;
};
/// Tokens that are worked on together: a schedule, which changes the speed and the last digits, not the
/// meaning.
template <int N> struct Chunk {
    static_assert(N > 0, "inlay: Chunk needs a positive length");
    using PolicyKind = HowLongChunks;
    static constexpr int value = N;
};

/// The memory does not fade.
struct NoDecay {
    using PolicyKind = WhichDecay;
};
/// Head h keeps 1 - 2^(-5 - h) a token (arXiv 2307.08621).
struct ConstantDecay {
    using PolicyKind = WhichDecay;
};
/// Head h keeps exp(-e^(A_log_h) softplus(a_h x + dt_bias_h)) (arXiv 2405.21060): `a.weight [H, D]`, `A_log
/// [H]`, `dt_bias [H]`.
struct ScalarGate {
    using PolicyKind = WhichDecay;
};
/// As ScalarGate with a decay for each number of a key: `a.0.weight [Rank, D]`, `a.1.weight [H d, Rank]`, or
/// `a.weight [H d, D]` where Rank is 0; `A_log [H]`, `dt_bias [H d]`.
template <int Rank = 16> struct VectorGate {
    static_assert(Rank >= 0, "inlay: VectorGate needs a rank");
    using PolicyKind = WhichDecay;
    static constexpr int rank = Rank;
};
/// Each number of a key keeps sigmoid(a x + b)^(1/16) (arXiv 2312.06635): maps as VectorGate's, and
/// `a.1.bias`.
template <int Rank = 16> struct LogisticGate {
    static_assert(Rank >= 0, "inlay: LogisticGate needs a rank");
    using PolicyKind = WhichDecay;
    static constexpr int rank = Rank;
};

/// A step Delta = softplus(dt x + dt_bias) of each head sets both how much is kept, exp(-e^(A_log) Delta),
/// and how strongly the value is written; `skip` times the value is added to what is read, and queries are
/// not scaled (arXiv 2405.21060): `dt.weight [H, D]`, `A_log [H]`, `dt_bias [H]`, `skip [H]`.
struct StepGate {
    using PolicyKind = WhichDecay;
};

/// What is written is the value.
struct Adds {
    using PolicyKind = WhichWrite;
    static constexpr bool delta = false;
};
/// What is written is beta times the value less what the key already reads (arXiv 2406.06484),
/// beta = sigmoid(b x): `beta.weight [H, D]`.
struct Corrects {
    using PolicyKind = WhichWrite;
    static constexpr bool delta = true;
};
/// beta is in (0, 2): a key may turn what it reads around (arXiv 2411.12537).
struct NegativeEigenvalues {
    using PolicyKind = WhichStrength;
    static constexpr double times = 2;
};

/// Queries and keys as they are.
struct IdentityMap {
    using PolicyKind = WhichMap;
};
/// elu(x) + 1 (arXiv 2006.16236).
struct EluMap {
    using PolicyKind = WhichMap;
};
/// max(x, 0).
struct ReluMap {
    using PolicyKind = WhichMap;
};
/// max(x, 0)^2.
struct SquaredReluMap {
    using PolicyKind = WhichMap;
};

/// softmax of W x + b and of its negative, head by head (arXiv 2402.04347): `q_map.weight [H d, d]`,
/// `q_map.bias [H d]`, `k_map.weight`, `k_map.bias`; the identity and 0 at first.
struct HedgehogMap {
    using PolicyKind = WhichMap;
};
/// The terms of 1 + q k / sqrt(d) + (q k)^2 / 2 d (arXiv 2402.18668): 1 + d + d (d + 1) / 2 features.
struct TaylorMap {
    using PolicyKind = WhichMap;
};
/// max(x, 0) cos a and max(x, 0) sin a with a = pi / 2 position / M (arXiv 2202.08791). M is fixed: places up
/// to M have features that are not negative.
template <int M> struct CosineMap {
    static_assert(M > 0, "inlay: CosineMap needs a positive length");
    using PolicyKind = WhichMap;
};

/// What is read is divided by q (sum of keys) + 1e-6: a weighted mean, where features are positive.
struct Normalised {
    using PolicyKind = WhichDivisor;
    static constexpr bool divides = true;
};
/// What is read is a sum.
struct Unnormalised {
    using PolicyKind = WhichDivisor;
    static constexpr bool divides = false;
};

/// Queries and keys of length 1, before they are mapped.
struct UnitKeys {
    using PolicyKind = WhichLength;
    static constexpr bool unit = true;
};
/// Queries and keys of any length.
struct FreeKeys {
    using PolicyKind = WhichLength;
    static constexpr bool unit = false;
};
/// Queries, keys and values are sums over their last Width tokens, channel by channel, then SiLU; the last
/// Width - 1 of them belong to the state. `q_conv.weight [H d, Width]`, `k_conv`, `v_conv`, the newest token
/// last, as Conv1d has them. 0: none.
template <int Width> struct ShortConv {
    static_assert(Width >= 0, "inlay: ShortConv needs a width");
    using PolicyKind = WhichConv;
    static constexpr int width = Width;
};
/// What each head reads is divided by its root mean square: `norm.weight [dv]`, shared by heads.
struct NormHeads {
    using PolicyKind = WhichHeadNorm;
    static constexpr bool used = true;
};
/// Heads give what they read.
struct BareHeads {
    using PolicyKind = WhichHeadNorm;
    static constexpr bool used = false;
};
/// What the heads give is multiplied by silu(Wg x): `gate.weight [H dv, D]`.
struct SiluGate {
    using PolicyKind = WhichReadGate;
    using Function = Silu;
    static constexpr bool used = true;
};
/// What the heads give is multiplied by sigmoid(Wg x): `gate.weight [H dv, D]`.
struct SigmoidGate {
    using PolicyKind = WhichReadGate;
    using Function = Sigmoid;
    static constexpr bool used = true;
};
/// What the heads give is not gated.
struct NoReadGate {
    using PolicyKind = WhichReadGate;
    static constexpr bool used = false;
};

/// What the memories hold before the first token is learned, zeros at first: `start [H keys, dv]`, where keys
/// are those behind the map.
struct LearnedStart {
    using PolicyKind = WhichStart;
    static constexpr bool learned = true;
};

namespace detail {
struct EmptyStart {
    static constexpr bool learned = false;
};
struct UpToOne {
    static constexpr double times = 1;
};
/// What the members have in common unless they say otherwise.
struct Member {
    using PolicyKind = WhichMember;
    using Decay = NoDecay;
    using Write = Adds;
    using Map = IdentityMap;
    using Divisor = Unnormalised;
    using Length = FreeKeys;
    using Conv = ShortConv<0>;
    using Norm = NormHeads;
    using ReadGate = NoReadGate;
};
} // namespace detail

/// Features elu(x) + 1 and a divisor (arXiv 2006.16236): what LinearAttn is without a name.
struct PlainLinear : detail::Member {
    using Map = EluMap;
    using Divisor = Normalised;
    using Norm = BareHeads;
};
/// A constant decay for each head (arXiv 2307.08621); with `Rope<>` and `SiluGate` it is the paper's.
struct RetNet : detail::Member {
    using Decay = ConstantDecay;
};
/// A scalar gate.
struct SimpleGla : detail::Member {
    using Decay = ScalarGate;
};
/// A state-space model's step in the place of gates (arXiv 2405.21060), the norm before the output gate.
struct Ssd : detail::Member {
    using Decay = StepGate;
    using Conv = ShortConv<4>;
    using ReadGate = SiluGate;
};
/// A gate for each number of a key (arXiv 2312.06635).
struct Gla : detail::Member {
    using Decay = LogisticGate<16>;
    using ReadGate = SiluGate;
};
/// The delta rule (arXiv 2406.06484).
struct DeltaNet : detail::Member {
    using Write = Corrects;
    using Length = UnitKeys;
    using Conv = ShortConv<4>;
    using ReadGate = SiluGate;
};
/// The delta rule on a memory that fades (arXiv 2412.06464).
struct GatedDelta : DeltaNet {
    using Decay = ScalarGate;
};
/// The delta rule on a memory of which each row fades by itself (arXiv 2510.26692).
struct Kda : DeltaNet {
    using Decay = VectorGate<16>;
    using ReadGate = SigmoidGate;
};

} // namespace inlay::inline INLAY_ISA
