// One model, run by functions of several translation units.
#pragma once
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

using Talk = inlay::Model<inlay::Tokens<8, 20>,
                          inlay::Tied<inlay::Embed<8>, inlay::Repeat<2, inlay::PreNorm<inlay::SwiGlu<16>>>>>;
