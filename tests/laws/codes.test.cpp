// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/codes.hpp"
#include "../laws.hpp"

TEST_CASE("laws: codes that are exchanged") {
    laws<BasicAlignedCodes<5, 3, 500, 2>, Tokens<4, 9>>(reference::aligned_codes(3, 0.5, 2));
    laws_in_float<AlignedCodes<3, 17>, Tokens<2, 34>>(nullptr, {.training = true});
}

TEST_CASE("noise in training is one for each step") {
    using Block = AlignedCodes<3, 4>::Block<Tokens<2, 8>, Native>;
    auto const params = std::make_unique<Block::Params>();
    Context<> c{.rows = 1, .capacity = 1, .training = true, .key = Key{1}};
    Block::initialize(c, *params);
    alignas(64) static std::byte room[Block::scratch(1)];
    std::int32_t const codes[] = {2, 5};
    auto const at_step = [&](std::uint64_t step) {
        Tensor<Native, 2, 3> y{};
        NoTape none;
        c.step = step;
        Block::forward(c, *params, In<Tokens<2, 8>, Native>{codes}, Out<Shape<2, 3>, Native>{y[0]}, none,
                       Scratch{room});
        return std::vector<float>{y[0][0], y[0][1], y[1][0], y[1][1]};
    };
    CHECK(at_step(1) == at_step(1));
    CHECK(at_step(1) != at_step(2));
    c.training = false;
    CHECK(at_step(1) == at_step(2));
}
TEST_CASE("an exchange that is learned can be written down") {
    constexpr int D = 6, K = 4;
    using M = Model<Tokens<2, 2 * K>, AlignedCodes<D, K>, MeanPool>;
    using Plain = Model<Tokens<2, 2 * K>, Embed<D>, MeanPool>;
    auto net = Network<M>(Seed{1});
    auto& p = get<0>(net.params());
    // Code c of the first group means 3 - c, of the second c + 1.
    for (int g = 0; g < 2; ++g)
        for (int c = 0; c < K; ++c)
            for (int k = 0; k < K; ++k)
                p.permutation[g * K + c][k] = k == (g == 0 ? 3 - c : (c + 1) % K) ? 20.0f : 0.0f;
    auto plain = Network<Plain>(Seed{2});
    p.write_to(get<0>(plain.params()).weight.ref());
    auto ws = Workspace<M, Batch<1>>{};
    auto other = Workspace<Plain, Batch<1>>{};
    for (int c = 0; c < K; ++c) {
        std::int32_t const code[] = {c, K + c};
        auto const y = net.infer(code, ws);
        auto const z = plain.infer(code, other);
        for (int i = 0; i < D; ++i) {
            CHECK(double(y(0)[i]) == doctest::Approx(double(z(0)[i])).epsilon(1e-5));
            CHECK(double(z(0)[i]) ==
                  doctest::Approx(double((p.weight[3 - c][i] + p.weight[K + (c + 1) % K][i]) / 2)));
        }
    }
}
