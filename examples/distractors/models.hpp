// SPDX-License-Identifier: BSD-3-Clause
// The models, and what their questions look at.
#pragma once

#include "texts.hpp"

#include <inlay/probe.hpp>

namespace distractors {
constexpr int width = 64, heads = 2;

// A convolution brings each value its key and its tag, so that one layer can do the task.
template <class Attention>
using Net =
    Model<Row, Select<"text">,
          Tied<Embed<width>, Residual<CausalConv1d<3>>, PreNorm<Attention>, PreNorm<SwiGlu<128>>, RmsNorm>>;
using Soft = Net<SoftmaxAttn<Heads<heads>>>;
using Told = Net<SoftmaxAttn<Heads<heads>, Selective>>;
using Sparse = Net<SoftmaxAttn<Heads<heads>, Sparsemax>>;
using Hard = Net<SparseAttn<Heads<heads>, HardSelect<known + unknown>>>;

template <class M> AttentionMap look(Network<M> const& net, Row::Row const& row) {
    AttentionMap found;
    each_attention_map(net, In<Row, typename M::Scalar>{&row}, [&](AttentionMap const& map) { found = map; });
    return found;
}

/// The head that looks at the value to keep most.
inline int reader(AttentionMap const& map, Question const& q) {
    int best = 0;
    for (int h = 1; h < map.heads; ++h)
        if (map.at(h, q.at, q.right) > map.at(best, q.at, q.right)) best = h;
    return best;
}

} // namespace distractors
