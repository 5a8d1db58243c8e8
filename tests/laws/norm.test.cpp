// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

TEST_CASE("laws: rms_norm") { laws<RmsNorm, Sequence<5, 17>>(reference::rms_norm); }
TEST_CASE("laws: layer_norm") { laws<LayerNorm, Sequence<5, 17>>(reference::layer_norm); }
TEST_CASE("laws: norms at other sizes") {
    laws_in_float<RmsNorm, Vector<1>>(reference::rms_norm);
    laws_in_float<RmsNorm, Vector<15>>(reference::rms_norm);
    laws_in_float<LayerNorm, Vector<16>>(reference::layer_norm);
    laws_in_float<LayerNorm, Vector<5>>(reference::layer_norm);
}
