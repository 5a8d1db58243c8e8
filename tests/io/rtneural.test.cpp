// SPDX-License-Identifier: BSD-3-Clause
// A model in RTNeural's JSON with what PyTorch answers (tests/vectors/make_rtneural.py).
#include <inlay/inlay.hpp>
#include <inlay/io/rtneural.hpp>
#include <inlay/io/safetensors.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

using namespace inlay;

namespace {
constexpr int T = 40;
template <class Recurrent, class Last>
using Amp = Model<Sequence<T, 2>, Dense<4>, Tanh, CausalConv1d<3, Channels<6>, Dilation<2>, Bias>, Relu,
                  Recurrent, Lstm<5>, Last>;
using Whole = Amp<Gru<8>, Dense<1>>;
std::string const file = "tests/vectors/rtneural.json";

std::vector<double> numbers(char const* name) {
    auto const answers = Safetensors::read("tests/vectors/rtneural.safetensors");
    auto const* const info = answers.find(name);
    REQUIRE(info);
    std::vector<double> values(info->count());
    read_scalars(*info, values.data());
    return values;
}
/// What is wrong with the file's text after a change.
std::string words(std::string const& from, std::string const& to) {
    std::ifstream in(file);
    std::stringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    char const* const changed = "rtneural_changed.json";
    std::ofstream(changed) << text;
    auto net = Network<Whole>(Seed{1});
    std::string said;
    try {
        load_rtneural(net, changed);
    } catch (Error const& e) { said = e.what(); }
    std::remove(changed);
    return said;
}
} // namespace

TEST_CASE("a model of RTNeural gives, sample by sample, what PyTorch gives") {
    auto net = Network<Whole>(Seed{1});
    load_rtneural(net, file);
    auto const x = numbers("x"), y = numbers("y");
    auto const state = std::make_unique<Whole::State>();
    double worst = 0, largest = 0;
    for (std::size_t t = 0; t < std::size_t(T); ++t) {
        float const sample[] = {float(x[2 * t]), float(x[2 * t + 1])};
        float out[1];
        Whole::step(net.params(), *state, sample, out);
        worst = std::max(worst, std::abs(double(out[0]) - y[t]));
        largest = std::max(largest, std::abs(y[t]));
    }
    CHECK(largest > 0.3);
    CHECK(worst < 2e-6);
}

TEST_CASE("a file of RTNeural that is not the model says where") {
    CHECK(words("\"conv1d\"", "\"prelu\"") ==
          "inlay: rtneural_changed.json: layer 1: expected \"conv1d\", found \"prelu\"");
    CHECK(words("\"relu\"", "\"elu\"") ==
          "inlay: rtneural_changed.json: layer 1: expected \"relu\", found \"elu\"");
    CHECK(words("\"dense\", \"activation\": \"\"", "\"dense\", \"activation\": \"tanh\"") ==
          "inlay: rtneural_changed.json: layer 4: expected no activation, found \"tanh\"");
    CHECK(words("null, 2]", "null, 3]") ==
          "inlay: rtneural_changed.json: in_shape: expected 2 numbers a sample, found 3");
    CHECK(words("\"dilation\": [2", "\"dilation\": [1") ==
          "inlay: rtneural_changed.json: layer 1, dilation: expected 2, found 1");
    auto wide = Network<Amp<Gru<7>, Dense<1>>>(Seed{1});
    auto const before = wide.params();
    CHECK_THROWS_WITH_AS(
        load_rtneural(wide, file),
        "inlay: tests/vectors/rtneural.json: layer 2, weights 0: expected 21 in an array, found 24", Error);
    CHECK(std::memcmp(&before, &wide.params(), sizeof before) == 0);
}
