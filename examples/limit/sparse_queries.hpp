// SPDX-License-Identifier: BSD-3-Clause
// Wide vectors of which a query uses few numbers: L1 keeps the others at exactly zero.
#pragma once

#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "free_vectors.hpp"

/// How well such vectors order, and how many of their numbers are not zero, on average.
struct Sparse {
    double recall, used;
};
/// At most `Queries` queries with a vector of `Width` each, moved by FTRL from zero on, and `Documents`
/// documents with dense ones; a query's answers are classes of a softmax over all documents.
template <int Queries, int Documents, int Width>
Sparse sparse_queries(Answers const& answers, double l1, int epochs) {
    using namespace inlay;
    using Query = Record<Categorical<"query", Queries + 1>>;
    using M = Model<Query, Embed<Width>, Flatten, Dense<Documents, NoBias>>;
    Rows<Query> rows;
    for (std::size_t q = 0; q < answers.size(); ++q)
        for (int const a : answers[q]) {
            typename Query::Row row{};
            get<0>(row).id = 1 + std::int32_t(q);
            rows.row.push_back(row);
            rows.target.push_back(float(a));
        }
    Network<M> net(Seed{1});
    auto& table = get<0>(get<0>(net.params()));
    int const end = 1 + int(answers.size());
    for (int q = 0; q < end; ++q) std::fill_n(table[q], Width, 0.0f);
    Trainer<M, CrossEntropy, Batch<64>, Optimize<OnBlock<Embed<Width>, Ftrl>, Otherwise<Adam>>>(
        net, {.optimizer = {Ftrl{.alpha = 1, .l1 = float(l1)}, Adam{.learning_rate = 0.01f}}})
        .fit(rows, {.epochs = epochs});
    auto const p = predict(net, rows);
    std::vector<float> score;
    double used = 0;
    for (int q = 1; q < end; ++q) {
        double const* const z = p.row(2 * std::size_t(q - 1)); // both of its rows have the same scores
        score.insert(score.end(), z, z + Documents);
        used += double(Width - std::count(table[q], table[q] + Width, 0.0f));
    }
    return {recall_at_2(answers, Documents, score), used / double(answers.size())};
}
