// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
/// A row of a batch that is normalised by all of it.
template <class Reference> tests::RowReference in_training(Reference ref) {
    return [=](reference::Parameters const& p, tests::Bound const& b, tests::Call const& c, int r) {
        reference::Sequence batch;
        for (int i = 0; i < c.rows; ++i)
            for (auto const& x : tests::sequence_of(b, c, i)) batch.push_back(x);
        return ref(p, tests::sequence_of(b, c, r), batch);
    };
}
template <class Spec, class Input, class Reference> void training_laws(Reference ref) {
    inlay::LawOptions const options{.training = true, .rows_meet = true};
    auto const truth = tests::l::bind<Spec, Input, tests::l::NativeDouble>(options);
    tests::check_one(truth, nullptr, in_training(ref));
#if INLAY_LAWS_SIZES > 2
    tests::check_one(tests::l::bind<Spec, Input, Real<float, 1>>(options), &truth, in_training(ref));
#endif
    tests::check_one(tests::l::bind<Spec, Input, Native>(options), &truth, in_training(ref));
}
} // namespace

TEST_CASE("laws: batch_norm, serving") { laws<BatchNorm, Sequence<5, 17>>(reference::batch_norm); }
TEST_CASE("laws: batch_norm, training") {
    training_laws<BatchNorm, Sequence<5, 17>>(reference::batch_norm_training);
}
TEST_CASE("laws: batch_norm, training on vectors") {
    training_laws<BatchNorm, Vector<13>>(reference::batch_norm_training);
}
TEST_CASE("laws: dice, serving") { laws_in_float<Dice, Sequence<5, 17>>(reference::dice); }
TEST_CASE("laws: dice, training") { training_laws<Dice, Sequence<5, 17>>(reference::dice_training); }
TEST_CASE("laws: prelu") { laws<PRelu, Sequence<5, 17>>(reference::prelu); }
