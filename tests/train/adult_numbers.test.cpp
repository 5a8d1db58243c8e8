// SPDX-License-Identifier: BSD-3-Clause
// What numbers by bins and by waves are worth on the Adult census: a network that gets .912 with a number
// times a vector.
#include <inlay/data.hpp>
#include <inlay/train.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {
using Bins = TargetBins<32, 10>;
using Person =
    Record<Numeric<"age", Bins>, Categorical<"workclass", 16>, Numeric<"fnlwgt", Bins>,
           Categorical<"education", 32>, Numeric<"education_num", Bins>, Categorical<"marital_status", 16>,
           Categorical<"occupation", 32>, Categorical<"relationship", 16>, Categorical<"race", 16>,
           Categorical<"sex", 4>, Numeric<"capital_gain", Bins>, Numeric<"capital_loss", Bins>,
           Numeric<"hours_per_week", Bins>, Categorical<"native_country", 64>>;

template <class Numbers> double auc() {
    using M = Model<Person, Numbers, Flatten, Mlp<32, 1>>;
    Encoder<Person> encoder;
    auto const rows = encoder.fit_transform(Csv{"examples/census/data/adult.data"}, Label{"income", ">50K"});
    auto const test = encoder.transform(Csv{"examples/census/data/adult.test", {.skip_lines = 1}},
                                        Label{"income", ">50K."});
    Network<M> net(Seed{1});
    Trainer<M, BinaryCrossEntropy, Batch<128>, AdamW> trainer(net, {.learning_rate = 2e-3});
    trainer.fit(rows, {.epochs = 4});
    return get<Auc>(evaluate<Auc>(net, test));
}
} // namespace

TEST_CASE("numbers by bins and by waves") {
    double const plain = auc<Embed<8>>(), bins = auc<Embed<8, PiecewiseLinear>>(),
                 waves = auc<Embed<8, Periodic<16, 4.0>>>();
    MESSAGE("plain " << plain << ", bins " << bins << ", waves " << waves);
    CHECK(plain > 0.905);
    CHECK(bins > 0.9135);
    CHECK(waves > 0.9135);
}
