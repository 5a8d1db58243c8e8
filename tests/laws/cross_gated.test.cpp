// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
using Row = Record<Categorical<"job", 9>, MultiHot<"tags", 12, 3, Weighted>, Categorical<"item", 40>,
                   Numeric<"height">>;

auto gated(reference::GateKind kind) {
    return [kind](reference::Parameters const& p, reference::Schema const& s,
                  reference::RecordRow const& row) {
        auto const e = reference::embed_record(p.child("gate.0"), s, row);
        std::vector<double> flat, magnitude;
        for (auto const& v : e.value) flat.insert(flat.end(), v.begin(), v.end());
        for (auto const& v : e.magnitude) magnitude.insert(magnitude.end(), v.begin(), v.end());
        auto const score = p.child("gate.score");
        auto const scores = reference::apply(
            [&](reference::Sequence const& z) { return reference::dense(score, z); }, {{flat}, {magnitude}});
        return reference::cross_gated(p, s, {reference::each(), reference::of({"job", "item"})}, row, scores,
                                      kind);
    };
}
template <class... How>
using Suppressed = Cross<Hashed<60>, Each, Of<"item", "job">, Gated<Embed<3>, Flatten>, How...>;
} // namespace

TEST_CASE("laws: gated crosses") { laws<Suppressed<>, Row>(gated(reference::GateKind::threshold)); }
TEST_CASE("laws: crosses weighed by softmax and sparsemax") {
    laws_in_float<Suppressed<SoftmaxGate>, Row>(gated(reference::GateKind::softmax));
    laws_in_float<Suppressed<SparsemaxGate>, Row>(gated(reference::GateKind::sparsemax));
}
TEST_CASE("a gated cross begins as the static one") {
    using Static = Model<Row, Cross<Hashed<60>, Each, Of<"item", "job">>>;
    auto plain = Network<Static>(Seed{1});
    auto const fill = [](auto& net) {
        for (int i = 0; i < 61; ++i) get<0>(net.params()).weight.data[i] = float(i % 7) - 3;
    };
    fill(plain);
    auto const rows = Rows<Row>::random(20, Seed{2});
    auto const same = [&]<class M>(Tag<M>) {
        auto net = Network<M>(Seed{3});
        fill(net);
        auto ws = Workspace<M, Batch<1>>{};
        auto still = Workspace<Static, Batch<1>>{};
        for (std::size_t i = 0; i < 20; ++i)
            CHECK(double(net.infer(rows[i], ws)[0]) ==
                  doctest::Approx(double(plain.infer(rows[i], still)[0])).epsilon(1e-5));
    };
    same(Tag<Model<Row, Suppressed<>>>{});
    same(Tag<Model<Row, Suppressed<SoftmaxGate>>>{});
    same(Tag<Model<Row, Suppressed<SparsemaxGate>>>{});
}
