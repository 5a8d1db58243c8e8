// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {
using Row = Record<Categorical<"user", 50>, Categorical<"item", 80>, MultiHot<"tags", 12, 3, Weighted>,
                   Numeric<"age">>;
using Static = Cross<Hashed<4096>, Each, Of<"user", "item">>;
using Suppressed = Cross<Hashed<4096>, Of<"user", "item">, Of<"item">, Gated<Embed<4>, Flatten>>;
using Deep = Stack<Embed<4>, Flatten, Dense<1>>;
using M = Model<Row, Sum<Static, Sum<Deep, Suppressed>>>;

void scatter(std::span<float> weights, float by) {
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = by * (float(i * 7 % 11) - 5);
}
} // namespace

TEST_CASE("the shares of an audit sum to the logit and name what fired") {
    auto net = Network<M>(Seed{1});
    auto& sum = get<0>(net.params());
    scatter(get<0>(sum).weight.data, 0.1f);
    auto& gated = get<1>(get<1>(sum));
    scatter(gated.weight.data, 0.2f);
    for (float& w : gated.score.weight.data) w = 0;
    gated.score.bias[0][0] = -2;   // turns the pair round
    gated.score.bias[0][1] = 0.1f; // silences the item
    auto const rows = Rows<Row>::random(30, Seed{2});
    auto ws = Workspace<M, Batch<1>>{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto const shares = audit(net, rows[i]);
        double total = 0;
        for (auto const& s : shares) total += s.share;
        CHECK(total == doctest::Approx(double(net.infer(rows[i], ws)[0])).epsilon(1e-5));
        for (std::size_t k = 1; k < shares.size(); ++k)
            CHECK(std::abs(shares[k - 1].share) >= std::abs(shares[k].share));
        std::int32_t const user = get<0>(rows[i]).id, item = get<1>(rows[i]).id;
        std::size_t pairs = 0, tags = 0, deep = 0;
        for (auto const& s : shares) {
            deep += s.place == "0.1.0";
            if (s.fields.empty()) continue;
            if (s.fields.size() == 2) {
                ++pairs;
                CHECK(s.fields == std::vector<std::string>{"user", "item"});
                CHECK(s.ids == std::vector<std::int32_t>{user, item});
                CHECK(s.gate == (s.place == "0.0" ? 1 : -1.5));
            } else if (s.place == "0.1.1") CHECK(s.share == 0);
            if (s.fields[0] == "tags") {
                auto const& t = get<2>(rows[i]);
                bool found = false;
                for (int n = 0; n < t.count; ++n)
                    found = found || (t.id[n] == s.ids.at(0) && double(t.weight[n]) == s.value);
                CHECK(found);
                CHECK(s.share == s.value * double(get<0>(sum).weight.data[s.slot]));
                ++tags;
            }
        }
        CHECK(deep == 1);
        CHECK(pairs == (user != 0 && item != 0 ? 2 : 0));
        auto const& t = get<2>(rows[i]);
        CHECK(tags == std::size_t(std::count_if(t.id, t.id + t.count, [](auto id) { return id != 0; })));
    }
}

TEST_CASE("collisions are as many as are to be expected") {
    using Pairs = Record<Categorical<"user", 2000>, Categorical<"item", 3000>>;
    auto const rows = Rows<Pairs>::random(4000, Seed{3});
    auto const c = collisions<Cross<Hashed<8192>, Of<"user", "item">>>(rows);
    CHECK(c.keys > 3900);
    CHECK(c.share() == doctest::Approx(c.expected()).epsilon(0.1));
    auto const exact = collisions<Cross<Indexed, Each, Of<"user">, Of<"user", "item">>>(rows);
    CHECK(exact.collided == 0);
    CHECK(exact.used == exact.keys);
}
