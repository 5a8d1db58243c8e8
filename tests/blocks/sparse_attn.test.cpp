// SPDX-License-Identifier: BSD-3-Clause
// A pattern that leaves out nothing is full attention; streams longer than what they keep. All else is in the
// laws.
#include "../reference/hard_select.hpp"
#include "../reference/sparse_attention.hpp"
#include "long_stream.hpp"

using namespace inlay;
using test::long_stream;

namespace {

/// Output, gradients and streams of two blocks with the same parameters.
template <class Sparse, class Full, class Input> void same_as_full() {
    using A = test::Harness<Sparse, Input, double>;
    using B = test::Harness<Full, Input, double>;
    auto a = std::make_unique<A>();
    auto b = std::make_unique<B>();
    a->length[1] = b->length[1] = Input::rows / 2;
    a->forward(), b->forward(), a->backward(), b->backward();
    auto const check = [](auto const& x, auto const& y, int row, int width) {
        for (int t = 0; t < x.length(row); ++t)
            for (int i = 0; i < width; ++i) {
                CAPTURE(t);
                CHECK(x(row, t)[i] == doctest::Approx(y(row, t)[i]).epsilon(1e-11));
            }
    };
    for (int row = 0; row < A::B; ++row) {
        check(a->y(), b->y(), row, Input::width);
        check(a->dx(), b->dx(), row, Input::width);
    }
    std::vector<double> of_a, of_b;
    a->each_parameter(a->grads, [&](std::string const&, auto ref) {
        for (int r = 0; r < ref.rows; ++r)
            for (int i = 0; i < ref.width; ++i) of_a.push_back(ref(r, i));
    });
    b->each_parameter(b->grads, [&](std::string const&, auto ref) {
        for (int r = 0; r < ref.rows; ++r)
            for (int i = 0; i < ref.width; ++i) of_b.push_back(ref(r, i));
    });
    REQUIRE(of_a.size() == of_b.size());
    for (std::size_t i = 0; i < of_a.size(); ++i) CHECK(of_a[i] == doctest::Approx(of_b[i]).epsilon(1e-10));
}

/// The last `capacity` tokens, of which only whole blocks are chosen.
reference::Selector top_blocks_of(int n, int block, int capacity) {
    return [=](reference::detail::Attending const& a, int h) {
        auto const B = std::size_t(block);
        reference::Chosen chosen(a.size(), std::vector<bool>(a.size()));
        for (std::size_t i = 0; i < a.size(); ++i) {
            std::vector<double> scores;
            for (std::size_t c = 0; c < i / B; ++c)
                scores.push_back(c * B + std::size_t(capacity) > i
                                     ? reference::product(a.queries(h)[i],
                                                          reference::mean_of(a.keys(h), c * B, (c + 1) * B))
                                     : reference::never);
            auto kept = reference::best(scores, n - 1);
            kept.push_back(true);
            for (std::size_t j = 0; j <= i; ++j) chosen[i][j] = kept[j / B];
        }
        return chosen;
    };
}

} // namespace

TEST_CASE("sparse attention with a full budget is attention") {
    same_as_full<SparseAttn<Heads<4>, KvHeads<2>, Rope<>, SinkLogit, TopBlocks<5, 16>>,
                 SoftmaxAttn<Heads<4>, KvHeads<2>, Rope<>, SinkLogit>, Sequence<77, 20>>();
    same_as_full<SparseAttn<Heads<2>, Quest<25, 3>>, SoftmaxAttn<Heads<2>>, Sequence<77, 6>>();
    same_as_full<SparseAttn<Bidirectional, TopTokens<40>>, SoftmaxAttn<Bidirectional>, Sequence<40, 6>>();
    same_as_full<SparseAttn<Strided<1>>, SoftmaxAttn<>, Sequence<40, 6>>();
    same_as_full<SparseAttn<Bidirectional, Column<3, 3>>, SoftmaxAttn<Bidirectional>, Sequence<40, 6>>();
}
TEST_CASE("of three branches, the selected one with all blocks is attention, the last a window") {
    using Input = Sequence<23, 6>;
    using Sparse = test::Harness<SparseAttn<Heads<2>, Nsa<4, 6, 5>>, Input, double>;
    auto const same = [](auto full, int open) {
        auto sparse = std::make_unique<Sparse>();
        sparse->each_parameter(sparse->params, [&](std::string const& name, auto w) {
            if (name != "nsa_gate.weight") return;
            for (int r = 0; r < w.rows; ++r)
                for (int i = 0; i < w.width; ++i) w(r, i) = i > 0 ? 0 : r % 3 == open ? 800 : -800;
        });
        for (int b = 0; b < Sparse::B; ++b)
            for (int t = 0; t < Input::rows; ++t) {
                full->x()(b, t)[0] = 1; // what the gates read
                std::copy_n(full->x()(b, t), Input::width, sparse->x()(b, t));
            }
        sparse->forward(), full->forward();
        for (int t = 0; t < Input::rows; ++t)
            for (int i = 0; i < Input::width; ++i)
                CHECK(sparse->y()(1, t)[i] == doctest::Approx(full->y()(1, t)[i]).epsilon(1e-11));
    };
    same(std::make_unique<test::Harness<SoftmaxAttn<Heads<2>>, Input, double>>(), 1);
    same(std::make_unique<test::Harness<SoftmaxAttn<Heads<2>, Window<5>>, Input, double>>(), 2);
}
TEST_CASE("a stream of chosen blocks forgets the oldest") {
    long_stream<SparseAttn<Heads<2>, KvHeads<1>, Rope<>, TopBlocks<2, 3>>, 8, 8>(reference::sparse_attention(
        {.heads = 2, .kv_heads = 1, .rope = {.base = 10'000}}, top_blocks_of(2, 3, 9)));
    long_stream<SparseAttn<TopBlocks<1, 4>>, 6, 5>(reference::sparse_attention({}, top_blocks_of(1, 4, 8)));
}
TEST_CASE("no key of a page has a larger product than its bound") {
    using Block =
        SparseAttn<HeadDim<5>, Quest<1, 7>>::Block<Sequence<9, 5>, Real<double, native_lanes<double>>>;
    using Summary = Block::Choice::Chooser::Summary;
    constexpr int wide = Block::wide, width = Summary::width;
    std::mt19937_64 engine{3};
    std::normal_distribution<double> normal;
    for (int trial = 0; trial < 1000; ++trial) {
        alignas(64) double q[wide] = {}, keys[7][wide] = {}, summary[width], asked[width];
        for (int c = 0; c < 5; ++c) {
            q[c] = trial % 3 == 0 ? double(c % 2) - 0.5 : normal(engine);
            for (auto& key : keys) key[c] = normal(engine) - double(trial % 2);
        }
        Summary::begin(summary);
        for (auto const& key : keys) Summary::add(key, summary);
        Summary::ask(1, q, asked);
        double bound = 0, best = -1e300;
        for (int i = 0; i < width; ++i) bound += asked[i] * summary[i];
        for (auto const& key : keys) {
            double product = 0;
            for (int c = 0; c < wide; ++c) product += q[c] * key[c];
            best = std::max(best, product);
        }
        CHECK(bound >= best - 1e-12);
    }
}
TEST_CASE("a stream of chosen tokens and pages forgets the oldest") {
    auto const of_the_last = [](int capacity, reference::Selector const& all) {
        return [=](reference::detail::Attending const& a, int h) {
            auto chosen = all(a, h);
            for (std::size_t i = 0; i < a.size(); ++i)
                for (std::size_t j = 0; j + std::size_t(capacity) <= i; ++j) chosen[i][j] = false;
            return chosen;
        };
    };
    // all that is stored
    long_stream<SparseAttn<Heads<2>, TopTokens<6>>, 6, 6>(
        reference::sparse_attention({.heads = 2}, of_the_last(6, reference::top_tokens(29))));
    long_stream<SparseAttn<Quest<1, 4>>, 8, 6>(
        reference::sparse_attention({}, reference::pattern({.block = 4, .near_blocks = 2})));
}
TEST_CASE("a stream of tokens that a score keeps forgets the oldest") {
    long_stream<SparseAttn<Heads<2>, HardSelect<3>>, 6, 6>(
        reference::hard_select({.heads = 2, .mask = {.window = 6}}, 3));
}
TEST_CASE("a stream with three branches is the same in steps and in parts when it forgets") {
    long_stream<SparseAttn<Heads<2>, KvHeads<1>, Nsa<2, 4, 3>>, 9, 6>(reference::Block{});
}
TEST_CASE("a stream of drawn blocks keeps the first ones") {
    using Pattern = BigBird<2, 1, 2, 1>;
    int const capacity = 8;
    long_stream<SparseAttn<Heads<2>, Pattern>, 7, 6>(
        reference::sparse_attention({.heads = 2}, [](reference::detail::Attending const& a, int h) {
            return reference::chosen_where(a.size(), [&](int i, int j) {
                std::int32_t drawn[2];
                Pattern::draw(0, h, i / 2, drawn);
                bool const taken = j / 2 == drawn[0] || j / 2 == drawn[1];
                return j < 2 || i / 2 == j / 2 || (taken && j / 2 * 2 > i - capacity);
            });
        }));
}
TEST_CASE("drawn blocks are distinct and between the first and those nearby") {
    using Pattern = BigBird<16, 3, 3, 2>;
    int seen[40] = {};
    for (int layer = 0; layer < 10; ++layer)
        for (int h = 0; h < 100; ++h)
            for (int block : {4, 5, 7, 40}) {
                std::int32_t drawn[3];
                Pattern::draw(layer, h, block, drawn);
                int const candidates = std::max(0, block + 1 - 3 - 2);
                for (int i = 0; i < 3; ++i) {
                    CHECK((drawn[i] >= 0) == (i < candidates));
                    if (drawn[i] < 0) continue;
                    CHECK((drawn[i] >= 2 && drawn[i] <= block - 3));
                    for (int j = 0; j < i; ++j) CHECK(drawn[i] != drawn[j]);
                    if (block == 40) ++seen[drawn[i]];
                }
            }
    for (int c = 2; c <= 37; ++c) CHECK((seen[c] > 40 && seen[c] < 130)); // 83 each
}
TEST_CASE("a stream with strides, columns and dilation forgets the oldest") {
    using reference::pattern;
    auto const of_the_last = [](int capacity, reference::Pattern const& p, int globals = 0) {
        return [=](reference::detail::Attending const& a, int h) {
            return reference::chosen_where(a.size(), [&](int i, int j) {
                return j < globals || (j > i - capacity && reference::in_pattern(p, h, i, j));
            });
        };
    };
    long_stream<SparseAttn<Heads<2>, KvHeads<1>, Strided<3>, GlobalTokens<2>>, 8, 8>(
        reference::sparse_attention({.heads = 2, .kv_heads = 1}, of_the_last(8, {.strided = 3}, 2)));
    long_stream<SparseAttn<Dilated<3, 4>>, 5, 6>(
        reference::sparse_attention({}, of_the_last(9, {.dilated = 3, .dilation = 4})));
    long_stream<SparseAttn<Causal, Column<4, 2>>, 9, 6>(
        reference::sparse_attention({}, of_the_last(9, {.fixed = 4, .columns = 2})));
    long_stream<SparseAttn<LocalTokens<3>, GlobalTokens<1>, Rope<>>, 4, 6>(
        {.mask = {.window = 3, .sinks = 1}, .rope = {.base = 10'000}});
}
