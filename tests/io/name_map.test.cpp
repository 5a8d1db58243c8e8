// SPDX-License-Identifier: BSD-3-Clause
// Checkpoints that PyTorch wrote (tests/vectors/checkpoints), and its logits.
#include <inlay/inlay.hpp>
#include <inlay/io/known_models.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

using namespace inlay;

namespace {
constexpr int T = 12, V = 32, D = 16;
using Gpt2 = Model<Tokens<T, V>, Tied<Embed<D>, LearnedPosition,
                                      Repeat<2, Residual<LayerNorm, SoftmaxAttn<Heads<4>, Bias>>,
                                             Residual<LayerNorm, Dense<4 * D>, GeluTanh, Dense<D>>>,
                                      LayerNorm>>;
template <int Kv>
using Layers = Repeat<2, PreNorm<SoftmaxAttn<Heads<4>, KvHeads<Kv>, Rope<10'000>>>, PreNorm<SwiGlu<24>>>;
using Llama = Model<Tokens<T, V>, Embed<D>, Layers<2>, RmsNorm, Dense<V, NoBias>>;
using TiedLlama = Model<Tokens<T, V>, Tied<Embed<D>, Layers<1>, RmsNorm>>;
template <class Mixer>
using Fla =
    Model<Tokens<T, V>, Embed<D>, Repeat<2, PreNorm<Mixer>, PreNorm<SwiGlu<24>>>, RmsNorm, Dense<V, NoBias>>;
using GatedDeltaNet = Fla<LinearAttn<Heads<2>, KeyDim<6>, ValueDim<12>, GatedDelta, Chunk<5>>>;
using GatedLinear = Fla<LinearAttn<Heads<2>, KeyDim<4>, ValueDim<8>, Gla>>;

std::string const folder = "tests/vectors/checkpoints/";

/// Forward of a batch of two, and step by step, against the logits of PyTorch.
template <class M>
void compare(std::string const& name, NameMap const& map, std::string const& from, double tolerance) {
    auto net = Network<M>(Seed{1});
    load(net, folder + name + ".safetensors", map);
    auto const answers = Safetensors::read(folder + from + ".safetensors");
    auto const *ids = answers.find(name + ".ids"), *logits = answers.find(name + ".logits");
    REQUIRE(ids);
    REQUIRE(logits);
    std::vector<double> wanted(logits->count());
    read_scalars(*logits, wanted.data());
    REQUIRE(wanted.size() == 2 * T * V);
    std::int64_t theirs[2 * T];
    std::memcpy(theirs, ids->bytes.data(), sizeof theirs);
    std::int32_t x[2 * T];
    std::copy_n(theirs, 2 * T, x);

    Workspace<M, Batch<2>> ws;
    auto const y = net.infer(x, ws);
    double worst = 0, largest = 0;
    for (int b : {0, 1}) {
        auto state = std::make_unique<typename M::State>();
        for (int t = 0; t < T; ++t) {
            typename M::T stepped[V];
            M::step(net.params(), *state, x[b * T + t], stepped);
            for (int i = 0; i < V; ++i) {
                double const want = wanted[std::size_t((b * T + t) * V + i)];
                largest = std::max(largest, std::abs(want));
                worst = std::max(
                    {worst, std::abs(double(y(b, t)[i]) - want), std::abs(double(stepped[i]) - want)});
            }
        }
    }
    CHECK(largest > 2);
    CHECK(worst < tolerance);
}
/// In float to its rounding; in double, so that nothing hides behind that.
template <class M>
void check(std::string const& name, NameMap const& map, std::string const& from = "answers") {
    compare<M>(name, map, from, 1e-5);
    compare<typename M::template as<double>>(name, map, from, 1e-12);
}
template <class M> std::string complaint(std::string const& file, NameMap const& map) {
    auto net = Network<M>(Seed{1});
    auto const before = Network<M>(Seed{1});
    try {
        load(net, folder + file, map);
    } catch (Error const& e) {
        CHECK(std::memcmp(&net.params(), &before.params(), sizeof(typename M::Params)) == 0);
        return e.what();
    }
    return "";
}
} // namespace

TEST_CASE("a GPT-2 checkpoint gives PyTorch's logits") { check<Gpt2>("gpt2", gpt2_names()); }
TEST_CASE("a Llama checkpoint gives PyTorch's logits") { check<Llama>("llama", llama_names()); }
TEST_CASE("a Llama checkpoint in BF16 with tied embeddings gives PyTorch's logits") {
    check<TiedLlama>("llama_tied", tied_llama_names());
}
TEST_CASE("checkpoints of flash-linear-attention give what its naive functions give") {
    check<GatedDeltaNet>("gated_deltanet", gated_deltanet_names(), "fla_answers");
    check<GatedLinear>("gla", gla_names(), "fla_answers");
}

TEST_CASE("what does not fit a map is listed at once, and the network stays as it was") {
    using Wider = Model<Tokens<T, V>, Embed<D>,
                        Repeat<1, PreNorm<SoftmaxAttn<Heads<4>, Bias, Rope<10'000>>>, PreNorm<SwiGlu<24>>>,
                        RmsNorm, Dense<V + 1, NoBias>>;
    CHECK(complaint<Wider>("llama.safetensors", llama_names()) ==
          "inlay: tests/vectors/checkpoints/llama.safetensors: tensors: expected "
          "the name map to fill 1.0.0.1.q.bias once; the name map to fill 1.0.0.1.k.bias once; "
          "the name map to fill 1.0.0.1.v.bias once; the name map to fill 1.0.0.1.o.bias once; "
          "model.layers.0.self_attn.k_proj.weight [16, 16]; model.layers.0.self_attn.v_proj.weight [16, 16]; "
          "lm_head.weight [33, 16]; "
          "no model.layers.1.input_layernorm.weight; no model.layers.1.mlp.down_proj.weight; "
          "no model.layers.1.mlp.gate_proj.weight; no model.layers.1.mlp.up_proj.weight; "
          "no model.layers.1.post_attention_layernorm.weight; no model.layers.1.self_attn.k_proj.weight; "
          "no model.layers.1.self_attn.o_proj.weight; no model.layers.1.self_attn.q_proj.weight; "
          "no model.layers.1.self_attn.v_proj.weight, found "
          "0 times; 0 times; 0 times; 0 times; "
          "model.layers.0.self_attn.k_proj.weight [8, 16]; model.layers.0.self_attn.v_proj.weight [8, 16]; "
          "lm_head.weight [32, 16]; "
          "model.layers.1.input_layernorm.weight [16]; model.layers.1.mlp.down_proj.weight [16, 24]; "
          "model.layers.1.mlp.gate_proj.weight [24, 16]; model.layers.1.mlp.up_proj.weight [24, 16]; "
          "model.layers.1.post_attention_layernorm.weight [16]; "
          "model.layers.1.self_attn.k_proj.weight [8, 16]; model.layers.1.self_attn.o_proj.weight [16, 16]; "
          "model.layers.1.self_attn.q_proj.weight [16, 16]; model.layers.1.self_attn.v_proj.weight [8, 16]");
}
TEST_CASE("a missing tensor, and a rule whose second tensor is not there") {
    NameMap map = gpt2_names("transformer.");
    std::string const all = complaint<Gpt2>("gpt2.safetensors", map);
    for (char const* words :
         {"transformer.h.1.attn.c_attn.weight [16, 48]", "no transformer.wte.weight",
          "transformer.h.0.attn.c_attn.bias [48]", "no h.0.attn.c_attn.weight", "wpe.weight [12, 16]"})
        CHECK_MESSAGE(all.find(words) != std::string::npos, words);
    using One = Model<Vector<3>, Dense<2>>;
    CHECK(complaint<One>("gpt2.safetensors", {{"wte.weight", {"0.weight", "1.weight"}}})
              .find("the model to have 1.weight of the name map") != std::string::npos);
    CHECK(complaint<One>("gpt2.safetensors", {{"wte.weight", {"0.weight", "0.bias"}}})
              .find("expected 0.bias to have rows as 0.weight") != std::string::npos);
    CHECK(complaint<One>("gpt2.safetensors", {{"wte.weight", {"0.weight"}}, {"wpe.weight", {"0.weight"}}})
              .find("expected the name map to fill 0.weight once; the name map to fill 0.bias once") !=
          std::string::npos);
}
TEST_CASE("rules split, turn and reshape") {
    using M = Model<Vector<2>, Dense<3>, Dense<1>>;
    std::string const path = "name_map.test.safetensors";
    auto const source = [](char const* name, std::vector<std::uint64_t> shape, std::vector<float> values) {
        return TensorSource{name, real_dtype<float>, shape,
                            [values](std::byte* to) { write_scalars(values.data(), values.size(), to); }};
    };
    write_safetensors(path,
                      std::vector{source("w.7", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                  source("b", {4}, {10, 11, 12, 13}), source("v", {1, 3, 1}, {20, 21, 22}),
                                  source("spare.1.2", {1}, {0})},
                      {});
    auto net = Network<M>(Seed{1});
    load(net, path,
         {{"w.7", {"0.weight"}, Stored::transposed},
          {"b", {"0.bias", "1.bias"}},
          {"v", {"1.weight"}, Stored::reshaped},
          {"spare.{}.{}"}});
    std::remove(path.c_str());
    std::vector<float> got;
    M::Block::visit(net.params(), Path{}, [&](auto, Path const&, Kind, auto w) {
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) got.push_back(w(r, i));
    });
    CHECK(got == std::vector<float>{1, 4, 2, 5, 3, 6, 10, 11, 12, 20, 21, 22, 13});
}
template <class M> void goes_back(std::string const& name, NameMap const& map, std::size_t left_out) {
    auto net = Network<M>(Seed{1}), again = Network<M>(Seed{2});
    load(net, folder + name, map);
    save_as(net, "named.safetensors", map);
    load(again, "named.safetensors", map);
    CHECK(std::memcmp(&net.params(), &again.params(), sizeof(typename M::Params)) == 0);
    auto const before = Safetensors::read(folder + name), after = Safetensors::read("named.safetensors");
    std::remove("named.safetensors");
    CHECK(after.tensors().size() + left_out == before.tensors().size());
    for (auto const& t : after.tensors()) {
        auto const* const theirs = before.find(t.name);
        REQUIRE(theirs);
        CHECK(theirs->shape == t.shape);
        CHECK(std::equal(theirs->bytes.begin(), theirs->bytes.end(), t.bytes.begin(), t.bytes.end()));
    }
}
TEST_CASE("tensors go back under the names and in the layout that they came in") {
    goes_back<Gpt2>("gpt2.safetensors", gpt2_names(), 2);
    goes_back<Llama>("llama.safetensors", llama_names(), 0);
    NameMap map = gpt2_names();
    map.erase(map.begin());
    CHECK_THROWS_WITH_AS(save_as(Network<Gpt2>(Seed{1}), "named.safetensors", map),
                         doctest::Contains("the name map to fill 0.embed.weight once"), Error);
}
