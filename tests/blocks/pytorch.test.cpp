// SPDX-License-Identifier: BSD-3-Clause
// Values and gradients that PyTorch computed in float64 (tests/vectors/make_vectors.py), to rounding.
#include <inlay/inlay.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace inlay;
using namespace inlay::detail::laws;

namespace {
Safetensors vectors(char const* file) {
    return Safetensors::read(std::string("tests/vectors/") + file + ".safetensors");
}
Numbers numbers(Safetensors const& file, std::string const& name) {
    auto const* info = file.find(name);
    REQUIRE_MESSAGE(info, name);
    Numbers all(info->count());
    if (info->dtype == DType::I64)
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::int64_t id;
            std::memcpy(&id, info->bytes.data() + i * sizeof id, sizeof id);
            all[i] = double(id);
        }
    else read_scalars(*info, all.data());
    return all;
}
void same(char const* what, Numbers const& got, Numbers const& wanted) {
    REQUIRE_MESSAGE(got.size() >= wanted.size(), what);
    double largest = 0;
    for (double w : wanted) largest = std::max(largest, std::abs(w));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        INFO(what << " " << i << ": " << got[i] << ", PyTorch " << wanted[i]);
        CHECK(std::abs(got[i] - wanted[i]) <= 1e-13 * largest);
    }
}
/// Runs a call whose input is set on a file's parameters and cotangent, and compares all that the file holds.
void compare(Bound const& b, Safetensors const& file, Call& c) {
    c.params.assign(b.parameters, 0);
    for (auto const& t : b.tensors) {
        auto const from = numbers(file, t.name);
        REQUIRE(from.size() == t.size());
        std::copy(from.begin(), from.end(), c.params.begin() + std::ptrdiff_t(t.offset));
    }
    c.rows = b.capacity;
    c.dy = numbers(file, "dy");
    LawReport report;
    b.run(b, c, report);
    CHECK_MESSAGE(report.ok(), report.text());
    same("y", c.y, numbers(file, "y"));
    if (file.find("dx")) same("dx", c.dx, numbers(file, "dx"));
    for (auto const& t : b.tensors) {
        auto const from = c.grads.begin() + std::ptrdiff_t(t.offset);
        same(t.name.c_str(), Numbers(from, from + std::ptrdiff_t(t.size())), numbers(file, "grad." + t.name));
    }
}
template <class Spec, class I, int B>
void compare(char const* name, char const* input = "x", bool training = false) {
    CAPTURE(name);
    auto const file = vectors(name);
    Call c;
    c.x = numbers(file, input);
    c.training = training;
    compare(bind<Spec, I, NativeDouble, B>(), file, c);
}
} // namespace

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
