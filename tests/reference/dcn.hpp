// SPDX-License-Identifier: BSD-3-Clause
// Deep crosses: layer l makes x' = x0 * F_l(x) + x of its input x, with x0 that of the first. Parameters
// "l.*": weight, bias: F(x) = W x + b; 0.weight, 1.weight, 1.bias: W of low rank; with gate.*: (W x + b)
// sigmoid(Wg x). Mixture: F(x) = sum_e softmax(G x)_e U_e tanh(C_e tanh(V_e x)) + b. First version: x' = x0
// (w . x) + b + x.
#pragma once

#include "activation.hpp"
#include "combine.hpp"

namespace reference {

inline Result linear_map(Parameters const& p, Sequence const& x) {
    return p.has("weight") ? dense(p, x) : stack({dense, dense})(p, x);
}

inline Result dcn_factor(Parameters const& p, Sequence const& x) {
    Result z = linear_map(p, x);
    if (!p.has("gate.weight") && !p.has("gate.0.weight")) return z;
    Result const g = apply([](Sequence const& v) { return sigmoid({}, v); }, linear_map(p.child("gate"), x));
    for (std::size_t t = 0; t < z.value.size(); ++t)
        for (std::size_t i = 0; i < z.value[t].size(); ++i) {
            z.magnitude[t][i] =
                z.magnitude[t][i] * std::abs(g.value[t][i]) + std::abs(z.value[t][i]) * g.magnitude[t][i];
            z.value[t][i] *= g.value[t][i];
        }
    return z;
}

inline Block dcn_mixture(std::size_t experts) {
    return [experts](Parameters const& p, Sequence const& x) {
        Block const bend = tanh;
        Result y = gate(std::vector<Block>(experts, stack({dense, bend, dense, bend, dense})))(p, x);
        for (std::size_t t = 0; t < y.value.size(); ++t)
            for (std::size_t i = 0; i < y.value[t].size(); ++i) {
                double const b = p["bias"](0, static_cast<int>(i));
                y.value[t][i] += b;
                y.magnitude[t][i] += std::abs(b);
            }
        return y;
    };
}

inline Block dcn(std::size_t layers, Block factor = dcn_factor) {
    return [=](Parameters const& p, Sequence const& x) {
        Result y{x, zeros_like(x)};
        for (std::size_t l = 0; l < layers; ++l)
            y = apply(
                [&](Sequence const& in) {
                    Result out = factor(p.child(std::to_string(l)), in);
                    for (std::size_t t = 0; t < x.size(); ++t)
                        for (std::size_t i = 0; i < x[t].size(); ++i) {
                            out.value[t][i] = x[t][i] * out.value[t][i] + in[t][i];
                            out.magnitude[t][i] =
                                std::abs(x[t][i]) * out.magnitude[t][i] + std::abs(in[t][i]);
                        }
                    return out;
                },
                y);
        return y;
    };
}

inline Block dcn_first(std::size_t layers) {
    return [=](Parameters const& p, Sequence const& x) {
        Result y{x, zeros_like(x)};
        for (std::size_t l = 0; l < layers; ++l)
            y = apply(
                [&](Sequence const& in) {
                    Matrix const& w = p[std::to_string(l) + ".weight"];
                    Matrix const& b = p[std::to_string(l) + ".bias"];
                    Result out{in, in};
                    for (std::size_t t = 0; t < x.size(); ++t) {
                        double s = 0, terms = 0;
                        for (std::size_t i = 0; i < in[t].size(); ++i) {
                            s += in[t][i] * w(0, static_cast<int>(i));
                            terms += std::abs(in[t][i] * w(0, static_cast<int>(i)));
                        }
                        for (std::size_t i = 0; i < in[t].size(); ++i) {
                            double const shift = b(0, static_cast<int>(i));
                            out.value[t][i] = x[t][i] * s + shift + in[t][i];
                            out.magnitude[t][i] =
                                std::abs(x[t][i]) * terms + std::abs(shift) + std::abs(in[t][i]);
                        }
                    }
                    return out;
                },
                y);
        return y;
    };
}

} // namespace reference
