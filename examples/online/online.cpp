// SPDX-License-Identifier: BSD-3-Clause
// Learning as events arrive: one update for each line of the Adult census, in the order of the file. Each
// event is scored before it is learned from, so that the mean log loss is that of a model in service
// (prequential evaluation).
//
//     online adult.data
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <chrono>
#include <cstdio>

using namespace inlay;

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Wide =
    Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dense<32>, Relu, Dense<1>>;

/// Learns from the events one by one, and prints the mean log loss as it goes.
template <class M, class Opt>
void learn(char const* name, Rows<Person> const& events, TrainOptions<Opt> const& options) {
    auto net = Network<M>(Seed{7});
    auto trainer = Trainer<M, BinaryCrossEntropy, Batch<1>, Opt>(net, options);
    double loss = 0, part = 0;
    std::size_t const quarter = events.size() / 4;
    std::printf("%-10s log loss", name);
    auto const begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < events.size(); ++i) {
        part += trainer.update(events.row[i], events.target[i]);
        if ((i + 1) % quarter == 0) {
            std::printf(" %.4f", part / double(quarter));
            loss += part;
            part = 0;
        }
    }
    double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("   mean %.4f   %.0f events/s, %.2f us each\n", (loss + part) / double(events.size()),
                double(events.size()) / seconds, 1e6 * seconds / double(events.size()));
}

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: online adult.data\n");
        return 2;
    }
    auto encoder = Encoder<Person>{};
    auto const events = encoder.fit_transform(Csv{argv[1]}, Label{"income", ">50K"});
    std::printf("%zu events; compiled for %s. By quarters of the stream:\n", events.size(), INLAY_ISA_NAME);
    learn<Model<Person, Wide>, Ftrl>("wide", events, {.optimizer = Ftrl{.alpha = 0.1f, .l1 = 1}});
    learn<Model<Person, Deep>, AdaGrad>("deep", events, {.optimizer = AdaGrad{.learning_rate = 0.03f}});
    learn<Model<Person, Sum<Wide, Deep>>, Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>(
        "wide, deep", events, {.optimizer = {Ftrl{.alpha = 0.1f, .l1 = 1}, AdaGrad{.learning_rate = 0.03f}}});
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
