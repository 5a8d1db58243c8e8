// SPDX-License-Identifier: BSD-3-Clause
// Values and gradients that PyTorch computed in float64 (tests/vectors/make_vectors.py), to rounding.
#include "pytorch.hpp"

using namespace pytorch;

TEST_CASE("blocks agree with PyTorch") {
    compare<Dense<3>, Shape<5>, 4>("linear");
    compare<LayerNorm, Shape<3, 7>, 2>("layer_norm");
    compare<RmsNorm, Shape<3, 7>, 2>("rms_norm");
    compare<Mlp<7, 3>, Shape<5>, 4>("mlp");
    compare<SwiGlu<8>, Shape<3, 5>, 2>("swiglu");
    compare<Residual<RmsNorm, Dense<9>, Gelu, Dense<6>>, Shape<3, 6>, 2>("residual_prenorm");
    compare<Embed<3>, Tokens<4, 7>, 2>("embedding", "ids");
    compare<Gru<5>, Shape<7, 4>, 2>("gru");
    compare<Lstm<5>, Shape<7, 4>, 2>("lstm");
    compare<Tied<Embed<6>, Dense<6>>, Tokens<3, 11>, 2>("tied_lm_head", "ids");
}

TEST_CASE("activations agree with PyTorch") {
    compare<Relu, Shape<6>, 4>("relu");
    compare<LeakyRelu, Shape<6>, 4>("leaky_relu");
    compare<Gelu, Shape<6>, 4>("gelu");
    compare<GeluTanh, Shape<6>, 4>("gelu_tanh");
    compare<Silu, Shape<6>, 4>("silu");
    compare<Tanh, Shape<6>, 4>("tanh");
    compare<Sigmoid, Shape<6>, 4>("sigmoid");
    compare<Softplus, Shape<6>, 4>("softplus");
    compare<PRelu, Shape<7>, 4>("prelu");
    compare<Dice, Shape<7>, 6>("dice", "x", true);
    compare<Dice, Shape<7>, 6>("dice_serving");
}

TEST_CASE("batch norm agrees with PyTorch, running statistics included") {
    compare<BatchNorm, Shape<7>, 6>("batch_norm", "x", true);
    compare<BasicBatchNorm<Momentum<0.3>, Eps<1e-3>>, Shape<5, 7>, 3>("batch_norm_tokens", "x", true);
    compare<BatchNorm, Shape<7>, 6>("batch_norm_serving");
}

TEST_CASE("a number by waves agrees with PyTorch") {
    compare<Embed<7, Periodic<5>>, Shape<1>, 4>("periodic");
}

namespace {
constexpr int bags = 4, most = 3;
/// Calls f(bag, place in it, place among all) for each id of a file.
template <class F> void each_id_of(Numbers const& ids, Numbers const& offsets, F f) {
    for (std::size_t b = 0; b < bags; ++b) {
        auto const from = std::size_t(offsets[b]),
                   to = b + 1 < bags ? std::size_t(offsets[b + 1]) : ids.size();
        for (std::size_t k = from; k < to; ++k) f(b, k - from, k);
    }
}
template <class Pool> void compare_weighted(char const* name) {
    CAPTURE(name);
    auto const file = vectors(name);
    auto const ids = numbers(file, "ids"), weights = numbers(file, "weights");
    Call c;
    c.x.assign(bags * (1 + 2 * most), 0); // count, ids, weights
    each_id_of(ids, numbers(file, "offsets"), [&](std::size_t b, std::size_t k, std::size_t i) {
        auto* const row = c.x.data() + b * (1 + 2 * most);
        row[0] = double(k + 1), row[1 + k] = ids[i], row[1 + most + k] = weights[i];
    });
    using Bags = Record<MultiHot<"tags", 7, most, Weighted>>;
    auto b = bind<Stack<Select<"tags">, Embed<3, Pool>>, Bags, NativeDouble, bags>();
    b.tensors.at(0).name = "weight";
    compare(b, file, c);
}
} // namespace

TEST_CASE("weighted bags agree with PyTorch's per_sample_weights") {
    compare_weighted<BagSum>("weighted_bag_sum");
    compare_weighted<BagMean>("weighted_bag_mean");
    compare_weighted<BagSqrtN>("weighted_bag_sqrtn");
    compare_weighted<BagWeightedMean>("weighted_bag_weighted_mean");
}

TEST_CASE("a bag agrees with PyTorch's mean, empty ones included") {
    auto const file = vectors("embedding_bag_mean");
    auto const ids = numbers(file, "ids");
    Call c;
    c.x.assign(bags * most, 0), c.lengths.assign(bags, 0);
    each_id_of(ids, numbers(file, "offsets"), [&](std::size_t b, std::size_t k, std::size_t i) {
        c.x[b * most + k] = ids[i];
        ++c.lengths[b];
    });
    compare(bind<Embed<3>, Bag<most, 7>, NativeDouble, bags>(), file, c);
}
