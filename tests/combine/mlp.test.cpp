// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/mlp.hpp"
#include "../blocks/harness.hpp"

using namespace inlay;

TEST_CASE("Mlp is a stack of dense layers with Relu between them") {
    static_assert(std::is_same_v<Mlp<64, 32, 1>, Stack<Dense<64>, Relu, Dense<32>, Relu, Dense<1>>>);
    static_assert(std::is_same_v<Mlp<3>, Stack<Dense<3>>>);
    static_assert(std::is_same_v<BasicMlp<Gelu, 4, 2>, Stack<Dense<4>, Gelu, Dense<2>>>);
    auto const truth = reference::mlp({"0", "2", "4"}, reference::relu);
    test::harness<Mlp<9, 4, 2>, Shape<5>, float>()->check_forward(truth);
    auto h = test::harness<Mlp<9, 4, 2>, Shape<3, 5>, double>();
    h->check_forward(truth);
    h->check_gradients();
}

namespace {
template <int H, class T> void swiglu() {
    test::each_width<T>([](auto d) {
        auto const check = [](auto h) {
            h->check_forward(reference::swiglu);
            if constexpr (std::is_same_v<T, double>) h->check_gradients();
        };
        check(test::harness<SwiGlu<H>, Shape<d>, T>());
        auto h = test::harness<SwiGlu<H>, Shape<3, d>, T>();
        h->length[0] = 0;
        h->length[1] = 2;
        h->randomize();
        check(std::move(h));
    });
}
} // namespace

TEST_CASE("SwiGlu agrees with its reference, forward and backward") {
    swiglu<1, double>();
    swiglu<native_lanes<double> + 1, double>();
    swiglu<13, float>();
}

TEST_CASE("SwiGlu: names, counts, step, and no gradient where none is wanted") {
    auto h = test::harness<SwiGlu<6>, Shape<3, 5>, float>();
    using H = typename decltype(h)::element_type;
    auto const p = h->parameters();
    CHECK(p["gate.weight"].rows == 6);
    CHECK(p["up.weight"].cols == 5);
    CHECK(p["down.weight"].rows == 5);
    CHECK(p.by_name.size() == 3);
    static_assert(H::Block::parameters == 90 && H::Block::flops == 3 * (6 * 6 * 5 + 6 * 6));

    h->forward();
    H::State s{};
    alignas(64) std::byte room[H::Block::step_scratch() + 64];
    alignas(64) float y[std::size_t(decltype(h->y())::stride)];
    for (int t = 0; t < 3; ++t) {
        H::Block::step(h->c, h->params, s, h->x()(1, t), y, Scratch{room});
        for (int i = 0; i < 5; ++i) CHECK(std::abs(y[i] - h->y()(1, t)[i]) <= 1e-6f);
    }
    h->backward();
    auto only = test::harness<SwiGlu<6>, Shape<3, 5>, float>();
    only->forward();
    H::Block::backward(only->c, only->params, only->x(), only->tape, only->dy(), NoGrad{}, only->grads,
                       only->scratch());
    CHECK(only->grads.up.weight[0][0] == h->grads.up.weight[0][0]);
    // Its three matrices start from different draws.
    H::Block::Params fresh{};
    H::Block::initialize(Context<>{.key = Key{3}}, fresh);
    CHECK(fresh.gate.weight.ref()(1, 2) != fresh.up.weight.ref()(1, 2));
}
