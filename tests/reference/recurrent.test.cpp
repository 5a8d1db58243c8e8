// SPDX-License-Identifier: BSD-3-Clause
// The references of GRU, LSTM and convolutions against numbers computed in numpy from PyTorch's equations,
// and by hand.
#include "recurrent.hpp"
#include "checks.hpp"
#include "conv.hpp"

using namespace reference;

TEST_CASE("recurrent: GRU and LSTM") {
    auto const cell = [](std::size_t gates) {
        return parameters({{"weight_ih", wave(gates * 3, 2, 2)},
                           {"weight_hh", wave(gates * 3, 3, 3)},
                           {"bias_ih", wave(1, gates * 3, 4)},
                           {"bias_hh", wave(1, gates * 3, 5)}});
    };
    check_equal(gru(cell(3), wave(4, 2, 1)).value,
                {{-0.7776637706, -0.1159557253, 0.0995546923},
                 {-0.6689810494, 0.1035468144, -0.0223686228},
                 {-0.7188565567, 0.3923000873, 0.1326562846},
                 {-0.5332336012, 0.7777860632, 0.3169921352}},
                1e-9);
    check_equal(lstm(cell(4), wave(4, 2, 1)).value,
                {{-0.0704822797, -0.1159072697, 0.2807164502},
                 {-0.1434214939, 0.2240927578, 0.1109924413},
                 {-0.0076021947, 0.2231030958, 0.7256104032},
                 {-0.0053290850, 0.3173638093, 0.7811917731}},
                1e-9);

    // one unit, no weights: h = n / 2 with n = tanh(b + c / 2), and c = g / 2, h = tanh(c) / 2
    auto const zeros = [](std::size_t rows) { return Sequence(rows, {0}); };
    check_equal(gru(parameters({{"weight_ih", zeros(3)},
                                {"weight_hh", zeros(3)},
                                {"bias_ih", {{0, 0, .3}}},
                                {"bias_hh", {{0, 0, .4}}}}),
                    {{1}, {1}})
                    .value,
                {{std::tanh(.5) / 2}, {std::tanh(.5) * .75}});
    check_equal(
        lstm(parameters({{"weight_ih", zeros(4)}, {"weight_hh", zeros(4)}, {"bias_ih", {{0, 0, .7, 0}}}}),
             {{1}, {1}})
            .value,
        {{std::tanh(std::tanh(.7) / 2) / 2}, {std::tanh(std::tanh(.7) * .75) / 2}});
    CHECK(gru(cell(3), {}).value.empty());
}

TEST_CASE("conv: taps, dilation, bias") {
    Sequence const x = {{1, 10}, {2, 20}, {3, 30}, {4, 40}};
    Parameters const page = parameters({{"weight", {{1, 2}, {.5, 0}, {.25, -1}}}});
    Parameters const torch = parameters({{"weight", {{.25, .5, 1}, {-1, 0, 2}}}, {"bias", {{100, 0}}}});
    Sequence const y = {{1, 20}, {2.5, 40}, {4.25, 50}, {6, 60}};
    check_equal(causal_depthwise_conv()(page, x).value, y);
    check_equal(causal_depthwise_conv()(page, x).magnitude, {{1, 20}, {2.5, 40}, {4.25, 70}, {6, 100}});
    check_equal(causal_depthwise_conv(Taps::torch)(torch, x).value,
                {{101, 20}, {102.5, 40}, {104.25, 50}, {106, 60}});
    check_equal(causal_depthwise_conv(Taps::newest_first, 2)(page, x).value,
                {{1, 20}, {2, 40}, {3.5, 60}, {5, 80}});

    // all channels: the sum of both, and the newest of the first
    Parameters const full =
        parameters({{"weight", {{.25, .5, 1, -1, 0, 2}, {0, 0, 1, 0, 0, 0}}}, {"bias", {{100, 0}}}});
    check_equal(causal_conv(3)(full, x).value, {{121, 1}, {142.5, 2}, {154.25, 3}, {166, 4}});
    check_equal(causal_conv(3, 2)(full, x).value, {{121, 1}, {142, 2}, {163.5, 3}, {185, 4}});
}
