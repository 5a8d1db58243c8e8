// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>

#include <doctest/doctest.h>

using namespace inlay;

TEST_CASE("worked numbers") {
    float const h[] = {3, -4, 0, 0};
    auto const s = concentration_of(std::span<float const>(h));
    CHECK(s.l1 == 7);
    CHECK(s.hoyer == doctest::Approx(.6));
    CHECK(s.gini == doctest::Approx(.535714).epsilon(1e-6));
    CHECK(4 * s.effective_rank == doctest::Approx(1.922100).epsilon(1e-6));
    CHECK(4 * s.participation == doctest::Approx(1.854599).epsilon(1e-6));
    CHECK(top_energy(std::span<float const>(h), .25) == doctest::Approx(.64));
    CHECK(s.top10 == doctest::Approx(.64));
    float const none[3] = {}, even[3] = {1, -1, 1};
    CHECK(concentration_of(std::span<float const>(none)).hoyer == 0);
    auto const flat = concentration_of(std::span<float const>(even));
    CHECK(flat.hoyer == doctest::Approx(0));
    CHECK(flat.gini == doctest::Approx(0));
    CHECK(flat.effective_rank == doctest::Approx(1));
    CHECK(flat.participation == doctest::Approx(1));
}

TEST_CASE("each block of a model, by what it wrote last") {
    using M = Model<Tokens<5, 9>, Embed<16>, Relu, Last, Dense<3>>;
    auto const net = Network<M>(Seed{1});
    std::int32_t const ids[] = {3, 7};
    auto const all = concentration(net, std::span<std::int32_t const>(ids));
    REQUIRE(all.size() == 4);
    CHECK(all[0].place == "0");
    CHECK(all[0].measures.l1 ==
          concentration_of(std::span<float const>(get<0>(net.params()).weight[7], 16)).l1);
    CHECK(all[1].measures.l1 == all[2].measures.l1);
    CHECK(all[1].measures.l1 < all[0].measures.l1);
}
