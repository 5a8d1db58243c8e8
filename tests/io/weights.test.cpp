// SPDX-License-Identifier: BSD-3-Clause
#include "../data/file.hpp"

#include <inlay/inlay.hpp>
#include <inlay/io/dispatch.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

using namespace inlay;

namespace {
template <int H, int D>
using Lm = Model<Tokens<6, 9>, Embed<D>, Repeat<2, PreNorm<SoftmaxAttn<Heads<H>>>>, Dense<9>>;
using Two = Lm<2, 8>;
using Four = Lm<4, 8>;
using Wide = Lm<2, 16>;
using Fields = Record<Numeric<"age">, Categorical<"job", 5>>;

template <class M> bool same(Network<M> const& a, Network<M> const& b) {
    return std::memcmp(static_cast<void const*>(&a.params()), static_cast<void const*>(&b.params()),
                       sizeof(typename M::Params)) == 0;
}
template <class F> std::string complaint(F const& f) {
    try {
        f();
    } catch (Error const& e) { return e.what(); }
    return "none";
}
bool has(std::string const& text, std::string const& words) { return text.find(words) != std::string::npos; }
constexpr auto heads = []<class M>(Network<M>&) { return model_text<M>(); };
} // namespace

TEST_CASE("models in words do not depend on the compiler") {
    using P =
        Model<Fields, Embed<8, Periodic<16, 4.0>>, Flatten, LeakyRelu, Dropout<0.1>, Named<"top", Dense<1>>>;
    CHECK(model_text<P>() ==
          "Model<Record<Numeric<\"age\">, Categorical<\"job\", 5>>, Embed<8, Periodic<16, 4>>, Flatten, "
          "BasicLeakyRelu<Slope<10>>, Dropout<0.1>, Named<\"top\", Dense<1>>>");
    CHECK(model_text<Two>() == "Model<Tokens<6, 9>, Embed<8>, Repeat<2, Residual<RmsNorm, "
                               "SoftmaxAttn<Heads<2>>>>, Dense<9>>");
    CHECK(model_text<Two::as<double, Lanes<1>>>() == model_text<Two>());
}

TEST_CASE("dispatch calls with the network that a file was saved from") {
    File const file;
    Network<Four> const net(Seed{3});
    save(net, file.path);
    CHECK(dispatch<Two, Four, Wide>(file.path, [&]<class M>(Network<M>& found) {
        if constexpr (std::is_same_v<M, Four>) return same(found, net);
        else return false;
    }));
    // Two and Four have the same tensors: only the words tell them apart.
    Network<Two> two(Seed{1});
    load(two, file.path);
    CHECK(dispatch<Two, Four>(file.path, heads) == model_text<Four>());
}

TEST_CASE("dispatch says which model is nearest, and where it differs") {
    File const file;
    auto const saved = [&](auto const& net) { save(net, file.path); };
    saved(Network<Four>(Seed{3}));
    auto const first = complaint([&] { dispatch<Wide, Two>(file.path, heads); });
    CHECK(has(first, "the nearest of 2 compiled models is number 2, Model<Tokens<6, 9>, Embed<8>"));
    CHECK(has(first, "block 1, Repeat, Residual, SoftmaxAttn, Heads: expected 2, found 4"));
    saved(Network<Model<Tokens<7, 9>, Embed<8>, Dense<9>>>(Seed{1}));
    CHECK(has(complaint([&] { dispatch<Wide, Two>(file.path, heads); }),
              "number 2, " + model_text<Two>() + "; input: expected Tokens<6, 9>, found Tokens<7, 9>"));
    saved(Network<Model<Tokens<6, 9>, Embed<8>, Dense<9>>>(Seed{1}));
    CHECK(has(complaint([&] { dispatch<Two>(file.path, heads); }),
              "block 1: expected Repeat<2, Residual<RmsNorm, SoftmaxAttn<Heads<2>>>>, found Dense<9>"));
    write_safetensors(file.path, {});
    CHECK(has(complaint([&] { dispatch<Two>(file.path, heads); }), "expected a model in words"));
    for (char const* bad :
         {"[]", "{", "{\"input\":3}", "{\"input\":\"a\"}", "{\"input\":\"a\",\"blocks\":[1]}"}) {
        write_safetensors(file.path, {}, {{"inlay.model", bad}});
        CHECK(has(complaint([&] { dispatch<Two>(file.path, heads); }), "metadata inlay.model"));
    }
    for (char const* odd : {"Model<", "><", "Model<<<,,>", "", "\\\"", "Model<\\\",>"}) {
        write_safetensors(
            file.path, {},
            {{"inlay.model", std::string("{\"input\":\"") + odd + "\",\"blocks\":[\"" + odd + "\"]}"}});
        CHECK(has(complaint([&] { dispatch<Two>(file.path, heads); }), "nearest of 1"));
    }
}

TEST_CASE("halves and bfloat16 are rounded to the nearest, ties to even") {
    for (std::uint32_t half = 0; half < 0x10000U; ++half) {
        float const x = detail::from_half(std::uint16_t(half));
        if (!std::isnan(x)) CHECK_MESSAGE(detail::to_half(x) == half, half);
        else CHECK(std::isnan(detail::from_half(detail::to_half(x))));
        if (half >= 0x7C00U) continue;
        // Halfway to the next one, and a little to either side; the next of the largest would be 65536.
        double const next = half == 0x7BFFU ? 65536.0 : double(detail::from_half(std::uint16_t(half + 1)));
        float const middle = float((double(x) + next) / 2);
        CHECK(detail::to_half(middle) == half + (half & 1U));
        CHECK(detail::to_half(std::nextafter(middle, 0.0F)) == half);
        CHECK(detail::to_half(-std::nextafter(middle, 1e9F)) == half + 0x8001U);
    }
    CHECK(detail::to_half(1e30F) == 0x7C00U);
    CHECK(detail::to_bfloat(1.0F + 0x1p-8F) == 0x3F80U); // a tie
    CHECK(detail::to_bfloat(1.0F + 3 * 0x1p-8F) == 0x3F82U);
    CHECK(detail::to_bfloat(std::nextafter(1.0F + 0x1p-8F, 2.0F)) == 0x3F81U);
    CHECK(std::isnan(detail::from_bfloat(detail::to_bfloat(std::numeric_limits<float>::signaling_NaN()))));
}

TEST_CASE("a file in BF16 holds half the bytes, and what comes back is within a rounding") {
    File const file;
    Network<Two> const net(Seed{3});
    Network<Two> read(Seed{4});
    for (auto [dtype, bits] : {std::pair{DType::BF16, 8}, {DType::F16, 11}, {DType::F64, 24}}) {
        save(net, file.path, {}, dtype);
        auto const stored = Safetensors::read(file.path);
        for (auto const& t : stored.tensors()) CHECK(t.dtype == dtype);
        load(read, stored);
        auto const a = detail::named_tensors<Two>(net.params());
        auto const b = detail::named_tensors<Two>(read.params());
        double worst = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            for (int r = 0; r < a[i].ref.rows; ++r)
                for (int c = 0; c < a[i].ref.width; ++c) {
                    double const x = double(a[i].ref(r, c)), y = double(b[i].ref(r, c));
                    worst = std::max(worst, std::abs(x - y) / (std::abs(x) + 1e-4));
                }
        CHECK(worst <= std::ldexp(1.0, -bits));
        CHECK((bits == 24 || worst > std::ldexp(1.0, -bits - 2)));
    }
    CHECK(has(complaint([&] { save(net, file.path, {}, DType::I8); }),
              "expected F64, F32, F16 or BF16, found I8"));
}

TEST_CASE("an index and its shards are read as one file") {
    File const file;
    Network<Two> const net(Seed{3});
    Network<Two> read(Seed{4});
    auto const tensors = detail::named_tensors<Two>(net.params());
    std::vector<TensorSource> parts[2];
    std::string map;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        parts[i % 2].push_back(detail::source_of(tensors[i]));
        map += (i ? ",\"" : "\"") + tensors[i].name + "\":\"part" + std::to_string(i % 2) + "\"";
    }
    auto const in_folder = [&](char const* name) { return (file.folder / name).string(); };
    write_safetensors(in_folder("part0"), parts[0]);
    write_safetensors(in_folder("part1"), parts[1]);
    auto const index = in_folder("model.safetensors.index.json");
    auto const write_index = [&](std::string const& text) { std::ofstream(index, std::ios::binary) << text; };
    write_index("{\"metadata\":{\"total_size\":12},\"weight_map\":{" + map + "}}");
    load(read, index);
    CHECK(same(read, net));
    CHECK(read_weights(index).tensors().size() == tensors.size());

    auto const refusal = [&](std::string const& text) {
        write_index(text);
        return complaint([&] { load(read, index); });
    };
    auto const moved = refusal("{\"weight_map\":{" + map + ",\"x\":\"part1\",\"y\":\"part0\"}}");
    CHECK(has(moved, "expected x in part1; y in part0, found no x; no y"));
    std::string swapped = map;
    swapped.replace(swapped.find("part0"), 5, "part1");
    CHECK(has(refusal("{\"weight_map\":{" + swapped + "}}"),
              "0.weight in part1 only; 0.weight in part1, found "
              "it in part0; no 0.weight"));
    CHECK(has(refusal("{\"weight_map\":{\"0.weight\":\"part0\"}}"), "expected no "));
    for (char const* bad : {"../part0", "/etc/passwd", "a/b", ".."})
        CHECK(
            has(refusal(std::string("{\"weight_map\":{\"a\":\"") + bad + "\"}}"), "a file beside the index"));
    CHECK(has(refusal("{\"weight_map\":{\"a\":\"part7\"}}"), "a file to read"));
    CHECK(has(refusal("{\"weight_map\":[]}"), "an object of names and files"));
    CHECK(has(refusal("[[[[[[[[[[[["), "expected"));
}
