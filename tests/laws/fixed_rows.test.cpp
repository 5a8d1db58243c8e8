// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
inline constexpr std::int32_t ids[] = {3, 0, 5};

template <class M> std::vector<float> rows_of(std::int64_t at, float x) {
    detail::Buffer<typename M::Input, Native, 1> in{};
    auto const view = in.view({});
    for (int t = 0; t < M::Input::rows; ++t) view(0, t)[0] = x;
    Network<M> net(Seed{1});
    Workspace<M, Batch<1>> ws;
    std::vector<float> all;
    NoTape none;
    Out<typename M::Output, Native> const y{ws.output(), {}};
    M::Block::forward(Context<>{.rows = 1, .capacity = 1, .position = &at}, net.params(), view, y, none,
                      ws.scratch());
    for (int t = 0; t < M::Output::rows; ++t)
        for (int i = 0; i < M::Output::width; ++i) all.push_back(y(0, t)[i]);
    return all;
}
} // namespace

TEST_CASE("laws: random_rows") { laws_in_float<RandomRows<5>, Sequence<7, 3>>(); }
TEST_CASE("laws: fixed_text") {
    laws_in_float<Stack<FixedText<ids>, Embed<3>>, Tokens<7, 6>>(
        [](reference::Parameters const& p, reference::Sequence const& x) {
            reference::Sequence text;
            for (std::size_t t = 0; t < x.size(); ++t) text.push_back({double(ids[t % 3])});
            return reference::embed(p.child("1"), text);
        });
}
TEST_CASE("random rows are normal numbers of their places, whatever comes in") {
    using M = Model<Sequence<64, 1>, RandomRows<64, 2.0>>;
    auto const x = rows_of<M>(0, 1), other = rows_of<M>(0, -3), later = rows_of<M>(10, 1),
               seeded = rows_of<Model<Sequence<64, 1>, RandomRows<64, 2.0, 9>>>(0, 1);
    CHECK(x == other);
    CHECK(x != seeded);
    CHECK(std::equal(x.begin() + 10 * 64, x.end(), later.begin()));
    double sum = 0, squares = 0, fourth = 0, along = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        double const z = double(x[i]) / 2;
        sum += z, squares += z * z, fourth += z * z * z * z;
        if (i >= 64) along += z * double(x[i - 64]) / 2;
    }
    auto const n = double(x.size());
    CHECK(std::abs(sum / n) < 4 / std::sqrt(n));
    CHECK(std::abs(squares / n - 1) < 4 * std::sqrt(2 / n));
    CHECK(std::abs(fourth / n - 3) < 4 * std::sqrt(96 / n));
    CHECK(std::abs(along / n) < 4 / std::sqrt(n));
}
