// SPDX-License-Identifier: BSD-3-Clause
// Float code against the bounds that come out of Rounded.
#include "attention.hpp"
#include "checks.hpp"

using namespace reference;

TEST_CASE("rounded: float code stays within a few epsilon of the magnitude") {
    Sequence const x = numbers(40, 5, 1), w = numbers(7, 5, 2);
    Parameters const p = parameters({{"weight", w}});
    for (auto const& token : x) {
        std::vector<float> const in(token.begin(), token.end());
        Row const exact = exactly(std::vector<double>(in.begin(), in.end()));
        Row const y = linear(p, exact), z = softmax(y), n = rms_normed(y, 1e-6);
        std::vector<float> out;
        float squares = 0, sum = 0;
        for (auto const& row : w) {
            float v = 0;
            for (std::size_t i = 0; i < in.size(); ++i) v += in[i] * float(row[i]);
            out.push_back(v), squares += v * v, sum += std::exp(v);
        }
        for (std::size_t o = 0; o < out.size(); ++o) {
            auto const within = [](Rounded r, float got) {
                CHECK(std::abs(r.value - double(got)) <= 2 * 1.1920929e-7 * r.magnitude);
                CHECK(r.magnitude >= std::abs(r.value));
                CHECK(r.magnitude < 40);
            };
            within(y[o], out[o]);
            within(z[o], std::exp(out[o]) / sum);
            within(n[o], out[o] / std::sqrt(squares / 7 + 1e-6F));
            within(tanh(y[o]) - sigmoid(y[o]) * 0.5, std::tanh(out[o]) - 0.5F / (1 + std::exp(-out[o])));
        }
    }
}
