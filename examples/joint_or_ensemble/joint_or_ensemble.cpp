// SPDX-License-Identifier: BSD-3-Clause
// How small the wide half becomes when it is trained together with the deep one (arXiv 1606.07792): exact
// crosses alone, both halves trained apart and their logits added, and both trained on one logit, for more
// and more L1 on the crosses.
//
//     joint_or_ensemble adult.data adult.test
//
// Nothing is chosen: every row of the table is adult.test at one L1, a mean over the seeds. About a quarter
// of a minute on one core. Each run goes to joint_or_ensemble.csv, the curves to joint_or_ensemble.svg.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include "../plot.hpp"

#include <cstdio>
#include <cstdlib>

using namespace inlay;

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Wide =
    Cross<Indexed, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">,
          Of<"age", "marital_status">, Of<"relationship", "occupation">, Of<"workclass", "occupation">,
          Of<"hours_per_week", "occupation">, Of<"education", "marital_status">, Of<"sex", "occupation">,
          Of<"capital_gain", "marital_status">, Of<"education", "native_country">>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dense<32>, Relu, Dense<1>>;
using WideOnly = Model<Person, Wide>;
using DeepOnly = Model<Person, Deep>;
using WideDeep = Model<Person, Sum<Wide, Deep>>;

/// Weights that are not zero: of single ids, and of crosses of two ids or more.
struct Kept {
    int ids = 0, crosses = 0;
};
Kept kept(Wide::Block<Person, Native>::Params const& p, Rows<Person> const& rows) {
    using Keys = Wide::Block<Person, Native>::Keys;
    auto const& weight = p.weight.data;
    std::vector<int> parts(std::size(weight));
    for (auto const& row : rows.row)
        Keys::each(row, [&](int k, std::int32_t at) {
            parts[std::size_t(at)] = int(std::size(Keys::fields_at(k)));
        });
    Kept count;
    for (std::size_t i = 1; i < parts.size(); ++i)
        if (weight[i] != 0) ++(parts[i] > 1 ? count.crosses : count.ids);
    return count;
}

template <class M, class O>
Network<M> trained(Rows<Person> const& rows, TrainOptions<O> options, int epochs) {
    Network<M> net(options.seed);
    Trainer<M, BinaryCrossEntropy, Batch<128>, O>(net, options).fit(rows, {.epochs = epochs});
    return net;
}

/// One L1: sums over the seeds.
struct Level {
    double l1, wide = 0, apart = 0, joint = 0, wide_crosses = 0, joint_crosses = 0, wide_ids = 0,
               joint_ids = 0;
};

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: joint_or_ensemble adult.data adult.test\n");
        return 2;
    }
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr; // one seed, few epochs and levels, for tests
    int const seeds = smoke ? 1 : 5, epochs = smoke ? 1 : 6;
    Label const income{"income", ">50K"};
    auto encoder = Encoder<Person>{};
    auto const rows = encoder.fit_transform(Csv{argv[1]}, income);
    auto const test = encoder.transform(Csv{argv[2], {.skip_lines = 1}}, Label{"income", ">50K."});

    AdaGrad const slow{.learning_rate = 0.03f};
    std::vector<Level> levels;
    for (double const l1 :
         smoke ? std::vector<double>{1, 30} : std::vector<double>{0, 0.3, 1, 3, 10, 30, 100, 300})
        levels.push_back({.l1 = l1});
    std::FILE* const file = std::fopen("joint_or_ensemble.csv", "w");
    if (!file) throw std::runtime_error("cannot write joint_or_ensemble.csv");
    std::fprintf(file, "l1,seed,model,auc,ids_kept,crosses_kept\n");
    double deep_auc = 0;
    for (int s = 1; s <= seeds; ++s) {
        Seed const seed{std::uint64_t(s)};
        TrainOptions<AdaGrad> const deep{.optimizer = slow, .seed = seed};
        auto const p_deep = predict(trained<DeepOnly>(rows, deep, epochs), test);
        deep_auc += Auc::of(p_deep);
        std::fprintf(file, ",%d,deep,%.5f,,\n", s, Auc::of(p_deep));
        for (auto& level : levels) {
            Ftrl const sparse{.alpha = 0.1f, .l1 = float(level.l1)};
            TrainOptions<Ftrl> const alone{.optimizer = sparse, .seed = seed};
            TrainOptions<Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>> const together{
                .optimizer = {sparse, slow}, .seed = seed};
            auto const wide = trained<WideOnly>(rows, alone, epochs);
            auto const joint = trained<WideDeep>(rows, together, epochs);
            auto const p_wide = predict(wide, test);
            auto sum = p_wide;
            for (std::size_t i = 0; i < sum.logit.size(); ++i) sum.logit[i] += p_deep.logit[i];
            auto const k_wide = kept(get<0>(wide.params()), rows),
                       k_joint = kept(get<0>(get<0>(joint.params())), rows);
            double const auc[] = {Auc::of(p_wide), Auc::of(sum), Auc::of(predict(joint, test))};
            level.wide += auc[0], level.apart += auc[1], level.joint += auc[2];
            level.wide_ids += k_wide.ids, level.joint_ids += k_joint.ids;
            level.wide_crosses += k_wide.crosses, level.joint_crosses += k_joint.crosses;
            char const* const names[] = {"wide", "apart", "joint"};
            for (int i = 0; i < 3; ++i) {
                Kept const& k = i < 2 ? k_wide : k_joint;
                std::fprintf(file, "%g,%d,%s,%.5f,%d,%d\n", level.l1, s, names[i], auc[i], k.ids, k.crosses);
            }
        }
    }
    std::fclose(file);

    std::printf(
        "adult.test, %zu rows, mean of %d seed%s, %d epochs; %lld weights in the wide half, %lld in the "
        "deep one\n",
        test.size(), seeds, seeds == 1 ? "" : "s", epochs, WideOnly::parameters, DeepOnly::parameters);
    std::printf("deep alone: AUC %.4f\n", deep_auc / seeds);
    std::printf("           trained apart                           trained jointly\n"
                "   L1      wide     added     ids  crosses         AUC       ids  crosses\n");
    std::vector<Curve> curves = {
        {"trained jointly", {}, {}}, {"apart, added", {}, {}}, {"wide alone", {}, {}}};
    for (auto const& l : levels) {
        std::printf("%5g     %.4f    %.4f   %5.0f   %6.0f         %.4f   %5.0f   %6.0f\n", l.l1,
                    l.wide / seeds, l.apart / seeds, l.wide_ids / seeds, l.wide_crosses / seeds,
                    l.joint / seeds, l.joint_ids / seeds, l.joint_crosses / seeds);
        auto const add = [&](Curve& c, double crosses, double auc) {
            c.x.push_back(std::log10(1 + crosses / seeds));
            c.y.push_back(auc / seeds);
        };
        add(curves[0], l.joint_crosses, l.joint);
        add(curves[1], l.wide_crosses, l.apart);
        add(curves[2], l.wide_crosses, l.wide);
    }
    plot("joint_or_ensemble.svg", {"Adult: AUC by the crosses that are kept", "log10(1 + crosses)", "AUC"},
         curves);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
