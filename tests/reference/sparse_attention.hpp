// SPDX-License-Identifier: BSD-3-Clause
// Attention over chosen keys, and NSA.
#pragma once

#include "selection.hpp"

namespace reference {

inline Block sparse_attention(Attention const& a, Selector const& select) {
    return block_of([=](Parameters const& p, Rows const& x) {
        detail::Attending attending(a, p, x, x);
        std::vector<Chosen> chosen;
        for (int h = 0; h < a.heads; ++h) chosen.push_back(select(attending, h));
        for (int h = 0; h < a.heads; ++h) attending.narrow(h, chosen[static_cast<std::size_t>(h)]);
        return attending.output();
    });
}

// o = g_0 compressed + g_1 selected + g_2 window; g = sigmoid of nsa_gate [3 H, D], the three of a head
// together. Compressed: the means of the keys and values of each block that has passed. Selected: the n
// blocks of most weight there, on the mean over a group of heads; the first, the own and the one before it
// come before all.
struct Nsa {
    int block = 64, blocks = 16, window = 512;
};

namespace detail {

struct Branches {
    Row compressed, selected, window;
};

class NativeSparse {
public:
    NativeSparse(Nsa const& nsa, Attention const& a, Parameters const& p, Rows const& x)
        : B_(static_cast<std::size_t>(nsa.block)), dense_(a, p, x, x), selected_(dense_), window_(dense_) {
        int const group = a.heads / dense_.kv_heads();
        for (int h = 0; h < a.heads; ++h) {
            selected_.narrow(h, selection(nsa.blocks, h / group * group, group));
            window_.narrow(h, chosen_where(x.size(), [&](int i, int j) { return j > i - nsa.window; }));
        }
    }
    Branches operator()(int h, std::size_t i) const {
        Rows values;
        for (std::size_t c = 0; c < passed(i); ++c) values.push_back(pooled(dense_.values(h), c));
        return {weighted_sum(block_weights(h, i), values, dense_.values(h)[i].size()),
                selected_.mixture(h, i), window_.mixture(h, i)};
    }
    Rows projected(Rows const& o) const { return dense_.projected(o); }

private:
    std::size_t B_;
    Attending dense_, selected_, window_;

    std::size_t passed(std::size_t i) const { return (i + 1) / B_; }

    Row pooled(Rows const& rows, std::size_t c) const {
        Row mean;
        for (std::size_t d = 0; d < rows.at(0).size(); ++d) {
            Row terms;
            for (std::size_t t = c * B_; t < (c + 1) * B_; ++t) terms.push_back(rows.at(t)[d]);
            mean.push_back(total(terms) / double(B_));
        }
        return mean;
    }
    Row block_weights(int h, std::size_t i) const {
        Row const& q = dense_.queries(h)[i];
        Row z;
        for (std::size_t c = 0; c < passed(i); ++c)
            z.push_back(dot(q, pooled(dense_.keys(h), c)) * constant(1 / std::sqrt(double(q.size()))));
        return softmax(z);
    }
    Chosen selection(int n, int leader, int group) const {
        Chosen chosen(dense_.size(), std::vector<bool>(dense_.size()));
        for (std::size_t i = 0; i < dense_.size(); ++i) {
            std::size_t const own = i / B_;
            std::vector<double> scores(own + 1, never);
            for (int h = leader; h < leader + group; ++h) {
                Row const weights = block_weights(h, i);
                for (std::size_t c = 0; c < weights.size(); ++c)
                    scores[c] = (h == leader ? 0 : scores[c]) + weights[c].value / group;
            }
            for (std::size_t c = 0; c <= own; ++c)
                if (c == 0 || c + 1 >= own) scores[c] = always;
            std::vector<bool> const kept = best(scores, n);
            for (std::size_t j = 0; j <= i; ++j) chosen[i][j] = kept[j / B_];
        }
        return chosen;
    }
};

} // namespace detail

inline Block nsa(Nsa const& options, Attention const& a) {
    return block_of([=](Parameters const& p, Rows const& x) {
        detail::NativeSparse const mixer(options, a, p, x);
        Rows o(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            Row const gates = linear(p.child("nsa_gate"), x[i]);
            for (int h = 0; h < a.heads; ++h) {
                std::size_t const at = 3 * static_cast<std::size_t>(h);
                auto const [compressed, selected, window] = mixer(h, i);
                for (std::size_t c = 0; c < selected.size(); ++c)
                    o[i].push_back(
                        total({sigmoid(gates.at(at)) * compressed[c], sigmoid(gates.at(at + 1)) * selected[c],
                               sigmoid(gates.at(at + 2)) * window[c]}));
            }
        }
        return mixer.projected(o);
    });
}

} // namespace reference
