// SPDX-License-Identifier: BSD-3-Clause
// Crosses or attention? Rankers of the field on the Adult census, from a logistic regression to exact crosses
// beside and under attention over the fields: AUC, parameters, and latency at batch 1 and 256.
//
//     crosses_or_attention adult.data adult.test [DIRECTORY]
//
// Learning rate and epochs are chosen on 20 % of adult.data, by models and encoders that have not seen it;
// adult.test is opened once, at the end, with 5 seeds. With a directory, crosses_or_attention.csv and .svg
// are written there.
#include "compare.hpp"

#include <cstdlib>

using namespace rankers;

namespace {
using Bins = TargetBins<64, 10>;
using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Binned =
    Record<Numeric<"age", Bins>, Categorical<"workclass", 16>, Numeric<"fnlwgt", Bins>,
           Categorical<"education", 32>, Numeric<"education_num", Bins>, Categorical<"marital_status", 16>,
           Categorical<"occupation", 32>, Categorical<"relationship", 16>, Categorical<"race", 16>,
           Categorical<"sex", 4>, Numeric<"capital_gain", Bins>, Numeric<"capital_loss", Bins>,
           Numeric<"hours_per_week", Bins>, Categorical<"native_country", 64>>;

using Linear = Cross<Hashed<1 << 12>, Each>;
template <class... More>
using Crosses =
    Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">,
          Of<"age", "relationship">, Of<"occupation", "sex">, More...>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dropout<0.2>, Dense<32>, Relu, Dense<1>>;
template <class Numbers>
using Products =
    Stack<Numbers, Flatten, Concat<Cross<Dcn<2>, Rank<24>>, Stack<Dense<64>, Relu, Dropout<0.2>>>, Dense<1>>;
template <class Numbers>
using Fields = Stack<Numbers, Sum<SoftmaxAttn<Heads<2>, Bidirectional>, Dense<8, NoBias>>, Relu, Flatten,
                     Dropout<0.2>, Dense<1>>;
using ByAttention = Gated<Embed<8>, PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten>;

using Logistic = Model<Person, Linear>;
using Wide = Model<Person, Crosses<>>;
using Machine = Model<Person, Sum<Linear, Stack<Embed<8>, Cross<Fm>>>>;
using DcnV2 = Model<Person, Sum<Linear, Products<Embed<8>>>>;
using AutoInt = Model<Person, Sum<Linear, Fields<Embed<8>>>>;
using WideDeep = Model<Person, Sum<Crosses<>, Deep>>;
using Both = Model<Person, Sum<Crosses<>, Fields<Embed<8>>>>;
using GatedCrosses = Model<Person, Crosses<ByAttention>>;
using BinnedProducts = Model<Binned, Sum<Linear, Products<Embed<8, PiecewiseLinear>>>>;

Label const income{"income", ">50K"};
template <class Rec>
Data<Rec> people(Csv const& most_file, Csv const& held_file, Csv const& train_file, Csv const& test_file) {
    Data<Rec> d;
    Encoder<Rec> chooser, encoder;
    d.most = chooser.fit_transform(most_file, income);
    d.held = chooser.transform(held_file, income);
    d.all = encoder.fit_transform(train_file, income);
    d.test = encoder.transform(test_file, Label{"income", ">50K."});
    return d;
}
void split_lines(char const* path, std::string const& most, std::string const& rest) {
    std::ifstream from(path);
    std::ofstream to_most(most), to_rest(rest);
    std::string line;
    for (std::uint64_t i = 0; std::getline(from, line); ++i)
        (Key{20}.uniform(i) < 0.2 ? to_rest : to_most) << line << '\n';
}
} // namespace

template <> inline constexpr bool rankers::only_tables<Logistic> = true;
template <> inline constexpr bool rankers::only_tables<Wide> = true;

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::fprintf(stderr, "usage: crosses_or_attention adult.data adult.test [DIRECTORY]\n");
        return 2;
    }
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr;
    int const seeds = quick ? 1 : 5, epochs = quick ? 1 : 12;
    Csv const train{argv[1]}, test{argv[2], {.skip_lines = 1}}, most{"crosses-80.csv"},
        held{"crosses-20.csv"};
    split_lines(argv[1], most.path, held.path);
    auto const data = people<Person>(most, held, train, test);
    auto const binned = people<Binned>(most, held, train, test);
    std::remove(most.path.c_str());
    std::remove(held.path.c_str());
    std::printf("%zu rows, %zu to test, %d seeds, compiled for %s\n", data.all.size(), data.test.size(),
                seeds, INLAY_ISA_NAME);
    std::printf("%-28s AUC               log loss  parameters  batch 1   batch 256  rows/s\n", "");
    std::vector<Line> lines;
    lines.push_back(measure<Logistic>("logistic", data, seeds, std::min(epochs, 4)));
    lines.push_back(measure<Wide>("exact crosses", data, seeds, std::min(epochs, 4)));
    lines.push_back(measure<Machine>("factorization machine", data, seeds, epochs));
    lines.push_back(measure<DcnV2>("DCN-V2", data, seeds, epochs));
    lines.push_back(measure<DcnV2>("DCN-V2, averaged weights", data, seeds, epochs, 0.998));
    lines.push_back(measure<AutoInt>("AutoInt", data, seeds, epochs));
    lines.push_back(measure<WideDeep>("Wide & Deep", data, seeds, epochs));
    lines.push_back(measure<Both>("crosses + attention", data, seeds, epochs));
    lines.push_back(measure<GatedCrosses>("crosses under attention", data, seeds, epochs));
    lines.push_back(measure<BinnedProducts>("DCN-V2, numbers by bins", binned, seeds, epochs));
    if (argc > 3) {
        write_csv(std::string(argv[3]) + "/crosses_or_attention.csv", lines);
        write_svg(std::string(argv[3]) + "/crosses_or_attention.svg", lines);
    }
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
