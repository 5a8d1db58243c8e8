// SPDX-License-Identifier: BSD-3-Clause
// What compare.py runs beside PyTorch and ONNX Runtime, in turns: Wide & Deep and DCN-V2 on the Adult census,
// and on rows of a click log's shape, 13 counts and 26 categories. Writes the rows and first weights of each
// case to a folder, then answers each line `CASE PART` of its input with a number: of `learn` the mean loss
// of twenty steps, of `train` the nanoseconds a row, of `1` and `256` those of one inference of so many rows.
#include "../harness.hpp"

#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <array>
#include <fstream>
#include <iostream>
#include <map>

namespace {

using namespace bench;
using namespace inlay;

constexpr int batch = 256, turn = 64, learning = 20, width = 8; // a turn is 64 batches

using Slots = Hashed<1 << 18>;
template <class Rec, class... More>
using WideDeep = Model<Rec, Sum<Cross<Slots, Each, More...>, Stack<Embed<width>, Flatten, Mlp<128, 64, 1>>>>;
template <class Rec>
using DcnV2 = Model<Rec, Embed<width>, Flatten, Concat<Cross<Dcn<2>>, Stack<Mlp<128, 64>, Relu>>, Dense<1>>;

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Numeric<"fnlwgt", Quantiles<8>>,
           Numeric<"education_num", Quantiles<8>>, Numeric<"capital_gain", LogBuckets<20>>,
           Numeric<"capital_loss", LogBuckets<20>>,
           Numeric<"hours_per_week", Buckets<20, 35, 40, 41, 50, 60>>, Categorical<"workclass", 16>,
           Categorical<"education", 32>, Categorical<"marital_status", 16>, Categorical<"occupation", 32>,
           Categorical<"relationship", 16>, Categorical<"race", 16>, Categorical<"sex", 4>,
           Categorical<"native_country", 64>>;

constexpr int counts = 13, categories = 26;
/// Values of each category, as many as the public sample of the log has, at most 200,000.
constexpr std::array<int, categories> values{1460,  583,  200000, 200000, 305, 24,     12517,  633,   3,
                                             93145, 5683, 200000, 3194,   27,  14992,  200000, 10,    5652,
                                             2173,  4,    200000, 18,     15,  142572, 105,    142572};
template <int I> consteval auto title(char letter) {
    return Name<4>{{letter, char('0' + I / 10), char('0' + I % 10), 0}};
}
template <class, class> struct ClickOf;
template <std::size_t... I, std::size_t... C>
struct ClickOf<std::index_sequence<I...>, std::index_sequence<C...>> {
    using type = Record<Numeric<title<int(I)>('i'), LogBuckets<20>>...,
                        Categorical<title<int(C)>('c'), values[C] + 1>...>;
};
using Click = ClickOf<std::make_index_sequence<counts>, std::make_index_sequence<categories>>::type;

Rows<Person> people(char const* path) {
    CsvOptions options;
    options.columns = {"age",
                       "workclass",
                       "fnlwgt",
                       "education",
                       "education_num",
                       "marital_status",
                       "occupation",
                       "relationship",
                       "race",
                       "sex",
                       "capital_gain",
                       "capital_loss",
                       "hours_per_week",
                       "native_country",
                       "income"};
    return Encoder<Person>{}.fit_transform(Csv{path, options}, Label{"income", ">50K"});
}
/// Few values of a category are frequent.
Rows<Click> clicks(std::size_t n) {
    Rows<Click> rows;
    Key const key{1};
    for (std::size_t i = 0; i < n; ++i) {
        Click::Row row{};
        inlay::detail::each<std::size_t(counts)>([&](auto f) {
            double const x = key.normal(i, f);
            get<f>(row).value = float(x);
            get<f>(row).id = std::int32_t(std::clamp(int(3 * x) + 10, 1, 20));
        });
        inlay::detail::each<std::size_t(categories)>([&](auto f) {
            double const u = key.uniform(i, 100 + f);
            get<std::size_t(counts) + f>(row).id = 1 + std::int32_t(double(values[f]) * u * u * u * u);
        });
        rows.row.push_back(row);
        rows.target.push_back(float(key.below(4, i, 999) == 0));
    }
    return rows;
}

std::string folder;
template <class T> void write(std::string const& name, std::vector<T> const& all) {
    std::ofstream(folder + "/" + name, std::ios::binary)
        .write(reinterpret_cast<char const*>(all.data()), std::streamsize(all.size() * sizeof(T)));
}
/// Values of numbers, ids of categories, and targets.
template <class Rec> void write_rows(std::string const& name, Rows<Rec> const& rows) {
    std::vector<float> numbers;
    std::vector<std::int32_t> ids;
    for (auto const& row : rows.row)
        inlay::detail::each<std::size_t(Rec::fields)>([&](auto f) {
            if constexpr (Rec::template field<f>::kind == FieldKind::numeric)
                numbers.push_back(get<f>(row).value);
            else ids.push_back(get<f>(row).id);
        });
    write(name + ".numbers", numbers), write(name + ".ids", ids), write(name + ".target", rows.target);
}
/// The weights that a row reads in the wide part, the bias first, -1 for a cross that does not fire.
template <class Rec, class... P>
void write_slots(std::string const& name, Rows<Rec> const& rows, List<P...>) {
    using Keys = inlay::detail::CrossKeys<Rec, P...>;
    constexpr std::size_t most = std::size_t(Keys::most) + 1;
    std::vector<std::int32_t> slots(rows.row.size() * most, -1);
    for (std::size_t i = 0; i < rows.row.size(); ++i) {
        slots[i * most] = 0;
        Keys::each(rows.row[i], [&](int k, std::int32_t at) { slots[i * most + 1 + std::size_t(k)] = at; });
    }
    write(name + ".slots", slots);
}

std::map<std::string, std::function<double(std::string const&)>> cases;

template <class M, class Rec> void add(std::string const& name, Rows<Rec> const& rows) {
    using T = Trainer<M, BinaryCrossEntropy, Batch<batch>, AdaGrad>;
    static Network<M> net(Seed{1}), learner(Seed{1});
    std::ofstream list(folder + "/" + name + ".list");
    for (Network<M>* one : {&net, &learner}) {
        Key const key{2};
        std::uint64_t draws = 0;
        M::Block::visit(one->params(), Path{}, [&](auto, Path const& at, Kind, auto w) {
            std::vector<float> packed;
            for (int r = 0; r < w.rows; ++r)
                for (int i = 0; i < w.width; ++i)
                    packed.push_back(w(r, i) += 0.02f * float(key.normal(draws++)));
            if (one == &learner) return;
            write(name + "." + to_string(at), packed);
            list << to_string(at) << ' ' << w.rows << ' ' << w.width << '\n';
        });
    }
    static T trainer(learner, {.optimizer = AdaGrad{.learning_rate = 0.02f}});
    static Workspace<M, Batch<1>> one;
    static Workspace<M, Batch<batch>> many;
    write(name + ".logits", [&] {
        std::vector<float> all;
        auto const y = net.infer(std::span(rows.row.data(), batch), many);
        for (int b = 0; b < batch; ++b) all.push_back(y(b)[0]);
        return all;
    }());
    cases[name] = [&rows](std::string const& part) {
        static std::vector<std::uint32_t> index(batch);
        auto const step = [&](std::size_t at) {
            for (std::size_t i = 0; i < batch; ++i) index[i] = std::uint32_t(at * batch + i);
            return trainer.step(rows, index);
        };
        if (part == "learn") {
            double loss = 0;
            for (std::size_t i = 0; i < learning; ++i) loss += step(i) / learning;
            return loss;
        }
        if (part == "train") {
            double const begin = now();
            for (std::size_t i = 0; i < turn; ++i) step(i);
            return (now() - begin) / (turn * batch) * 1e9;
        }
        for (int times = 1;; times *= 2) {
            std::size_t at = 0;
            double const begin = now();
            for (int i = 0; i < times; ++i) {
                if (part == "1") net.infer(rows.row[at], one);
                else net.infer(std::span(rows.row.data() + at, batch), many);
                clobber();
                at = (at + batch) % (turn * batch);
            }
            double const seconds = now() - begin;
            if (seconds > 0.05) return seconds / times * 1e9;
        }
    };
}

} // namespace

int main(int count, char** arguments) try {
    if (count != 3) {
        std::fprintf(stderr, "usage: tabular_peers adult.data folder\n");
        return 2;
    }
    folder = arguments[2];
    auto const person = people(arguments[1]);
    auto const click = clicks(turn * batch);
    using Jobs = Of<"education", "occupation">;
    write_rows("adult", person), write_slots("adult", person, List<Slots, Each, Jobs>{});
    write_rows("clicks", click), write_slots("clicks", click, List<Slots, Each>{});
    add<WideDeep<Person, Jobs>>("adult.wide_deep", person);
    add<DcnV2<Person>>("adult.dcn_v2", person);
    add<WideDeep<Click>>("clicks.wide_deep", click);
    add<DcnV2<Click>>("clicks.dcn_v2", click);
    std::cout << "ready" << std::endl;
    std::cout.precision(12);
    for (std::string what, part; std::cin >> what >> part;) std::cout << cases.at(what)(part) << std::endl;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
