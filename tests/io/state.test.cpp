// SPDX-License-Identifier: BSD-3-Clause
// A stream is kept aside, saved, read again, in the middle of a chunk, and goes on bit by bit.
#include <inlay/data.hpp>

#include <doctest/doctest.h>

#include <filesystem>

using namespace inlay;

namespace {
using Stream = Model<Sequence<16, 4>, Dense<6>, PreNorm<Memory<Heads<2>, Chunk<5>, Depth<2>>>,
                     PreNorm<SoftmaxAttn<Causal, Window<3>>>, Dense<1>>;
using Other = Model<Sequence<16, 4>, Dense<6>, PreNorm<Memory<Heads<2>, Chunk<5>, Depth<1>>>,
                    PreNorm<SoftmaxAttn<Causal, Window<3>>>, Dense<1>>;

std::vector<float> run(Stream::Params const& p, Stream::State& state, int from, int to) {
    std::vector<float> y;
    Key const key{4};
    for (int t = from; t < to; ++t) {
        float x[4], out = 0;
        for (int i = 0; i < 4; ++i) x[i] = float(key.normal(std::uint64_t(t * 4 + i)));
        Stream::step(p, state, x, std::span<float, 1>(&out, 1));
        y.push_back(out);
    }
    return y;
}
template <class M> std::string refusal(std::string const& path) {
    auto const state = std::make_unique<typename M::State>();
    reset<M>(*state);
    try {
        load_state<M>(*state, path);
    } catch (Error const& e) {
        CHECK(e.file() == path);
        CHECK(state->position == 0);
        return e.what();
    }
    return "";
}
} // namespace

TEST_CASE("a stream goes on from where it was kept, in memory and in a file") {
    auto const params = std::make_unique<Stream::Params>();
    auto const state = std::make_unique<Stream::State>();
    initialize<Stream>(*params, Seed{1});
    reset<Stream>(*state);
    run(*params, *state, 0, 13); // two chunks and three tokens
    auto const kept = std::make_unique<Snapshot<Stream>>(snapshot<Stream>(*state));
    auto const path = (std::filesystem::temp_directory_path() / "inlay_state.safetensors").string();
    save_state<Stream>(*state, path);
    auto const wanted = run(*params, *state, 13, 30);

    restore<Stream>(*state, *kept);
    CHECK(run(*params, *state, 13, 30) == wanted);
    reset<Stream>(*state);
    CHECK(run(*params, *state, 13, 30) != wanted);
    load_state<Stream>(*state, path);
    CHECK(state->position == 13);
    CHECK(run(*params, *state, 13, 30) == wanted);

    CHECK(refusal<Other>(path).find("metadata inlay.state: expected 32 bits in") != std::string::npos);
    write_safetensors(path, {});
    CHECK(refusal<Stream>(path).find("expected a state under inlay.state, found none") != std::string::npos);
    std::filesystem::remove(path);
    CHECK(refusal<Stream>(path).find("inlay_state") != std::string::npos);
}
