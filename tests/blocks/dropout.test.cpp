// SPDX-License-Identifier: BSD-3-Clause
#include "../reference/dropout.hpp"
#include "../reference/philox.hpp"
#include "harness.hpp"

using namespace inlay;

namespace {
template <int T, int D> using Half = test::Harness<Dropout<0.5>, Shape<T, D>, float>;

template <class H> reference::Sequence mask_of(H& h, int b) {
    reference::Sequence m;
    for (int t = 0; t < h.x().length(b); ++t) {
        m.emplace_back();
        for (int i = 0; i < H::I::width; ++i) m.back().push_back(h.y()(b, t)[i] != 0 ? 1 : 0);
    }
    return m;
}
} // namespace

TEST_CASE("Dropout is the identity unless it trains, or drops nothing") {
    auto const check = [](auto h) {
        h->infer();
        for (int b = 0; b < h->B; ++b)
            for (int t = 0; t < 4; ++t)
                for (int i = 0; i < h->y().stride; ++i) CHECK(h->y()(b, t)[i] == h->x()(b, t)[i]);
        h->backward();
        CHECK(h->dx()(1, 2)[3] == h->dy()(1, 2)[3]);
    };
    check(test::harness<Dropout<0.5>, Shape<4, 13>, float>());
    auto zero = test::harness<Dropout<0.0>, Shape<4, 13>, float>();
    zero->c.training = true;
    check(std::move(zero));
}

TEST_CASE("Dropout in training is x m / (1 - p), and backward uses the same mask") {
    test::each_width<double>([](auto d) {
        auto h = test::harness<Dropout<0.3>, Shape<4, d>, double>();
        h->c.training = true;
        h->length[0] = 0;
        h->length[1] = 3;
        h->randomize();
        h->forward();
        for (int b = 0; b < h->B; ++b) {
            auto const want = reference::dropout(h->sequence(h->x(), b), mask_of(*h, b), 0.3);
            for (int t = 0; t < h->x().length(b); ++t)
                for (int i = 0; i < d; ++i) h->near(h->y()(b, t)[i], want, t, i);
        }
        CHECK(h->clean(h->y()));
        h->check_gradients();
    });
}

TEST_CASE("A mask bit is the Philox draw at (key and step, row of the data set, element of the sequence)") {
    auto h = test::harness<Dropout<0.25>, Shape<4, 5>, float>();
    std::int64_t const position[] = {0, 7, 1000};
    h->c.training = true;
    h->c.first_row = (std::int64_t(1) << 32) + 5;
    h->c.position = position;
    h->c.key = Key{99};
    h->c.step = 3;
    h->forward();
    std::uint64_t const key = Key{99}.fold(3).value;
    for (int b = 0; b < h->B; ++b)
        for (int t = 0; t < 4; ++t)
            for (int i = 0; i < 5; ++i) {
                auto const e = std::uint64_t(position[b] + t) * 5 + std::uint64_t(i);
                auto const r = reference::philox4x32_10(
                    {std::uint32_t(5 + b), 1, std::uint32_t(e / 4), std::uint32_t(e / 4 >> 32)},
                    {std::uint32_t(key), std::uint32_t(key >> 32)});
                CHECK((h->y()(b, t)[i] != 0) == (r[e % 4] >= (1u << 30)));
            }
}

TEST_CASE("A row's mask follows the row through batches, widths of registers and parts of a stream") {
    auto a = test::harness<Dropout<0.5>, Shape<6, 7>, float>();
    a->c.training = true;
    a->c.first_row = 10;
    a->forward();
    auto b = std::make_unique<test::Harness<Dropout<0.5>, Shape<6, 7>, float, 1>>();
    b->c = a->c;
    b->c.first_row = 12;
    b->forward();
    CHECK(mask_of(*a, 2) == mask_of(*b, 0));
    auto part = test::harness<Dropout<0.5>, Shape<2, 7>, float>();
    std::int64_t const position[] = {4, 4, 4};
    part->c = a->c;
    part->c.position = position;
    part->forward();
    auto const whole = mask_of(*a, 1);
    CHECK(mask_of(*part, 1) == reference::Sequence(whole.begin() + 4, whole.end()));
    part->c.step = 1;
    part->forward();
    CHECK(mask_of(*part, 1) != reference::Sequence(whole.begin() + 4, whole.end()));
}

TEST_CASE("Dropout drops its share") {
    auto h = test::harness<Dropout<0.3>, Shape<100, 100>, float>();
    h->c.training = true;
    h->forward();
    double kept = 0;
    for (int b = 0; b < h->B; ++b)
        for (auto const& row : mask_of(*h, b))
            for (double m : row) kept += m / 30000;
    CHECK(std::abs(kept - 0.7) < 4 * std::sqrt(0.21 / 30000));
}
