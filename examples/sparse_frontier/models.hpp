// SPDX-License-Identifier: BSD-3-Clause
// Models that were trained with all keys, and what they do with fewer.
#pragma once

#include "texts.hpp"

#include <inlay/probe.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace frontier {

constexpr int layers = 2, page = 16, block = 4;
template <int Width> constexpr int heads = Width >= 64 ? Width / 32 : 1;

// A convolution brings each value its key.
template <int Width, class Attention>
using Net = Model<Row, Select<"text">,
                  Tied<Embed<Width>, Residual<CausalConv1d<3>>,
                       Repeat<layers, PreNorm<Attention>, PreNorm<SwiGlu<2 * Width>>>, RmsNorm>>;
template <int Width> using Dense_ = Net<Width, SoftmaxAttn<Heads<heads<Width>>, Rope<500'000>>>;
template <int Width, class Pattern>
using Thinned = Net<Width, SparseAttn<Heads<heads<Width>>, Rope<500'000>, Pattern>>;

// The patterns of a budget of about Keys keys a query. The last 32 tokens hold the questions and the answers.
// A key is seen by half of all queries in the mean, a distance by nearly all.
template <int Keys> using Vertical = VerticalSlash<Keys, Keys / 2, 32>;
template <int Keys> using Blocks = MeanBlocks<(Keys + block / 2) / block, block>;
template <int Percent> using Flex = FlexPrefill<Percent / 100.0, 4, 32>;
template <int Keys> using Pages = Quest<(Keys - page / 2) / page, page>;
template <int Keys> using Snap = SnapKv<P, Keys, false, 16, 3, asked + 1>;
template <int Keys> using Ada = SnapKv<P, Keys, true, 16, 3, asked + 1>;

/// What of a text is counted: all of it, or the tokens behind the prompt.
enum class Stage { reading, writing };

struct Result {
    double found[2]{}; ///< the share of right answers, by Task
    double keys = 0;   ///< pairs of a query and a key, as a share of all
    double madds = 0;  ///< multiply-adds of a token
};

template <class M> double right(Network<M> const& net, Task task, int tests, Key key) {
    static auto const ws = std::make_unique<Workspace<M>>();
    double found = 0, all = 0;
    for (int i = 0; i < tests; ++i) {
        Exercise const text = make(task, key.fold(std::uint64_t(task)).fold(std::uint64_t(i)));
        auto const y = net.infer(std::span<Row::Row const>(&text.row, 1), *ws);
        for (int t = P; t < T; ++t)
            if (int const next = text.target[std::size_t(t)]; next >= 0) {
                auto const* const score = y(0, t);
                found += std::max_element(score, score + vocabulary) - score == next, all += 1;
            }
    }
    return found / all;
}

/// Pairs of full attention of a head, and how many tokens the stage has.
constexpr double pairs_before(int n) { return n * (n + 1.0) / 2; }
constexpr double all_pairs(Stage stage) {
    return pairs_before(T) - (stage == Stage::writing ? pairs_before(P) : 0);
}
constexpr double tokens(Stage stage) { return stage == Stage::writing ? answered : T; }

/// Multiply-adds of a token: of all but attention's pairs, which are as many for each token, and of so many
/// pairs in each head and layer, 2 numbers of a head each.
template <int Width> double madds(Stage stage, double asked_pairs) {
    constexpr double rest = (Dense_<Width>::flops - 4.0 * Width * layers * pairs_before(T)) / 2 / T;
    return rest + 2.0 * Width * layers * asked_pairs / tokens(stage);
}

template <int Width> Result ask_all(Network<Dense_<Width>> const& net, Stage stage, int tests, Key key) {
    Result r{{}, 1, madds<Width>(stage, all_pairs(stage))};
    for (Task const task : {Task::needle, Task::recall}) r.found[int(task)] = right(net, task, tests, key);
    return r;
}

/// Pairs of a head, in the mean over heads and layers, and operations of choosing them, over the first n
/// tokens of a text.
struct Asked {
    double seen = 0, choosing = 0;
};
template <class M> Asked count(Network<M> const& net, Row::Row row, int n) {
    get<0>(row).count = n;
    Asked sum;
    for (auto const& layer : sparsity(net, In<Row, typename M::Scalar>{&row})) {
        for (double const of_a_head : layer.pairs)
            sum.seen += of_a_head / double(layer.pairs.size()) / layers;
        sum.choosing += layer.choosing;
    }
    return sum;
}

template <int Width, class Pattern>
Result ask_some(Network<Dense_<Width>>& trained, Stage stage, int tests, Key key) {
    using M = Thinned<Width, Pattern>;
    auto const net = [&] {
        Network<M> fewer(Seed{1});
        static_assert(sizeof fewer.params() == sizeof trained.params());
        std::memcpy(&fewer.params(), &trained.params(), sizeof fewer.params());
        return fewer;
    }();
    Result r;
    double seen = 0, choosing = 0;
    int const counted = std::min(tests, 10);
    for (Task const task : {Task::needle, Task::recall}) {
        r.found[int(task)] = right(net, task, tests, key);
        for (int i = 0; i < counted; ++i) {
            auto const row = make(task, key.fold(std::uint64_t(task)).fold(std::uint64_t(i))).row;
            Asked const whole = count(net, row, T);
            seen += whole.seen / (2 * counted), choosing += whole.choosing / (2 * counted);
            if (stage == Stage::writing) seen -= count(net, row, P).seen / (2 * counted);
        }
    }
    if (stage == Stage::reading) choosing /= T;
    else if constexpr (requires { typename Pattern::Summary; }) // least and largest of the pages before
        choosing = 2.0 * layers * 2 * Width * (P / page);
    else choosing = 0; // done when the prompt had been read
    r.keys = seen / all_pairs(stage), r.madds = madds<Width>(stage, seen) + choosing / 2;
    return r;
}

} // namespace frontier
