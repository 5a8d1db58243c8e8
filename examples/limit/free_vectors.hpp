// SPDX-License-Identifier: BSD-3-Clause
// What vectors of a width can order at all: those of queries and documents are parameters, trained on the
// very queries that are asked (arXiv 2508.21038).
#pragma once

#include <inlay/core/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

/// The two documents that answer each query.
using Answers = std::vector<std::array<int, 2>>;

/// All pairs of n documents.
inline Answers all_pairs(int n) {
    Answers pairs;
    for (int i = 0; i < n; ++i)
        for (int j = i + 1; j < n; ++j) pairs.push_back({i, j});
    return pairs;
}

/// The share of the answers that are among the two best: the first of equal scores is the better.
inline double recall_at_2(Answers const& answers, int documents, std::vector<float> const& score) {
    int hits = 0;
    for (std::size_t q = 0; q < answers.size(); ++q) {
        float const* s = score.data() + q * std::size_t(documents);
        for (int const a : answers[q]) {
            int ahead = 0;
            for (int j = 0; j < documents; ++j) ahead += s[j] > s[a] || (s[j] == s[a] && j < a);
            hits += ahead < 2;
        }
    }
    return double(hits) / double(2 * answers.size());
}

/// Unit vectors of width d for queries, and `each` of them for each document, whose score is its best one's.
/// Loss: cross-entropy of scores / 0.1 against 1/2 for each answer, all documents being candidates; Adam at
/// 0.01 over all queries at once, rows put back to length 1 behind every step.
class FreeVectors {
public:
    FreeVectors(Answers const& answers, int documents, int d, int each, inlay::Seed seed)
        : answers_(answers), n_(std::size_t(documents)), d_(std::size_t(d)), each_(std::size_t(each)),
          query_(answers.size() * d_), document_(n_ * each_ * d_), score_(answers.size() * n_),
          best_(answers.size() * n_) {
        inlay::Key const key{seed.value};
        for (std::size_t i = 0; i < query_.w.size(); ++i) query_.w[i] = float(key.normal(i, 0));
        for (std::size_t i = 0; i < document_.w.size(); ++i) document_.w[i] = float(key.normal(i, 1));
        query_.to_unit(d_), document_.to_unit(d_);
    }
    /// The best recall at 2 of up to so many steps, looked at every 50; stops where it is 1.
    double train(int steps) {
        double best = 0;
        for (int step = 1; step <= steps && best < 1; ++step) {
            forward();
            if (step % 50 == 0) best = std::max(best, recall_at_2(answers_, int(n_), score_));
            backward();
            query_.step(step), document_.step(step);
            query_.to_unit(d_), document_.to_unit(d_);
        }
        return best;
    }

private:
    struct Table {
        std::vector<float> w, g, m, v;
        explicit Table(std::size_t size) : w(size), g(size), m(size), v(size) {}
        void to_unit(std::size_t d) {
            for (std::size_t i = 0; i < w.size(); i += d) {
                float sum = 0;
                for (std::size_t k = 0; k < d; ++k) sum += w[i + k] * w[i + k];
                for (std::size_t k = 0; k < d; ++k) w[i + k] /= std::sqrt(sum);
            }
        }
        void step(int t) {
            float const fast = 1 - float(std::pow(0.9, t)), slow = 1 - float(std::pow(0.999, t));
            for (std::size_t i = 0; i < w.size(); ++i) {
                m[i] = 0.9f * m[i] + 0.1f * g[i];
                v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
                w[i] -= 0.01f * (m[i] / fast) / (std::sqrt(v[i] / slow) + 1e-8f);
                g[i] = 0;
            }
        }
    };
    void forward() {
        for (std::size_t q = 0; q < answers_.size(); ++q)
            for (std::size_t j = 0; j < n_; ++j) {
                float top = -2;
                for (std::size_t e = j * each_; e < (j + 1) * each_; ++e) {
                    float s = 0;
                    for (std::size_t k = 0; k < d_; ++k) s += query_.w[q * d_ + k] * document_.w[e * d_ + k];
                    if (s > top) top = s, best_[q * n_ + j] = e;
                }
                score_[q * n_ + j] = top;
            }
    }
    void backward() {
        float const scale = 1 / (0.1f * float(answers_.size()));
        std::vector<float> p(n_);
        for (std::size_t q = 0; q < answers_.size(); ++q) {
            float const* s = score_.data() + q * n_;
            float const top = *std::max_element(s, s + n_);
            float sum = 0;
            for (std::size_t j = 0; j < n_; ++j) sum += p[j] = std::exp((s[j] - top) / 0.1f);
            for (std::size_t j = 0; j < n_; ++j) p[j] /= sum;
            for (int const a : answers_[q]) p[std::size_t(a)] -= 0.5f;
            for (std::size_t j = 0; j < n_; ++j) {
                std::size_t const e = best_[q * n_ + j];
                for (std::size_t k = 0; k < d_; ++k) {
                    query_.g[q * d_ + k] += scale * p[j] * document_.w[e * d_ + k];
                    document_.g[e * d_ + k] += scale * p[j] * query_.w[q * d_ + k];
                }
            }
        }
    }

    Answers const& answers_;
    std::size_t n_, d_, each_;
    Table query_, document_;
    std::vector<float> score_;
    std::vector<std::size_t> best_; // which of a document's vectors scored
};

/// The largest number of documents of which every pair is some query's answer, by the best of some seeds; the
/// search begins at `from` and ends at the first number that fails.
inline int critical_documents(int d, int from, int seeds, int steps) {
    for (int n = from;; ++n) {
        auto const pairs = all_pairs(n);
        bool works = false;
        for (int s = 1; s <= seeds && !works; ++s)
            works = FreeVectors(pairs, n, d, 1, inlay::Seed{std::uint64_t(s)}).train(steps) == 1;
        if (!works) return n - 1;
    }
}
