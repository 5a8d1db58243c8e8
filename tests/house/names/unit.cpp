#include "unit.hpp"

#include <memory>

// FUNCTION is named on the command line, once for each translation unit.
float FUNCTION(int& lanes);
float FUNCTION(int& lanes) {
    lanes = Talk::Scalar::lanes;
    inlay::Network<Talk> net(inlay::Seed{3});
    auto const state = std::make_unique<Talk::State>();
    inlay::reset<Talk>(*state);
    float y[20] = {};
    for (int token : {3, 1, 4, 1, 5}) Talk::step(net.params(), *state, token, y);
    return y[2];
}
