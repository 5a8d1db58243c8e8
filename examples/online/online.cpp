// SPDX-License-Identifier: BSD-3-Clause
// Learning as events arrive: each row of a file is scored, and then learned from, once and in order. The loss
// before each update, averaged, is the prequential log loss: what a service would have had.
//
//     online adult.data
//
// Ids and scales are learned in a first pass over the file, which looks at no label.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

using namespace inlay;

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Numeric<"fnlwgt">, Categorical<"education", 32>, Numeric<"education_num">,
           Categorical<"marital_status", 16>, Categorical<"occupation", 32>, Categorical<"relationship", 16>,
           Categorical<"race", 16>, Categorical<"sex", 4>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"native_country", 64>>;
using Wide = Cross<Hashed<1 << 14>, Each, Of<"education", "occupation">>;
using Deep = Stack<Embed<8>, Flatten, Mlp<32, 1>>;
using WideOnly = Model<Person, Wide>;
using WideDeep = Model<Person, Sum<Wide, Deep>>;

using Clock = std::chrono::steady_clock;
double microseconds(Clock::time_point begin, Clock::time_point end) {
    return std::chrono::duration<double, std::micro>(end - begin).count();
}

/// The log loss of whoever knows no more than how often the label was positive so far.
class Rate {
public:
    double update(float target) {
        double const p = (positive_ + 0.5) / (count_ + 1);
        count_ += 1;
        positive_ += double(target);
        return -std::log(target > 0 ? p : 1 - p);
    }

private:
    double count_ = 0, positive_ = 0;
};

template <class Trainer>
void run(char const* name, Trainer& trainer, Encoder<Person> const& encoder, Csv const& csv,
         Label const& label) {
    double loss = 0, blind = 0, first = 0;
    std::vector<double> took; // microseconds an update
    Rate rate;
    auto const begin = Clock::now();
    auto events = encoder.stream(csv, label, 4096);
    for (Rows<Person> chunk; events.next(chunk);)
        for (std::size_t i = 0; i < chunk.size(); ++i) {
            auto const at = Clock::now();
            loss += trainer.update(chunk[i], chunk.target[i]);
            took.push_back(microseconds(at, Clock::now()));
            blind += rate.update(chunk.target[i]);
            if (took.size() <= 1000) first = loss / double(took.size());
        }
    double const all = microseconds(begin, Clock::now()), n = double(took.size());
    std::sort(took.begin(), took.end());
    auto const quantile = [&](double q) { return took[std::size_t(q * (n - 1))]; };
    std::printf("%-22s %.4f    %.4f       %.4f     %8.0f   %6.2f   %6.2f\n", name, loss / n, first, blind / n,
                n / all * 1e6, quantile(0.5), quantile(0.99));
}

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: online adult.data\n");
        return 2;
    }
    Csv const csv{argv[1]};
    Label const label{"income", ">50K"};
    auto encoder = Encoder<Person>{};
    encoder.fit(csv, label);

    std::printf("compiled for %s\n", INLAY_ISA_NAME);
    std::printf(
        "                       log loss  first 1,000  rate alone  events/s   us an update: median, 99 %%\n");
    Ftrl const wide{.alpha = 0.1f, .l1 = 1};
    auto wide_net = Network<WideOnly>(Seed{1});
    Trainer<WideOnly, BinaryCrossEntropy, Batch<1>, Ftrl> wide_only(wide_net, {.optimizer = wide});
    run("wide: crosses, FTRL", wide_only, encoder, csv, label);

    auto net = Network<WideDeep>(Seed{1});
    Trainer<WideDeep, BinaryCrossEntropy, Batch<1>, Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>> joint(
        net, {.optimizer = {wide, AdaGrad{.learning_rate = 0.02f}}});
    run("wide and deep", joint, encoder, csv, label);
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
