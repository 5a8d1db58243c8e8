// SPDX-License-Identifier: BSD-3-Clause
// Tables of fewer bits: those of records, bags and shares, and one that also scores.
#include "stored.hpp"

using namespace inlay;
using namespace stored_weights;

namespace {
/// One table reads and scores: full groups of vectors, or some of a group.
template <int Vocabulary>
using TiedLm = Model<Tokens<stored_weights::T, Vocabulary>,
                     Tied<Embed<13>, PreNorm<SoftmaxAttn<Heads<1>, HeadDim<16>>>, RmsNorm>>;
/// Every kind of field, histories and sets by mean, sum and maximum, and a table that branches share.
using Row = Record<Categorical<"item", 19>, MultiHot<"tags", 9, 4>, History<"seen", 5, SameAs<"item">>,
                   Numeric<"age">>;
using Fields =
    Model<Row,
          Concat<Stack<Embed<8>, Flatten>, Stack<Embed<5, BagMax>, Flatten>,
                 Stack<Select<"tags">, Embed<6, BagSum>, Flatten>, Stack<Select<"tags">, Embed<7>, Flatten>,
                 Stack<Select<"seen">, Embed<4, Share<"items">>, MeanPool>>,
          Dense<3>>;
/// A wide part with hashed, indexed and gated crosses beside a large vocabulary in two tables.
using Wide = Model<
    Row,
    Concat<Cross<Hashed<100>, Each>, Cross<Indexed, Each>, Cross<Hashed<70>, Each, Gated<Embed<4>, Flatten>>,
           Stack<Select<"item">, Embed<8, QuotientRemainder<4>>, MeanPool>>,
    Dense<3>>;
} // namespace

TEST_CASE("a table of fewer bits reads tokens in and scores them out") {
    check<Int8, TiedLm<50>>(2e-2, 4, 2);
    check<F16, TiedLm<64>::as<float, Lanes<4>>>(1e-3, 4, 2);
}
TEST_CASE("tables of records, of bags and of branches in fewer bits") {
    check<Bf16, Fields>(2e-3, 7, 4);
    check<Int8, Fields>(4e-3, 7, 4);
}
TEST_CASE("exact crosses and the tables of a quotient and a remainder in fewer bits") {
    check<F16, Wide>(1e-3, 5, 4);
    check<Int8, Wide>(3e-2, 5, 4);
    using M = Model<Row, Cross<Hashed<100'000>, Each>>;
    CHECK(sizeof(M::with<Weights<Int8>>::Params) < sizeof(M::Params) * 28 / 100);
}
