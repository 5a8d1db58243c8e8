// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: relu") { laws<Relu, Sequence<5, 17>>(reference::relu); }
TEST_CASE("laws: leaky_relu") { laws<LeakyRelu, Sequence<5, 17>>(reference::leaky_relu); }
TEST_CASE("laws: gelu") { laws<Gelu, Sequence<5, 17>>(reference::gelu); }
TEST_CASE("laws: gelu_tanh") { laws<GeluTanh, Sequence<5, 17>>(reference::gelu_tanh); }
TEST_CASE("laws: silu") { laws<Silu, Sequence<5, 17>>(reference::silu); }
TEST_CASE("laws: tanh") { laws<Tanh, Sequence<5, 17>>(reference::tanh); }
TEST_CASE("laws: sigmoid") { laws<Sigmoid, Sequence<5, 17>>(reference::sigmoid); }
TEST_CASE("laws: softplus") { laws<Softplus, Sequence<5, 17>>(reference::softplus); }
TEST_CASE("laws: a steeper leaky_relu") {
    laws_in_float<BasicLeakyRelu<Slope<200>>, Vector<3>>(reference::leaky_relu_with(0.2));
}
TEST_CASE("laws: activations over a vector") {
    laws_in_float<Relu, Vector<1>>(reference::relu);
    laws_in_float<Sigmoid, Vector<1>>(reference::sigmoid);
}
