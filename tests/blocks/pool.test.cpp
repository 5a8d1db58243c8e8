// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/pool.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {
template <class Spec, class T> void against(reference::Block (*truth)(int)) {
    test::each_width<T>([&](auto d) {
        auto const check = [&](auto h) {
            h->check_forward(truth(d));
            if constexpr (std::is_same_v<T, double>) h->check_gradients();
        };
        check(test::harness<Spec, Shape<1, d>, T>());
        auto h = test::harness<Spec, Shape<5, d>, T>();
        h->length[0] = 0;
        h->length[1] = 3;
        h->randomize();
        check(std::move(h));
    });
}

/// x[0:n] and x[n:] with carried state give what x gives, forward and backward; a step at a time does too.
template <class Spec, int First, int Second> void in_two_parts() {
    constexpr int D = 5, Room = 6;
    using Whole = test::Harness<Spec, Shape<Room, D>, double>;
    auto whole = std::make_unique<Whole>();
    for (auto& l : whole->length) l = First + Second;
    whole->randomize();
    whole->forward();
    whole->backward();

    auto one = std::make_unique<Whole>(), two = std::make_unique<Whole>();
    for (int b = 0; b < Whole::B; ++b) {
        one->length[b] = First;
        two->length[b] = Second;
        for (int t = 0; t < First; ++t) std::copy_n(whole->x()(b, t), one->x().stride, one->x()(b, t));
        for (int t = 0; t < Second; ++t)
            std::copy_n(whole->x()(b, First + t), two->x().stride, two->x()(b, t));
        std::copy_n(whole->dy()(b), two->dy().stride, two->dy()(b));
        std::fill_n(one->dy()(b), one->dy().stride, 0.0);
    }
    one->carry();
    two->carry();
    one->forward();
    for (int b = 0; b < Whole::B; ++b) two->in[b] = one->out[b];
    two->forward();
    two->backward();
    for (int b = 0; b < Whole::B; ++b) one->d_out[b] = two->d_in[b];
    one->backward();
    for (int b = 0; b < Whole::B; ++b)
        for (int i = 0; i < D; ++i) {
            CHECK(two->y()(b)[i] == whole->y()(b)[i]);
            for (int t = 0; t < Room; ++t) {
                double const want = whole->dx()(b, t)[i];
                double const got = t < First            ? one->dx()(b, t)[i]
                                   : t < First + Second ? two->dx()(b, t - First)[i]
                                                        : 0;
                CHECK(std::abs(got - want) < 1e-15);
            }
        }

    typename Whole::State s{};
    alignas(64) double y[std::size_t(decltype(whole->y())::stride)]{};
    for (int t = 0; t < First + Second; ++t)
        Whole::Block::step(whole->c, whole->params, s, whole->x()(1, t), y, whole->scratch());
    for (int i = 0; i < D; ++i) CHECK(y[i] == whole->y()(1)[i]);
}
template <class Spec> void in_parts() {
    in_two_parts<Spec, 2, 3>();
    in_two_parts<Spec, 0, 3>();
    in_two_parts<Spec, 3, 0>();
    in_two_parts<Spec, 0, 0>();
    in_two_parts<Spec, 1, 5>();
}
} // namespace

TEST_CASE("Pools agree with their references over true lengths, forward and backward") {
    against<MeanPool, float>(reference::mean_pool);
    against<MeanPool, double>(reference::mean_pool);
    against<MaxPool, float>(reference::max_pool);
    against<MaxPool, double>(reference::max_pool);
    against<Last, float>(reference::last);
    against<Last, double>(reference::last);
}

TEST_CASE("Pools in parts and step by step equal pools at once, with their gradients") {
    in_parts<MeanPool>();
    in_parts<MaxPool>();
    in_parts<Last>();
}

TEST_CASE("MaxPool: negative values, ties and NaN") {
    auto h = test::harness<MaxPool, Shape<4, 2>, float>();
    float const x[4][2] = {{-3, 1}, {-2, NAN}, {-2, 5}, {-4, NAN}};
    for (int t = 0; t < 4; ++t) std::copy_n(x[t], 2, h->x()(0, t));
    h->forward();
    CHECK(h->y()(0)[0] == -2);
    CHECK(std::isnan(h->y()(0)[1]));
    h->backward();
    for (int t = 0; t < 4; ++t) {
        CHECK(h->dx()(0, t)[0] == (t == 1 ? h->dy()(0)[0] : 0)); // the first of equals
        CHECK(h->dx()(0, t)[1] == (t == 1 ? h->dy()(0)[1] : 0));
    }
    // What came in with the state was earlier than any token.
    h->carry();
    h->in[0].count = 9;
    h->in[0].max[0][0] = -2;
    h->in[0].max[0][1] = 0;
    h->forward();
    h->backward();
    CHECK(h->out[0].count == 13);
    CHECK(h->d_in[0].max[0][0] == h->dy()(0)[0]);
    CHECK(h->d_in[0].max[0][1] == 0);
    CHECK(h->dx()(0, 1)[0] == 0);
}

TEST_CASE("A model streams through a pool, and a vector has nothing to pool") {
    using M = Model<Sequence<4, 3>, Dense<5>, MaxPool, Dense<2>>;
    static_assert(M::streams && std::is_same_v<M::Output, Shape<2>>);
    static_assert(!detail::fits<detail::Problem<MeanPool, Shape<3>>>);
    static_assert(!detail::fits<detail::Problem<Last, Tokens<4, 3>>>);
    static_assert(sizeof(Last::Block<Shape<4, 3>, Native>::State) == 64);
}
