// SPDX-License-Identifier: BSD-3-Clause
// onnx_models FOLDER: models as ONNX, and beside each an input and what inlay makes of it.
#include <inlay/inlay.hpp>
#include <inlay/io/onnx.hpp>

#include <cstdio>
#include <memory>

using namespace inlay;

namespace {
template <class M> void write(std::string const& folder, char const* name) {
    constexpr int B = 3;
    using Input = typename M::Input;
    using Output = typename M::Output;
    Network<M> net(Seed{11});
    // Values at which weights of ones and biases of zeros would hide a mistake are moved away.
    int moved = 0;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        for (int r = 0; r < t.ref.rows; ++r)
            for (int c = 0; c < t.ref.width; ++c, ++moved) t.ref(r, c) += 0.1F * float(moved % 7) - 0.3F;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        if (t.name.ends_with("running_var"))
            for (int c = 0; c < t.ref.width; ++c) t.ref(0, c) = 0.5F + 0.1F * float(c);
    save_onnx(net, folder + "/" + name + ".onnx");

    auto const ws = std::make_unique<Workspace<M, Batch<B>>>();
    std::FILE* const out = std::fopen((folder + "/" + name + ".txt").c_str(), "w");
    auto const print = [&](auto value) { std::fprintf(out, "%.9g ", double(value)); };
    std::vector<typename Network<M>::Element> x;
    if constexpr (is_ids<Input>)
        for (int i = 0; i < B * Input::rows; ++i) x.push_back((i * i + 3 * i) % Input::vocabulary);
    else
        for (int r = 0; r < B * Input::rows; ++r)
            for (int c = 0; c < Input::width; ++c) x.push_back(0.3F * float((7 * r + 5 * c) % 13) - 1.7F);
    for (auto const value : x) print(value);
    auto const y = net.infer(x, *ws);
    std::fprintf(out, "\n");
    for (int b = 0; b < B; ++b)
        for (int t = 0; t < Output::rows; ++t)
            for (int c = 0; c < Output::width; ++c) print(y(b, t)[c]);
    std::fprintf(out, "\n");
    std::fclose(out);
}
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
