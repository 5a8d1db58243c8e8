// SPDX-License-Identifier: BSD-3-Clause
// Attention over the tokens that a score of their own keeps.
#pragma once

#include "selection.hpp"

namespace reference {

// r_j = select x_j, select [1, D]; a query sees the n keys with the largest r_j of those that the mask lets
// it see, with log sigmoid(r_j) added to their logits.
inline Block hard_select(Attention const& a, int n) {
    return block_of([=](Parameters const& p, Rows const& x) {
        detail::Attending attending(a, p, x, x);
        Rows const r = linear(p.child("select"), x);
        for (int h = 0; h < a.heads; ++h) {
            Chosen chosen;
            for (std::size_t i = 0; i < x.size(); ++i) {
                std::vector<double> scores(x.size(), never);
                for (std::size_t j = 0; j < x.size(); ++j)
                    if (a.mask(static_cast<int>(i), static_cast<int>(j))) scores[j] = r[j][0].value;
                chosen.push_back(best(scores, n));
            }
            attending.narrow(h, chosen);
        }
        Rows o(x.size());
        for (std::size_t i = 0; i < x.size(); ++i)
            for (int h = 0; h < a.heads; ++h) {
                Row z;
                Rows values;
                for (std::size_t j = 0; j < x.size(); ++j)
                    if (attending.sees(h, i, j)) {
                        z.push_back(attending.score(h, i, j) - softplus(-r[j][0]));
                        values.push_back(attending.values(h)[j]);
                    }
                Row const mixed = weighted_sum(softmax(z), values, attending.values(h)[i].size());
                o[i].insert(o[i].end(), mixed.begin(), mixed.end());
            }
        return attending.projected(o);
    });
}

} // namespace reference
