// SPDX-License-Identifier: BSD-3-Clause
#include "../laws.hpp"

namespace {
/// A row of a batch that is normalised by all of it.
reference::Result in_training(reference::Parameters const& p, tests::Bound const& b, tests::Call const& c,
                              int r) {
    reference::Sequence batch;
    for (int i = 0; i < c.rows; ++i)
        for (auto const& x : tests::sequence_of(b, c, i)) batch.push_back(x);
    return reference::batch_norm_training(p, tests::sequence_of(b, c, r), batch);
}
template <class Input> void training_laws() {
    inlay::LawOptions const options{.training = true, .rows_meet = true};
    auto const truth = tests::l::bind<BatchNorm, Input, tests::l::NativeDouble>(options);
    tests::check_one(truth, nullptr, in_training);
#if INLAY_LAWS_SIZES > 2
    tests::check_one(tests::l::bind<BatchNorm, Input, Real<float, 1>>(options), &truth, in_training);
#endif
    tests::check_one(tests::l::bind<BatchNorm, Input, Native>(options), &truth, in_training);
}
} // namespace

TEST_CASE("laws: batch_norm, serving") { laws<BatchNorm, Sequence<5, 17>>(reference::batch_norm); }
TEST_CASE("laws: batch_norm, training") { training_laws<Sequence<5, 17>>(); }
TEST_CASE("laws: batch_norm, training on vectors") { training_laws<Vector<13>>(); }
