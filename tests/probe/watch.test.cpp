// SPDX-License-Identifier: BSD-3-Clause
// What an observer is shown: every block, with what that block itself reads and writes.
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace inlay;

namespace {
struct Seen {
    std::string place;
    std::vector<float> y;
};
struct Recorder {
    PlaceNow place;
    std::vector<Seen> seen;
    void enter(Path const& p) { place.enter(p); }
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const&, X, Y y) {
        seen.push_back({place.text(), std::vector<float>(y.data, y.data + Block::Output::width)});
        place.leave();
    }
};
} // namespace

TEST_CASE("a Dense and the activation behind it are seen apart, each with its own numbers") {
    using M = Model<Vector<5>, Dense<19>, Relu, Dense<7>, Tanh, Dense<3>>;
    Network<M> const net(Seed{1});
    alignas(64) float x[16] = {0.5f, -1, 2, 0.25f, -0.75f};
    Recorder r;
    watch(net, In<Vector<5>, Native>{x}, r);
    REQUIRE(r.seen.size() == 5);
    std::vector<float> in(x, x + 5);
    int negative = 0;
    M::Block::visit(net.params(), Path{},
                    [&, layer = std::size_t(0), sums = std::vector<double>()](auto, Path const&, Kind kind,
                                                                              auto w) mutable {
                        if (kind == Kind::matrix) {
                            sums.assign(std::size_t(w.rows), 0);
                            for (int o = 0; o < w.rows; ++o)
                                for (int i = 0; i < w.width; ++i)
                                    sums[std::size_t(o)] += double(w(o, i)) * double(in[std::size_t(i)]);
                            return;
                        }
                        auto const& dense = r.seen[layer];
                        CHECK(dense.place == std::to_string(layer));
                        REQUIRE(dense.y.size() == sums.size());
                        for (std::size_t o = 0; o < sums.size(); ++o) {
                            CHECK(double(dense.y[o]) ==
                                  doctest::Approx(sums[o] + double(w(0, int(o)))).epsilon(1e-5));
                            negative += dense.y[o] < 0;
                        }
                        if (++layer == 5) return;
                        auto const& after = r.seen[layer];
                        CHECK(after.place == std::to_string(layer));
                        for (std::size_t o = 0; o < sums.size(); ++o) {
                            double const f = layer == 1 ? std::max(0.0, double(dense.y[o]))
                                                        : std::tanh(double(dense.y[o]));
                            CHECK(double(after.y[o]) == doctest::Approx(f).epsilon(1e-5));
                        }
                        in = after.y;
                        ++layer;
                    });
    CHECK(negative > 3); // or a Relu taken in could not be told
    Workspace<M, Batch<1>> ws;
    auto const y = net.infer(In<Vector<5>, Native>{x}, 1, ws);
    for (int i = 0; i < 3; ++i) CHECK(y(0)[i] == doctest::Approx(r.seen.back().y[std::size_t(i)]));
}
