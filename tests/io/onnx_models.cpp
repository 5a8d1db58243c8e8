// SPDX-License-Identifier: BSD-3-Clause
// onnx_models FOLDER: models of numbers and tokens as ONNX.
#include "onnx_write.hpp"

namespace {
template <class... S> constexpr bool refused = (!detail::fits<typename detail::OnnxBlocker<S, void>::type> && ...);
constexpr std::int32_t text[] = {3, 1};
using Streams =
    List<Memory<>, FeedbackMemory<>, MemoryAsGate<Relu, Memory<>>, MemoryAsContext<2, 1, Relu, Memory<>>,
         Persistent<1, Relu>, FixedStream<"x", Relu>, RandomRows<4>, FixedText<text>, DocumentIndex<0>>;
static_assert([]<class... S>(List<S...>) { return refused<S...>; }(Streams{}));
static_assert(
    refused<SparseAttn<BigBird<2>>, SparseAttn<Nsa<2, 3, 1>>, SparseAttn<MeanBlocks<3, 2>>,
            SparseAttn<VerticalSlash<4, 70>>, SparseAttn<FlexPrefill<0.9, 2>>, SparseAttn<SnapKv<9, 8>>>);
static_assert(refused<SoftmaxAttn<Sparsemax>, SoftmaxAttn<Entmax15>, SoftmaxAttn<Differential>,
                      SoftmaxAttn<Selective>, SoftmaxAttn<SinkKeys<2>>, SoftmaxAttn<ScoredBy<Approximate>>>);
static_assert(!refused<SoftmaxAttn<Heads<2>>>);
} // namespace

int main(int, char** argv) {
    std::string const folder = argv[1];
    using Each = Stack<Relu, LeakyRelu, Tanh, Sigmoid, Softplus, Silu, Gelu, GeluTanh>;
    write<Model<Vector<5>, Dense<7>, Dropout<0.5>, BatchNorm,
                Sum<Named<"a", Dense<6>>, Stack<Dense<6, NoBias>, Each>>, Residual<LayerNorm, SwiGlu<4>>,
                Concat<Dense<2>, Gelu>, PRelu, Dice, BasicBatchNorm<NoAffine>, Dense<3>>>(folder, "vector");
    write<Model<Tokens<6, 11>, Embed<8>, LearnedPosition,
                Repeat<2, PreNorm<SoftmaxAttn<Heads<4>, KvHeads<2>, Rope<100>>>, PreNorm<SwiGlu<6>>>, RmsNorm,
                Dense<11, NoBias>>>(folder, "decoder");
    write<Model<Tokens<6, 11>,
                Tied<Embed<8>, Sinusoidal, SoftmaxAttn<Heads<2>, Bias, Window<3>, Sinks<1>>, LayerNorm>>>(
        folder, "tied");
    write<Model<Sequence<5, 6>, SoftmaxAttn<Heads<1>, HeadDim<4>, Bidirectional, Rope<50, Rotates<2>>>,
                Concat<MeanPool, MaxPool, Last, Stack<Dense<2>, Flatten>>, GeluTanh, Dense<4>>>(folder,
                                                                                                "sequence");
    write<Model<Sequence<5, 6>, Gru<4>, Lstm<5>, Gru<3, NoBias>, CausalConv1d<3, Bias>,
                CausalConv1d<2, Channels<4>, Dilation<2>>, TokenShift,
                Gate<Dense<2>, Stack<Product<Identity, Sigmoid>, Dense<2>>>>>(folder, "recurrent");
    write<Model<Sequence<5, 6>, LinearAttn<Heads<2>>,
                LinearAttn<Heads<3>, RetNet, Rope<100, Interleaved>, KeyDim<4>>, LinearAttn<Heads<2>, Ssd>,
                LinearAttn<Heads<2>, Gla, ValueDim<2>>>>(folder, "linear");
    write<Model<Sequence<5, 6>, LinearAttn<Heads<2>, GatedDelta>,
                LinearAttn<Heads<2>, Kda, VectorGate<0>, NegativeEigenvalues, LearnedStart>>>(folder,
                                                                                              "delta");
    write<Model<Sequence<5, 6>, LinearAttn<HedgehogMap>, LinearAttn<Heads<3>, TaylorMap>,
                LinearAttn<Heads<2>, CosineMap<7>>, LinearAttn<Heads<2>, SquaredReluMap, NormHeads>>>(folder,
                                                                                                      "maps");
}
