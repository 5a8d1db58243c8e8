// SPDX-License-Identifier: BSD-3-Clause
// Weights of fewer bits: what they cost in digits, against the same weights rounded by hand.
#include "stored.hpp"

using namespace inlay;
using namespace stored_weights;

namespace {
constexpr int V = 23;
template <int O>
using Lm = Model<Tokens<T, V>, Embed<13>, PreNorm<SoftmaxAttn<Heads<1>, HeadDim<32>>>, PreNorm<SwiGlu<40>>,
                 Dense<O>, Gelu, Dense<3>>;
using Mixed =
    Model<Tokens<T, V>, Embed<16>, Gru<16>, Residual<LinearAttn<Heads<1>, GatedDelta>>,
          Residual<SparseAttn<Heads<1>, TopBlocks<2, 2>>>, Residual<Memory<Heads<1>, Depth<1>>>, Dense<3>>;
} // namespace

TEST_CASE("weights of fewer bits compute as the same weights rounded") {
    check<Bf16, Lm<50>>(1e-2, 7, 5);
    check<F16, Lm<64>::as<float, Lanes<4>>>(1e-3, 7, 5);
    check<Int8, Lm<50>>(2e-2, 7, 5);
    check<Int8, Lm<50>::as<float, Lanes<4>>>(2e-2, 7, 5);
}
TEST_CASE("weights of fewer bits, in blocks that are made of Dense") { check<Bf16, Mixed>(1e-2, 16, 22); }
TEST_CASE("they take a half and a quarter of the room") {
    using M = Model<Tokens<4, 512>, Embed<64>, Dense<256>, Relu, Dense<512>>;
    CHECK(sizeof(M::with<Weights<Bf16>>::Params) < sizeof(M::Params) * 51 / 100);
    CHECK(sizeof(M::with<Weights<Int8>>::Params) < sizeof(M::Params) * 28 / 100);
}
TEST_CASE("what halves hold stays exact, subnormals and the largest too") {
    using M = Model<Vector<1>, Dense<64, NoBias>>;
    Network<M> net(Seed{1});
    Network<M::with<Weights<F16>>> half(Seed{1});
    float const values[] = {65504.0F, -65504.0F, 1e6F, 0x1p-24F, -0x1.8p-15F, 0.0F, 1.5F};
    auto const at = detail::named_tensors<M>(net.params())[0].ref;
    for (int i = 0; i < 64; ++i) at(i, 0) = values[i % 7];
    store(net, half);
    Workspace<M::with<Weights<F16>>, Batch<1>> ws;
    float const x[] = {1};
    auto const y = half.infer(x, ws);
    for (int i = 0; i < 64; ++i) CHECK(y(0)[i] == (i % 7 == 2 ? 65504.0F : values[i % 7]));
}
TEST_CASE("a stored network is loaded from a file of floats") {
    using M = Model<Vector<20>, Dense<40>, Tanh, Dense<2>>;
    Network<M> const net(Seed{4});
    Network<M::with<Weights<Int8>>> a(Seed{0}), b(Seed{0});
    save(net, "stored.safetensors");
    load(a, "stored.safetensors");
    store(net, b);
    std::remove("stored.safetensors");
    CHECK(std::memcmp(static_cast<void const*>(&a.params()), static_cast<void const*>(&b.params()),
                      sizeof a.params()) == 0);
}
