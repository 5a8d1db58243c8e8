// SPDX-License-Identifier: BSD-3-Clause
// What is learned about one shop's items, used in another that has none of them: items as product-quantised
// codes of what is said about them (VQ-Rec, arXiv 2210.12316).
//
//     vq_transfer [VECTORS SEQUENCES VECTORS SEQUENCES]
//
// The first two files are the domain to learn from, the others the one to come to: a line of numbers for each
// item, a line of items, from 0 and oldest first, for each user. Without files two domains are made up whose
// users follow one rule (world.hpp). A fifth of the second domain's users test: their last item is ranked
// among all. Of the others more and more train. Results go to vq_transfer.csv and vq_transfer.svg.
#include <inlay/inlay.hpp>
#include <inlay/solve.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"
#include "world.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>

using namespace inlay;

namespace {
constexpr int length = 8, width = 32, groups = 8, centres = 32, most_items = 8192;

template <char Letter, int I>
inline constexpr Name<4> title{{Letter, char('0' + I / 10), char('0' + I % 10), 0}};

/// An item is M codes below K. `i00` is the first code of the next item, `h00` those of the history.
template <int M, int K, class = std::make_integer_sequence<int, M>> struct Coded;
template <int M, int K, int... I> struct Coded<M, K, std::integer_sequence<int, I...>> {
    using Row = Record<Categorical<title<'i', I>, K + 1>...,
                       History<title<'h', I>, length, SameAs<title<'i', I>>>...>;
    /// The sum of the codes' vectors; both sides read the same M tables.
    template <char Letter>
    using Item = Sum<Stack<Select<title<Letter, I>>, Embed<width, Share<title<'t', I>>>>...>;
};
using ByCodes = Coded<groups, centres>;
using ById = Coded<1, most_items>;
/// [u, v]: the history's vector, and the next item's.
template <class C>
using Next =
    Model<typename C::Row,
          Concat<Stack<typename C::template Item<'h'>, LearnedPosition, Dropout<0.1>,
                       Repeat<2, PreNorm<SoftmaxAttn<Heads<2>, Causal>>, PreNorm<Mlp<2 * width, width>>>,
                       LayerNorm, Last>,
                 Stack<typename C::template Item<'i'>, Flatten>>>;

/// The codes of each item, each below K.
using Codes = std::vector<std::int32_t>;
Codes code(ProductQuantizer const& q, Domain const& d) {
    Codes all(std::size_t(d.items) * groups);
    for (std::size_t i = 0; i < std::size_t(d.items); ++i)
        q.encode(std::span(d.vectors).subspan(i * std::size_t(d.width), std::size_t(d.width)),
                 std::span(all).subspan(i * groups, groups));
    return all;
}
ProductQuantizer quantizer(Domain const& d, std::uint64_t seed) {
    return ProductQuantizer::train(
        d.vectors, d.width, {.groups = groups, .centres = centres, .rotations = 10, .seed = Seed{seed}});
}

/// The row for what follows `had[0 .. at)`; without a place the item alone.
template <class C> auto row_of(Codes const& codes, std::vector<int> const& had, std::size_t at, int item) {
    typename C::Row::Row row{};
    constexpr std::size_t M = C::Row::fields / 2;
    detail::each<M>([&](auto m) {
        auto const of = [&](int i) { return 1 + codes[std::size_t(i) * M + m]; };
        get<m>(row).id = of(item);
        auto& h = get<M + m>(row);
        for (std::size_t t = at - std::min(at, std::size_t(length)); t < at; ++t)
            h.id[h.count++] = of(had[t]);
    });
    return row;
}
template <class C>
Rows<typename C::Row> rows_of(Codes const& codes, std::span<std::vector<int> const> users) {
    Rows<typename C::Row> rows;
    for (auto const& had : users)
        for (std::size_t at = 1; at < had.size(); ++at) {
            rows.row.push_back(row_of<C>(codes, had, at, had[at]));
            rows.target.push_back(float(had[at]));
        }
    return rows;
}
/// Until users held out are served no better.
template <class C>
void fit(Network<Next<C>>& net, Codes const& codes, std::span<std::vector<int> const> users, int epochs,
         float rate) {
    auto const held = std::max<std::size_t>(1, users.size() / 5);
    auto const rows = rows_of<C>(codes, users.first(users.size() - held)),
               judges = rows_of<C>(codes, users.last(held));
    int const least = 10 * epochs * 256 / int(rows.size()); // where there are few rows, as many steps
    Trainer<Next<C>, InfoNce, Batch<256>, AdamW>(
        net, {.learning_rate = rate, .schedule = Cosine{.warmup = 20}, .optimizer = {.row_decay = 1e-2f}})
        .fit(rows, {.epochs = std::max(epochs, least), .validate = &judges, .patience = 20});
}

struct Quality {
    double hits = 0, ndcg = 0;
    void add(int rank, double share) {
        if (rank < 10) hits += share, ndcg += share / std::log2(rank + 2.0);
    }
};
/// The last item's rank among those that a user has not had.
template <class Score> Quality rank(Domain const& d, std::span<std::vector<int> const> users, Score score) {
    Quality q;
    std::vector<double> scores(std::size_t(d.items), 0.0);
    for (auto const& had : users) {
        score(had, scores);
        int before = 0;
        for (int i = 0; i < d.items; ++i)
            before += scores[std::size_t(i)] > scores[std::size_t(had.back())] &&
                      std::find(had.begin(), had.end(), i) == had.end();
        q.add(before, 1.0 / double(users.size()));
    }
    return q;
}
template <class C>
Quality rank(Domain const& d, Codes const& codes, std::span<std::vector<int> const> users,
             Network<Next<C>> const& net) {
    Workspace<Next<C>> ws;
    std::vector<float> unit(std::size_t(d.items) * width);
    for (int i = 0; i < d.items; ++i) {
        auto const y = net.infer(row_of<C>(codes, {i}, 1, i), ws);
        float const* const v = y.data() + width;
        float const size = std::sqrt(std::inner_product(v, v + width, v, 1e-20f));
        for (int k = 0; k < width; ++k) unit[std::size_t(i * width + k)] = v[k] / size;
    }
    return rank(d, users, [&](std::vector<int> const& had, std::vector<double>& scores) {
        auto const y = net.infer(row_of<C>(codes, had, had.size() - 1, had.back()), ws);
        for (int i = 0; i < d.items; ++i)
            scores[std::size_t(i)] =
                double(std::inner_product(y.data(), y.data() + width, &unit[std::size_t(i * width)], 0.0f));
    });
}
Quality popular(Domain const& d, std::span<std::vector<int> const> train,
                std::span<std::vector<int> const> test) {
    std::vector<double> count(std::size_t(d.items), 0.0);
    for (auto const& had : train)
        for (int const i : had) ++count[std::size_t(i)];
    return rank(d, test, [&](std::vector<int> const&, std::vector<double>& scores) { scores = count; });
}
} // namespace

int main(int argc, char** argv) try {
    if (argc != 1 && argc != 5) {
        std::fprintf(stderr, "usage: vq_transfer [VECTORS SEQUENCES VECTORS SEQUENCES]\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    int const epochs = smoke ? 6 : 30, seeds = smoke ? 1 : 3;
    Domain const from = argc > 1 ? read_domain(argv[1], argv[2]) : made_up(1, 1000, smoke ? 1500 : 4000, 12);
    Domain const to = argc > 1 ? read_domain(argv[3], argv[4]) : made_up(2, 500, smoke ? 500 : 2000, 12);
    if (from.width != to.width) throw std::runtime_error("the domains' vectors differ in width");
    if (std::max(from.items, to.items) > most_items)
        throw std::runtime_error("more items than there are ids for");
    std::printf("%d items and %zu users to learn from, %d items and %zu users to come to, compiled for %s\n",
                from.items, from.sequences.size(), to.items, to.sequences.size(), INLAY_ISA_NAME);

    // The codes mean the same in both domains where one quantizer gives them.
    auto const common = quantizer(from, 1), other = quantizer(to, 2);
    Codes const from_codes = code(common, from), to_codes = code(common, to), own_codes = code(other, to);
    Codes ids(std::size_t(to.items));
    std::iota(ids.begin(), ids.end(), 0);
    std::vector<Network<Next<ByCodes>>> learned;
    auto const start = std::chrono::steady_clock::now();
    for (int seed = 1; seed <= seeds; ++seed)
        fit<ByCodes>(learned.emplace_back(Seed{std::uint64_t(seed)}), from_codes, from.sequences, epochs,
                     3e-3f);
    std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;

    std::span<std::vector<int> const> const all(to.sequences), test = all.last(all.size() / 5);
    auto const rest = all.first(all.size() - test.size());
    std::printf("learned in %.0f s\n%-44s users  HR@10   NDCG@10\n", seconds.count(), "");
    std::FILE* const file = std::fopen("vq_transfer.csv", "w");
    if (!file) throw std::runtime_error("cannot write vq_transfer.csv");
    std::fprintf(file, "start,users,hr10,ndcg10\n");
    std::vector<Curve> curves;
    auto const report = [&](char const* name, std::size_t users, auto run) {
        Quality q;
        for (int seed = 0; seed < seeds; ++seed) {
            Quality const one = run(seed);
            q.hits += one.hits / seeds, q.ndcg += one.ndcg / seeds;
        }
        std::printf("%-44s %5zu  %.4f  %.4f\n", name, users, q.hits, q.ndcg);
        std::fflush(stdout);
        std::fprintf(file, "\"%s\",%zu,%.4f,%.4f\n", name, users, q.hits, q.ndcg);
        auto at = std::find_if(curves.begin(), curves.end(), [&](Curve const& c) { return c.name == name; });
        if (at == curves.end()) at = curves.insert(curves.end(), Curve{name, {}, {}});
        at->x.push_back(std::log10(double(users))), at->y.push_back(q.ndcg);
    };
    for (std::size_t const share : {64u, 16u, 4u, 1u}) {
        auto const users = rest.first(std::max<std::size_t>(2, rest.size() / share));
        auto const n = users.size();
        auto const fresh = [](int seed) { return Seed{std::uint64_t(10 + seed)}; };
        report("popularity", n, [&](int) { return popular(to, users, test); });
        report("ids, from scratch", n, [&](int seed) {
            auto net = Network<Next<ById>>(fresh(seed));
            fit<ById>(net, ids, users, epochs, 3e-3f);
            return rank<ById>(to, ids, test, net);
        });
        report("codes, from scratch", n, [&](int seed) {
            auto net = Network<Next<ByCodes>>(fresh(seed));
            fit<ByCodes>(net, to_codes, users, epochs, 3e-3f);
            return rank<ByCodes>(to, to_codes, test, net);
        });
        auto const after = [&](Codes const& codes) {
            return [&](int seed) {
                auto net = Network<Next<ByCodes>>(fresh(seed));
                net.params() = learned[std::size_t(seed)].params();
                fit<ByCodes>(net, codes, users, epochs, 3e-3f);
                return rank<ByCodes>(to, codes, test, net);
            };
        };
        report("codes of its own, after the other domain", n, after(own_codes));
        report("codes, after the other domain", n, after(to_codes));
        report("codes, nothing learned here", n,
               [&](int seed) { return rank<ByCodes>(to, to_codes, test, learned[std::size_t(seed)]); });
    }
    std::fclose(file);
    plot("vq_transfer.svg", {"NDCG@10 in the new domain", "users to learn from, log10", "NDCG@10"}, curves);
    bool const found = argc > 1 || curves.back().y.back() > 1.5 * curves[0].y.back();
    if (!found) std::fprintf(stderr, "what was learned is of no use in the other domain\n");
    return found ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
