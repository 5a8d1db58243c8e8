// SPDX-License-Identifier: BSD-3-Clause
// Crosses or attention on rows of a click log's shape, as Criteo's: a label, 13 counts, 26 categories between
// tabs, many missing.
//
//     click_crosses [TRAIN DEV TEST [DIRECTORY]]
//
// Learning rate and epochs are chosen on DEV; TEST is opened once, at the end, with 5 seeds. Criteo's rows
// may not be handed on; without files rows of that shape are made up, whose clicks follow from values and
// from pairs of them. With a directory, click_crosses.csv and .svg are written there.
#include "compare.hpp"

#include <array>
#include <cstdlib>

using namespace rankers;

namespace {
constexpr int counts = 13, categories = 26;
template <int I> consteval auto title(char letter) {
    return Name<4>{{letter, char('0' + I / 10), char('0' + I % 10), 0}};
}
template <class, class> struct ClickOf;
template <std::size_t... I, std::size_t... C>
struct ClickOf<std::index_sequence<I...>, std::index_sequence<C...>> {
    using type = Record<Numeric<title<int(I) + 1>('i'), LogBuckets<20>>...,
                        Categorical<title<int(C) + 1>('c'), 2000>...>;
};
using Click = ClickOf<std::make_index_sequence<counts>, std::make_index_sequence<categories>>::type;

using Linear = Cross<Hashed<1 << 16>, Each>;
template <class... More>
using Crosses = Cross<Hashed<1 << 16>, Each, Of<"c01", "c02">, Of<"c06", "c09">, Of<"c14", "c17">,
                      Of<"i06", "c09">, Of<"i11", "c17">, More...>;
using Fields = Stack<Embed<8>, Sum<SoftmaxAttn<Heads<2>, Bidirectional>, Dense<8, NoBias>>, Relu, Flatten,
                     Dropout<0.2>, Dense<1>>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dropout<0.2>, Dense<32>, Relu, Dense<1>>;
using Products =
    Stack<Embed<8>, Flatten, Concat<Cross<Dcn<2>, Rank<24>>, Stack<Dense<64>, Relu, Dropout<0.2>>>, Dense<1>>;
using ByAttention = Gated<Embed<8>, PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten>;

using Logistic = Model<Click, Linear>;
using Wide = Model<Click, Crosses<>>;
using Machine = Model<Click, Sum<Linear, Stack<Embed<8>, Cross<Fm>>>>;
using DcnV2 = Model<Click, Sum<Linear, Products>>;
using AutoInt = Model<Click, Sum<Linear, Fields>>;
using WideDeep = Model<Click, Sum<Crosses<>, Deep>>;
using Both = Model<Click, Sum<Crosses<>, Fields>>;
using GatedCrosses = Model<Click, Crosses<ByAttention>>;

Csv tsv(char const* path) {
    CsvOptions options;
    options.columns = {"clicked"};
    for (int i = 1; i <= counts; ++i) options.columns.push_back((i < 10 ? "i0" : "i") + std::to_string(i));
    for (int i = 1; i <= categories; ++i)
        options.columns.push_back((i < 10 ? "c0" : "c") + std::to_string(i));
    return Tsv{path, options};
}
Data<Click> from_files(char const* train, char const* dev, char const* test) {
    Label const clicked{"clicked", "1"};
    Encoder<Click> encoder{{.overflow = Overflow::unseen}};
    Data<Click> d;
    d.most = encoder.fit_transform(tsv(train), clicked);
    d.held = encoder.transform(tsv(dev), clicked);
    d.test = encoder.transform(tsv(test), clicked);
    d.all = d.most;
    return d;
}
/// A few ids of each category occur; some of them count, and pairs of them more.
Rows<Click> made_up(std::size_t n, std::uint64_t seed) {
    auto rows = Rows<Click>::random(n, Seed{seed});
    for (std::size_t r = 0; r < n; ++r) {
        double z = -1;
        std::array<int, categories> id{};
        detail::each<std::size_t(categories)>([&](auto c) {
            auto& own = get<counts + c>(rows.row[r]);
            own.id = id[c] = own.id % 12;
            z += 0.2 * Key{9}.fold(c).normal(std::uint64_t(own.id));
        });
        for (std::size_t c = 0; c < 5; ++c)
            z += Key{10}.fold(c).normal(std::uint64_t(id[c]), std::uint64_t(id[c + 8]));
        rows.target[r] = float(Key{seed}.uniform(r, 99) < 1 / (1 + std::exp(-z)));
    }
    return rows;
}
} // namespace

template <> inline constexpr bool rankers::only_tables<Logistic> = true;
template <> inline constexpr bool rankers::only_tables<Wide> = true;

int main(int argc, char** argv) try {
    if (argc != 1 && argc != 4 && argc != 5) {
        std::fprintf(stderr, "usage: click_crosses [TRAIN DEV TEST [DIRECTORY]]\n");
        return 2;
    }
    bool const quick = std::getenv("INLAY_SMOKE") != nullptr;
    int const seeds = quick ? 1 : 5, epochs = quick ? 1 : 8;
    std::size_t const n = quick ? 1000 : 8000;
    auto const data = argc > 1 ? from_files(argv[1], argv[2], argv[3])
                               : Data<Click>{made_up(n, 1), made_up(n, 2), made_up(n, 1), made_up(n, 3)};
    std::printf("%zu rows, %zu to test, %d seeds, compiled for %s\n", data.all.size(), data.test.size(),
                seeds, INLAY_ISA_NAME);
    std::printf("%-28s AUC               log loss  parameters  batch 1   batch 256  rows/s\n", "");
    std::vector<Line> lines;
    lines.push_back(measure<Logistic>("logistic", data, seeds, epochs));
    lines.push_back(measure<Wide>("exact crosses", data, seeds, epochs));
    lines.push_back(measure<Machine>("factorization machine", data, seeds, epochs));
    lines.push_back(measure<DcnV2>("DCN-V2", data, seeds, epochs));
    lines.push_back(measure<AutoInt>("AutoInt", data, seeds, epochs));
    lines.push_back(measure<WideDeep>("Wide & Deep", data, seeds, epochs));
    lines.push_back(measure<Both>("crosses + attention", data, seeds, epochs));
    lines.push_back(measure<GatedCrosses>("crosses under attention", data, seeds, epochs));
    if (argc > 4) {
        write_csv(std::string(argv[4]) + "/click_crosses.csv", lines);
        write_svg(std::string(argv[4]) + "/click_crosses.svg", lines);
    }
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
