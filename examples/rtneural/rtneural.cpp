// SPDX-License-Identifier: BSD-3-Clause
// A model that was trained with Keras for RTNeural, from its JSON file: reads it and times a stream, one
// sample after the other.
//
//     rtneural MODEL.json
//
// The type below says the file's layers; a file of other layers is an error that says which differ. Change it
// to what yours has.
#include <inlay/inlay.hpp>
#include <inlay/io/rtneural.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace inlay;

using Amp = Model<Sequence<64, 2>, Dense<4>, Tanh, CausalConv1d<3, Channels<6>, Dilation<2>, Bias>, Relu,
                  Gru<8>, Lstm<5>, Dense<1>>;

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: rtneural MODEL.json\n");
        return 2;
    }
    auto net = Network<Amp>(Seed{1});
    load_rtneural(net, argv[1]);

    int const samples = std::getenv("INLAY_SMOKE") ? 480 : 480'000;
    auto const state = std::make_unique<Amp::State>(); // zero: silence before the first sample
    double energy = 0;
    auto const begin = std::chrono::steady_clock::now();
    for (int t = 0; t < samples; ++t) {
        float const x[] = {float(std::sin(0.05 * t)), 0.5f}; // a tone, and a knob
        float y[1];
        Amp::step(net.params(), *state, x, y);
        energy += double(y[0]) * double(y[0]);
    }
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%s: %lld parameters, %zu bytes of state\n", argv[1], Amp::parameters,
                sizeof(Amp::Block::State));
    std::printf("%.0f ns a sample on %s: %.0f times real time at 48 kHz; root mean square %.3f\n",
                seconds.count() / samples * 1e9, INLAY_ISA_NAME, samples / 48e3 / seconds.count(),
                std::sqrt(energy / samples));
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
