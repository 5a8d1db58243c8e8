// SPDX-License-Identifier: BSD-3-Clause
// Weights of fewer bits: what they cost in digits, against the same weights rounded by hand.
#include <inlay/inlay.hpp>
#include <inlay/io/weights.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using namespace inlay;

namespace {
constexpr int T = 5, V = 23, B = 6;
template <int O>
using Lm = Model<Tokens<T, V>, Embed<13>, PreNorm<SoftmaxAttn<Heads<1>, HeadDim<32>>>, PreNorm<SwiGlu<40>>,
                 Dense<O>, Gelu, Dense<3>>;
using Mixed =
    Model<Tokens<T, V>, Embed<16>, Gru<16>, Residual<LinearAttn<Heads<1>, GatedDelta>>,
          Residual<SparseAttn<Heads<1>, TopBlocks<2, 2>>>, Residual<Memory<Heads<1>, Depth<1>>>, Dense<3>>;

/// The double that a weight is stored as, from the definition of the type.
template <class S> double rounded(double x, double largest) {
    if (x == 0) return 0;
    if constexpr (S::scaled) {
        double const unit = double(float(float(largest) / 127));
        return std::nearbyint(x / unit) * unit;
    } else {
        int const digits = std::is_same_v<S, Bf16> ? 8 : 11, least = std::is_same_v<S, Bf16> ? -133 : -24;
        double const unit = std::ldexp(1.0, std::max(int(std::ilogb(x)) + 1 - digits, least));
        return std::nearbyint(x / unit) * unit;
    }
}
/// Rounds what the small model keeps in fewer bits.
template <class S, class M, class Small> Network<M> by_hand(Network<M> const& net, Network<Small>& small) {
    Network<M> other(Seed{1});
    auto const from = detail::named_tensors<M>(net.params());
    auto const to = detail::named_tensors<M>(other.params());
    std::vector<bool> fewer;
    Small::Block::visit(small.params(), Path{}, [&](auto, Path const&, Kind, auto ref) {
        fewer.push_back(std::is_same_v<decltype(ref), detail::StoredRef<S>>);
    });
    REQUIRE(fewer.size() == from.size());
    int kept = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        kept += !fewer[i];
        for (int r = 0; r < from[i].ref.rows; ++r) {
            double largest = 0;
            for (int c = 0; c < from[i].ref.width; ++c)
                largest = std::max(largest, std::abs(double(from[i].ref(r, c))));
            for (int c = 0; c < from[i].ref.width; ++c) {
                double const x = double(from[i].ref(r, c));
                to[i].ref(r, c) = float(fewer[i] ? rounded<S>(x, largest) : x);
            }
        }
    }
    CHECK(kept > 2);
    CHECK(kept < int(fewer.size()) - 5);
    return other;
}
template <class M> std::vector<double> outputs(Network<M> const& net, int rows) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < B * T; ++i) ids.push_back((i * i + 7 * i) % V);
    Workspace<M, Batch<B>> ws;
    auto const y = net.infer({ids.data(), T * std::ptrdiff_t(sizeof ids[0]), {}}, rows, ws);
    std::vector<double> all;
    auto state = std::make_unique<typename M::State>();
    for (int b = 0; b < rows; ++b) {
        reset<M>(*state);
        for (int t = 0; t < T; ++t) {
            float stepped[3];
            M::step(net.params(), *state, ids[std::size_t(b * T + t)], stepped);
            for (int i = 0; i < 3; ++i) all.push_back(double(y(b, t)[i])), all.push_back(double(stepped[i]));
            for (int i = 3; i < y.stride; ++i) REQUIRE(y(b, t)[i] == 0);
        }
    }
    return all;
}
double furthest(std::vector<double> const& a, std::vector<double> const& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
}
/// O: full groups of vectors or some of a group; the sizes of the error are those of the type.
template <class S, class M> void check(double error) {
    using Small = typename M::template with<Weights<S>>;
    Network<M> const net(Seed{2});
    Network<Small> small(Seed{0});
    store(net, small);
    auto const exact = outputs(net, B), by = outputs(small, B);
    CHECK(furthest(outputs(by_hand<S>(net, small), B), by) < 2e-6);
    CHECK(furthest(exact, by) < error);
    CHECK(furthest(exact, by) > error / 100);
    CHECK(furthest(outputs(small, 1), by) < 1e-6);
}
} // namespace

TEST_CASE("weights of fewer bits compute as the same weights rounded") {
    check<Bf16, Lm<50>>(1e-2);
    check<F16, Lm<64>::as<float, Lanes<4>>>(1e-3);
    check<Int8, Lm<50>>(2e-2);
    check<Int8, Lm<50>::as<float, Lanes<4>>>(2e-2);
}
TEST_CASE("weights of fewer bits, in blocks that are made of Dense") { check<Bf16, Mixed>(1e-2); }
TEST_CASE("they take a half and a quarter of the room") {
    using M = Model<Tokens<4, 512>, Embed<64>, Dense<256>, Relu, Dense<512>>;
    CHECK(sizeof(M::with<Weights<Bf16>>::Params) < sizeof(M::Params) * 51 / 100);
    CHECK(sizeof(M::with<Weights<Int8>>::Params) < sizeof(M::Params) * 28 / 100);
}
TEST_CASE("what halves hold stays exact, subnormals and the largest too") {
    using M = Model<Vector<1>, Dense<64, NoBias>>;
    Network<M> net(Seed{1});
    Network<M::with<Weights<F16>>> half(Seed{1});
    float const values[] = {65504.0F, -65504.0F, 1e6F, 0x1p-24F, -0x1.8p-15F, 0.0F, 1.5F};
    auto const at = detail::named_tensors<M>(net.params())[0].ref;
    for (int i = 0; i < 64; ++i) at(i, 0) = values[i % 7];
    store(net, half);
    Workspace<M::with<Weights<F16>>, Batch<1>> ws;
    alignas(64) float const x[16] = {1};
    auto const y = half.infer({x, {}}, 1, ws);
    for (int i = 0; i < 64; ++i) CHECK(y(0)[i] == (i % 7 == 2 ? 65504.0F : values[i % 7]));
}
TEST_CASE("a stored network is loaded from a file of floats") {
    using M = Model<Vector<20>, Dense<40>, Tanh, Dense<2>>;
    Network<M> const net(Seed{4});
    Network<M::with<Weights<Int8>>> a(Seed{0}), b(Seed{0});
    save(net, "stored.safetensors");
    load(a, "stored.safetensors");
    store(net, b);
    std::remove("stored.safetensors");
    CHECK(std::memcmp(static_cast<void const*>(&a.params()), static_cast<void const*>(&b.params()),
                      sizeof a.params()) == 0);
}
