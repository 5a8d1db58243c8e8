// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/batch_norm.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {
/// The numbers of a row of width D as the harness's block holds them.
template <class Tensor> std::vector<double> row(Tensor const& t) { return {t[0], t[0] + Tensor::width}; }

template <class H> reference::Sequence all_vectors(H& h) {
    reference::Sequence all;
    for (int b = 0; b < h.B; ++b)
        for (auto const& x : H::sequence(h.x(), b)) all.push_back(x);
    return all;
}
} // namespace

TEST_CASE("BatchNorm serves with its running statistics, whatever they are") {
    auto const check = [](auto h) {
        for (int i = 0; i < decltype(h->x())::width; ++i) {
            h->params.running_var[0][i] = std::abs(h->params.running_var[0][i]) + 0.1f;
            h->params.running_mean[0][i] = 3;
        }
        h->check_forward(reference::batch_norm);
        h->forward();
        h->backward();
        CHECK(row(h->grads.running_mean) == std::vector<double>(row(h->grads.running_mean).size()));
        CHECK(row(h->grads.running_var) == std::vector<double>(row(h->grads.running_var).size()));
    };
    check(test::harness<BatchNorm, Shape<13>, float>());
    check(test::harness<BatchNorm, Shape<4, 16>, float>());
    check(test::harness<BatchNorm, Shape<1024>, float>());
}

TEST_CASE("In training the slots of the buffers hold what moves them to the unbiased statistics") {
    auto h = test::harness<BasicBatchNorm<Momentum<0.25>>, Shape<4, 5>, double>();
    h->c.training = true;
    h->length[0] = 0;
    h->length[1] = 3;
    h->randomize();
    h->grads.running_var[0][2] = 7;
    h->forward();
    h->backward();
    auto const truth = reference::columns_of(all_vectors(*h));
    for (int i = 0; i < 5; ++i) {
        auto const at = std::size_t(i);
        double const unbiased = truth.variance[at] * 7 / 6; // 0 + 3 + 4 vectors
        CHECK(h->grads.running_mean[0][i] ==
              doctest::Approx(0.25 * (truth.mean[at] - h->params.running_mean[0][i])));
        CHECK(h->grads.running_var[0][i] ==
              doctest::Approx((i == 2 ? 7 : 0) + 0.25 * (unbiased - h->params.running_var[0][i])));
    }
}

TEST_CASE("A batch of one vector has no variance: it is served, and moves nothing") {
    auto h = test::harness<BatchNorm, Shape<5>, double>();
    for (int i = 0; i < 5; ++i) h->params.running_var[0][i] = 2 + i;
    h->c.rows = 1;
    h->c.training = true;
    h->forward();
    h->backward();
    auto const want = reference::batch_norm(h->parameters(), h->sequence(h->x(), 0)).value[0];
    for (int i = 0; i < 5; ++i) {
        CHECK(h->y()(0)[i] == doctest::Approx(want[std::size_t(i)]));
        CHECK(h->dx()(0)[i] ==
              doctest::Approx(h->dy()(0)[i] * h->params.weight[0][i] / std::sqrt(2 + i + 1e-5)));
        CHECK(h->grads.running_mean[0][i] == 0);
        CHECK(h->grads.running_var[0][i] == 0);
    }
    h->c.rows = 0; // as a shard of empty sequences
    h->forward();
    h->backward();
}

TEST_CASE("A column far from zero keeps its digits") {
    auto h = std::make_unique<test::Harness<BatchNorm, Shape<3>, float, native_lanes<float>, 8>>();
    h->c.training = true;
    for (int b = 0; b < 8; ++b)
        for (int i = 0; i < 3; ++i) h->x()(b)[i] = 4096 + float(b);
    h->forward();
    for (int b = 0; b < 8; ++b)
        CHECK(std::abs(h->y()(b)[0] - h->params.weight[0][0] * (float(b) - 3.5f) / std::sqrt(5.25f) -
                       h->params.bias[0][0]) < 1e-5f);
}

TEST_CASE(
    "BatchNorm starts as the identity, streams by its running statistics, and refuses what is not its") {
    using B = BatchNorm::Block<Shape<3>, Native>;
    B::Params p{};
    B::initialize(Context<>{}, p);
    CHECK(p.weight[0][2] == 1);
    CHECK(p.running_var[0][2] == 1);
    CHECK(p.running_var[0][3] == 0);
    CHECK(p.running_mean[0][0] == 0);
    static_assert(B::parameters == 6 && B::streams);
    static_assert(detail::fits<detail::Problem<BatchNorm, Shape<7, 3>>>);
    static_assert(!detail::fits<detail::Problem<BatchNorm, Tokens<7, 3>>>);
    static_assert(!detail::fits<detail::Problem<BasicBatchNorm<NoBias>, Shape<3>>>);
    static_assert(!detail::fits<detail::Problem<BasicBatchNorm<Momentum<0.1>, Momentum<0.2>>, Shape<3>>>);
}
