// SPDX-License-Identifier: BSD-3-Clause
// Models and rows that the tests of the trainer share.
#pragma once

#include <inlay/train.hpp>

#include <cstring>

namespace fixtures {

using namespace inlay;

using Visit = Record<Categorical<"a", 10>, Numeric<"x">, Categorical<"b", 200>>;
using Ranker =
    Model<Visit,
          Sum<Cross<Hashed<64>, Each, Of<"a", "b">>, Stack<Embed<4>, Flatten, Dense<9>, Relu, Dense<1>>>>;
using Reader = Model<Tokens<8, 11>, Embed<6>, Dense<6>, Tanh, Dense<11>>;
using Small = Model<Shape<3>, Dense<4>, Tanh, Dense<3>>::as<double>;
using Line = Model<Shape<2>, Dense<1>>;
using Mixed = Optimize<On<Cross, Ftrl>, OnName<"*.bias", Sgd>, Otherwise<AdaGrad>>;

template <class M> bool same(Network<M> const& a, Network<M> const& b) {
    return std::memcmp(static_cast<void const*>(&a.params()), static_cast<void const*>(&b.params()),
                       sizeof(typename M::Params)) == 0;
}
template <class M> std::vector<double*> numbers(Network<M>& net) {
    std::vector<double*> all;
    M::Block::visit(net.params(), Path{}, [&](auto, Path const&, Kind, TensorRef<double> t) {
        for (int r = 0; r < t.rows; ++r)
            for (int c = 0; c < t.width; ++c) all.push_back(&t(r, c));
    });
    return all;
}
inline std::vector<std::uint32_t> first(std::size_t n) {
    std::vector<std::uint32_t> index(n);
    std::iota(index.begin(), index.end(), 0u);
    return index;
}
/// Rows of three numbers with a class each, some ignored, and weights.
inline Rows<Shape<3>> classes(std::size_t n) {
    auto rows = Rows<Shape<3>>::random(n, Seed{4});
    for (std::size_t i = 0; i < n; ++i) {
        rows.target[i] = i % 7 == 3 ? -1.0f : float(i % 3);
        rows.weight.push_back(float(i % 5) / 2);
    }
    return rows;
}
/// Numbers on a line, so that a linear model learns them.
inline Rows<Shape<2>> line(std::size_t n, std::uint64_t seed, float slope = 1) {
    auto rows = Rows<Shape<2>>::random(n, Seed{seed});
    for (std::size_t i = 0; i < n; ++i)
        rows.target[i] = slope * (2 * rows.input[2 * i] - rows.input[2 * i + 1]) + 0.5f;
    return rows;
}
inline std::string words(auto f) {
    try {
        f();
        return "no error";
    } catch (Error const& e) { return e.what(); }
}

} // namespace fixtures
