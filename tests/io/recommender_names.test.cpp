// SPDX-License-Identifier: BSD-3-Clause
// Recommenders under the names of public implementations (tests/vectors/checkpoints), their answers, and back
// again.
#include <inlay/inlay.hpp>
#include <inlay/io/recommender_names.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace inlay;

namespace {
constexpr int T = 6, V = 14, D = 4;
using Norm = BasicLayerNorm<Eps<1e-8>>;
using Attention = SoftmaxAttn<Heads<2>, Bias>;
template <class... Layer>
using SasRec = Model<Tokens<T, V>, Tied<Embed<D>, LearnedPosition, Repeat<2, Layer...>, Norm>>;
using NormsFirst = SasRec<Residual<Norm, Attention>, Residual<Norm, Dense<D>, Relu, Dense<D>>>;
using NormsLast = SasRec<Residual<Attention>, Norm, Residual<Dense<D>, Relu, Dense<D>>, Norm>;

using Row = Record<Categorical<"user", 5>, Categorical<"item", 7>, Numeric<"age">, Categorical<"hour", 4>>;
using DcnV2 =
    Model<Row, Embed<D>, Flatten,
          Concat<Cross<Dcn<2>>, Stack<Dense<7>, BatchNorm, Relu, Dense<5>, BatchNorm, Relu>>, Dense<1>>;
template <class... P> using Crossed = Model<Vector<D>, Cross<Dcn<2>, P...>>;

std::string const folder = "tests/vectors/checkpoints/";

std::vector<double> numbers_of(std::string const& name) {
    auto const file = Safetensors::read(folder + "recommender_answers.safetensors");
    auto const* const found = file.find(name);
    REQUIRE(found);
    std::vector<double> numbers(found->count());
    read_scalars(*found, numbers.data());
    return numbers;
}
/// Numbers of a batch of two as the model takes them.
template <class M> std::vector<double> answers(Network<M> const& net, std::vector<double> const& x) {
    using Input = typename M::Input;
    using Output = typename M::Output;
    std::vector<typename Network<M>::Element> rows;
    if constexpr (is_record<Input>) {
        rows.resize(2);
        for (std::size_t b = 0; b < 2; ++b)
            detail::each<std::size_t(Input::fields)>([&](auto j) {
                auto const number = x[b * std::size_t(Input::fields) + j];
                auto& v = get<j>(rows[b]);
                if constexpr (requires { v.value; }) v.value = float(number);
                else v.id = std::int32_t(number);
            });
    } else
        for (double const number : x) rows.push_back(typename Network<M>::Element(number));
    Workspace<M, Batch<2>> ws;
    auto const y = net.infer(rows, ws);
    std::vector<double> numbers;
    for (int b : {0, 1})
        for (int t = 0; t < Output::rows; ++t)
            for (int i = 0; i < Output::width; ++i) numbers.push_back(double(y(b, t)[i]));
    return numbers;
}
/// What PyTorch gives, and the same numbers back bit by bit: what is multiplied is, by two.
template <class M> void check(std::string const& name, NameMap const& map) {
    CAPTURE(name);
    auto net = Network<M>(Seed{1});
    load(net, folder + name + ".safetensors", map);
    auto const wanted = numbers_of(name + ".y"), got = answers(net, numbers_of(name + ".x"));
    REQUIRE(got.size() == wanted.size());
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        largest = std::max(largest, std::abs(wanted[i]));
        worst = std::max(worst, std::abs(got[i] - wanted[i]));
    }
    CHECK(largest > 1);
    CHECK(worst < 1e-5 * largest);

    save_as(net, "named.safetensors", map);
    auto const before = Safetensors::read(folder + name + ".safetensors"),
               after = Safetensors::read("named.safetensors");
    std::remove("named.safetensors");
    std::size_t known = 0;
    for (auto const& t : before.tensors()) {
        if (t.name.ends_with("num_batches_tracked")) continue;
        auto const* const ours = after.find(t.name);
        REQUIRE_MESSAGE(ours, t.name);
        CHECK_MESSAGE(std::ranges::equal(t.bytes, ours->bytes), t.name);
        ++known;
    }
    CHECK(known == after.tensors().size());
}
} // namespace

TEST_CASE("SASRec under pmixer's names") {
    check<NormsLast>("sasrec", sasrec_names(D));
    check<NormsFirst>("sasrec_norm_first", sasrec_names(D, Norms::first));
}
TEST_CASE("DCN-V2 under FuxiCTR's names") { check<DcnV2>("fuxictr_dcn_v2", dcn_v2_names<Row>()); }
TEST_CASE("crosses under torchrec's and DeepCTR's names") {
    check<Crossed<>>("torchrec_cross", torchrec_cross_names("crossnet", "0"));
    check<Crossed<Rank<2>>>("torchrec_low_rank", torchrec_cross_names("crossnet", "0"));
    check<Crossed<>>("deepctr_cross", deepctr_cross_names("crossnet", "0", 2));
}
