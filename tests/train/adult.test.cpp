// SPDX-License-Identifier: BSD-3-Clause
// FTRL alone on the Adult census, one example at a time in the order of the file, in double, "?" as a value:
// deterministic, so the numbers are known. The reference is a script of its own that knows exact strings
// where the model has ids.
#include <inlay/data.hpp>
#include <inlay/train.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace inlay;

namespace {

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Categorical<"education_num", 32>,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Plain = Model<Person, Cross<Indexed, Each>>::as<double>;
using Crossed = Model<Person, Cross<Indexed, Each, Of<"education", "occupation">,
                                    Of<"age", "education", "occupation">>>::as<double>;

struct Sets {
    Encoder<Person> encoder;
    Rows<Person> train, test;
    Sets() {
        CsvOptions const all_are_values{.missing = {}};
        train = encoder.fit_transform(Csv{"examples/census/data/adult.data", all_are_values},
                                      Label{"income", ">50K"});
        test = encoder.transform(Csv{"examples/census/data/adult.test", {.skip_lines = 1, .missing = {}}},
                                 Label{"income", ">50K."});
    }
};
Sets const& sets() {
    static Sets const s;
    return s;
}

struct Result {
    double auc, accuracy, loss;
    int nonzero, touched;
};
template <class M> Result run(float l1, int epochs) {
    Network<M> net(Seed{1});
    Trainer<M, BinaryCrossEntropy, Batch<1>, Ftrl> trainer(net, {.optimizer = Ftrl{.alpha = 0.1f, .l1 = l1}});
    trainer.fit(sets().train, {.epochs = epochs, .shuffle = false});
    auto const scores = evaluate<Auc, LogLoss, Accuracy>(net, sets().test);
    auto const& weight = trainer.parameters().at(0);
    double const* n = weight.slot[1];
    Result r{get<Auc>(scores), get<Accuracy>(scores), get<LogLoss>(scores), 0, 0};
    for (std::size_t i = 0; i < weight.ref.size(); ++i) {
        r.nonzero += weight.ref.data[i] != 0;
        r.touched += n[i] > 0;
    }
    return r;
}
void check(Result const& r, double auc, double accuracy, double loss, int nonzero, int touched) {
    // The numbers are given with four digits; the page allows .0002 and two weights.
    CHECK(std::abs(r.auc - auc) < 1e-4);
    CHECK(std::abs(r.accuracy - accuracy) < 1e-4);
    CHECK(std::abs(r.loss - loss) < 1e-4);
    CHECK(r.nonzero == nonzero);
    CHECK(r.touched == touched);
}

} // namespace

TEST_CASE("FTRL, one pass, with crosses") { check(run<Crossed>(1, 1), .9094, .8569, .3129, 663, 2027); }
TEST_CASE("FTRL, one pass, no crosses") { check(run<Plain>(1, 1), .9092, .8568, .3133, 138, 155); }
TEST_CASE("FTRL, three passes: weights grow sparse with l1") {
    check(run<Crossed>(1, 3), .9105, .8584, .3102, 1197, 2027);
    check(run<Crossed>(0, 3), .9104, .8576, .3104, 2027, 2027);
    check(run<Crossed>(5, 3), .9105, .8583, .3101, 409, 2027);
}

TEST_CASE("the file is what its page says") {
    CHECK(sets().train.size() == 32561);
    CHECK(sets().test.size() == 16281);
    CHECK(std::count(sets().train.target.begin(), sets().train.target.end(), 1.0f) == 7841);
    CHECK(std::count(sets().test.target.begin(), sets().test.target.end(), 1.0f) == 3846);
    auto const& e = sets().encoder;
    // Mean and population deviation of age, capital_gain, capital_loss and hours_per_week, by exact sums.
    double const scale[][3] = {{0, 38.58164675532078, 13.640223092304277},
                               {10, 1077.6488437087312, 7385.1786769476275},
                               {11, 87.303829734959, 402.95403082748646},
                               {12, 40.437455852092995, 12.34723907570799}};
    for (auto const& [field, mean, deviation] : scale) {
        CHECK(e.code(std::size_t(field)).mean() == doctest::Approx(mean).epsilon(1e-11));
        CHECK(e.code(std::size_t(field)).deviation() == doctest::Approx(deviation).epsilon(1e-11));
    }
    CHECK(e.code(1).distinct() == 9); // "?" is one of them
    CHECK(e.code(13).distinct() == 42);
    CHECK(e.text<"education">(1) == "Bachelors");
    CHECK(e.text<"age">(1) == "below 18");
    CHECK(e.text<"age">(5) == "35 to 40");
    CHECK(e.text<"age">(11) == "from 65");
}
