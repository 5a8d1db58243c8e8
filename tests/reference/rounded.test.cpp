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
                CHECK(std::abs(r.value - double(got)) <= 2 * 1.1920929e-7 * magnitude_of(r));
                CHECK(magnitude_of(r) >= (1 - 1e-12) * std::abs(r.value));
                CHECK(magnitude_of(r) < 40);
            };
            within(y[o], out[o]);
            within(z[o], std::exp(out[o]) / sum);
            within(n[o], out[o] / std::sqrt(squares / 7 + 1e-6F));
            within(tanh(y[o]) - sigmoid(y[o]) * 0.5, std::tanh(out[o]) - 0.5F / (1 + std::exp(-out[o])));
        }
    }
}

TEST_CASE("rounded: magnitudes by hand; errors that cancel do; a scope forgets") {
    Rounded const a = constant(2), b = constant(-3), ab = a * b;
    CHECK(magnitude_of(Rounded(7.0)) == 0);
    CHECK(magnitude_of(a) == 2);
    CHECK(magnitude_of(ab) == 6 + 6 + 6);
    CHECK(magnitude_of(a + b) == 1 + 2 + 3);
    CHECK(magnitude_of(a - a) == 0);
    CHECK(magnitude_of(ab / a) == 3 + 3 + 3); // the error of a itself drops out
    CHECK(magnitude_of(total({a, b, 1.0})) == 6 + 2 + 3);
    CHECK(magnitude_of(dot({a, 4.0}, {b, 2.0})) == 14 + 6 + 6);
    CHECK(magnitude_of(exp(b)) == doctest::Approx(std::exp(-3.0) * (1 + 3 + 3)));
    CHECK(magnitude_of(-sqrt(constant(4))) == 2 + 4 * .25);
    int before = 0;
    {
        Tape::Scope const scope;
        before = constant(1).operation;
        CHECK(magnitude_of(constant(5) * ab) == 30 + 30 + 5 * 18);
    }
    CHECK(constant(1).operation == before);
    ValuesOnly const guard;
    CHECK((a * b).operation == -1);
}
