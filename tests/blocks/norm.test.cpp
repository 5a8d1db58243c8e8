// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/norm.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {
template <class Spec, class T> void against(reference::Block const& truth) {
    test::each_width<T>([&](auto d) {
        auto const check = [&](auto h) {
            h->check_forward(truth);
            if constexpr (std::is_same_v<T, double>) h->check_gradients();
        };
        check(test::harness<Spec, Shape<d>, T>());
        check(test::harness<Spec, Shape<1, d>, T>());
        auto h = test::harness<Spec, Shape<4, d>, T>();
        h->length[0] = 0;
        h->length[1] = 3;
        h->randomize();
        check(std::move(h));
    });
}
} // namespace

TEST_CASE("RmsNorm and LayerNorm agree with their references, forward and backward") {
    against<RmsNorm, float>(reference::rms_norm);
    against<RmsNorm, double>(reference::rms_norm);
    against<LayerNorm, float>(reference::layer_norm);
    against<LayerNorm, double>(reference::layer_norm);
    against<BasicRmsNorm<Eps<0.5>>, double>(reference::rms_norm_with(0.5));
    against<BasicLayerNorm<Eps<0.5>>, double>(reference::layer_norm_with(0.5));
}

TEST_CASE("Norms keep the gap of a stride that avoids 4 KB clean") {
    auto const check = [](auto h) {
        h->forward();
        CHECK(h->clean(h->y()));
        h->backward();
        CHECK(h->clean(h->dx()));
    };
    check(test::harness<RmsNorm, Shape<2, 1024>, float>());
    check(test::harness<LayerNorm, Shape<2, 1024>, float>());
}

TEST_CASE("LayerNorm keeps its digits far from zero") {
    auto h = test::harness<LayerNorm, Shape<13>, float>();
    for (int b = 0; b < h->B; ++b)
        for (int i = 0; i < 13; ++i) h->x()(b)[i] = 4096 + float(i);
    h->check_forward(reference::layer_norm);
    for (int i = 0; i < 13; ++i)
        CHECK(std::abs(h->y()(0)[i] - float(h->params.weight[0][i]) * float(i - 6) / std::sqrt(14.0f) -
                       h->params.bias[0][i]) < 1e-5f);
}

TEST_CASE("Norms of a row of zeros and their gradients are finite") {
    auto h = test::harness<RmsNorm, Shape<5>, float>();
    for (int b = 0; b < h->B; ++b)
        for (int i = 0; i < 5; ++i) h->x()(b)[i] = 0;
    h->forward();
    h->backward();
    for (int i = 0; i < 5; ++i) {
        CHECK(h->y()(0)[i] == 0);
        CHECK(std::isfinite(h->dx()(0)[i]));
    }
}

TEST_CASE("Norms start as ones and zeros, stream, and refuse what is not theirs") {
    using B = LayerNorm::Block<Shape<3>, Native>;
    B::Params p{};
    B::initialize(Context<>{}, p);
    CHECK(p.weight[0][2] == 1);
    CHECK(p.weight[0][3] == 0);
    CHECK(p.bias[0][0] == 0);
    static_assert(B::parameters == 6 && B::streams);
    static_assert(detail::fits<detail::Problem<RmsNorm, Shape<7, 3>>>);
    static_assert(!detail::fits<detail::Problem<RmsNorm, Tokens<7, 3>>>);
    static_assert(!detail::fits<detail::Problem<BasicRmsNorm<NoBias>, Shape<3>>>);
    static_assert(!detail::fits<detail::Problem<BasicRmsNorm<Eps<1e-3>, Eps<1e-4>>, Shape<3>>>);
}

TEST_CASE("A step of a norm equals forward, to the bit") {
    auto const check = [](auto h) {
        using H = typename decltype(h)::element_type;
        h->forward();
        typename H::State s{};
        alignas(64) typename H::T y[std::size_t(decltype(h->y())::stride)];
        for (int t = 0; t < 4; ++t) {
            H::Block::step(h->c, h->params, s, h->x()(1, t), y, h->scratch());
            for (int i = 0; i < 13; ++i) CHECK(y[i] == h->y()(1, t)[i]);
        }
    };
    check(test::harness<RmsNorm, Shape<4, 13>, float>());
    check(test::harness<LayerNorm, Shape<4, 13>, float>());
}
