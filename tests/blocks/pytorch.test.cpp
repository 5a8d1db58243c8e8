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
}

TEST_CASE("batch norm agrees with PyTorch, running statistics included") {
    compare<BatchNorm, Shape<7>, 6>("batch_norm", "x", true);
    compare<BasicBatchNorm<Momentum<0.3>, Eps<1e-3>>, Shape<5, 7>, 3>("batch_norm_tokens", "x", true);
    compare<BatchNorm, Shape<7>, 6>("batch_norm_serving");
}

TEST_CASE("a number by waves agrees with PyTorch") {
    compare<Embed<7, Periodic<5>>, Shape<1>, 4>("periodic");
}

TEST_CASE("a bag agrees with PyTorch's mean, empty ones included") {
    auto const file = vectors("embedding_bag_mean");
    auto const ids = numbers(file, "ids"), offsets = numbers(file, "offsets");
    constexpr int bags = 4, most = 3;
    Call c;
    c.x.assign(bags * most, 0);
    for (std::size_t b = 0; b < bags; ++b) {
        auto const from = std::size_t(offsets[b]),
                   to = b + 1 < bags ? std::size_t(offsets[b + 1]) : ids.size();
        c.lengths.push_back(std::int32_t(to - from));
        std::copy(ids.begin() + std::ptrdiff_t(from), ids.begin() + std::ptrdiff_t(to),
                  c.x.begin() + std::ptrdiff_t(b * most));
    }
    compare(bind<Embed<3>, Bag<most, 7>, NativeDouble, bags>(), file, c);
}
