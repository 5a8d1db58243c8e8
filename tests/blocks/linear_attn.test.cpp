// SPDX-License-Identifier: BSD-3-Clause
// What of linear attention the laws do not look at: the length of a chunk, gates and keys at their ends.
#include <inlay/inlay.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace inlay;
using namespace inlay::detail::laws;

namespace {
/// Of one call, forward and back: all that comes out of it.
Numbers answers(Bound const& b, Call c) {
    LawReport report;
    b.run(b, c, report);
    CHECK_MESSAGE(report.ok(), report.text());
    Numbers all = c.y;
    all.insert(all.end(), c.dx.begin(), c.dx.end());
    all.insert(all.end(), c.grads.begin(), c.grads.end());
    return all;
}
template <int C> using Chunked = LinearAttn<Heads<2>, Kda, VectorGate<2>, Chunk<C>>;
template <class Spec> Bound bound() { return bind<Spec, Sequence<40, 6>, NativeDouble>(); }
} // namespace

TEST_CASE("the length of a chunk changes nothing but the last digits") {
    Bound const whole = bound<Chunked<64>>();
    Call c = draw_call(whole, whole.capacity);
    draw_lengths(whole, c);
    c.dy = draw_cotangent(whole, c);
    Numbers const want = answers(whole, c);
    for (auto const& b : {bound<Chunked<1>>(), bound<Chunked<2>>(), bound<Chunked<17>>()}) {
        Numbers const got = answers(b, c);
        REQUIRE(got.size() == want.size());
        double worst = 0;
        for (std::size_t i = 0; i < got.size(); ++i)
            worst = std::abs(got[i] - want[i]) <= worst ? worst : std::abs(got[i] - want[i]);
        CHECK(worst <= 1e-12 * largest(want));
    }
}

TEST_CASE("keys of zeros and gates at their ends give numbers") {
    Bound const b = bind<LinearAttn<Heads<2>, GatedDelta>, Sequence<40, 6>, Native>();
    Call const drawn = draw_call(b, b.capacity);
    auto const set = [&](Call& c, std::string const& name, double value) {
        for (auto const& t : b.tensors)
            if (t.name == name)
                for (std::size_t i = 0; i < t.size(); ++i) c.params[t.offset + i] = value;
    };
    auto const finite = [&](Call c) {
        c.dy = draw_cotangent(b, c);
        bool all = true;
        for (double v : answers(b, c)) all = all && std::isfinite(v);
        CHECK(all);
    };
    Call c = drawn;
    for (double& x : c.x) x = 0;
    finite(c);
    for (double bias : {-1000., -50., 50., 1000.}) { // a memory that is kept whole, or wiped at each token
        CAPTURE(bias);
        c = drawn;
        set(c, "dt_bias", bias), set(c, "A_log", 2);
        finite(c);
        set(c, "beta.weight", bias);
        finite(c);
    }
    c = drawn;
    set(c, "k.weight", 0);
    finite(c);
}
