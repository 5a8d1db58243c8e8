// SPDX-License-Identifier: BSD-3-Clause
// Chunks of the gated linear family against flash-linear-attention's naive recurrences
// (tests/vectors/make_fla_vectors.py), which compute in float32.
#include <inlay/core/shape.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace inlay;

namespace {
using Numbers = std::vector<double>;
constexpr int T = 21, H = 2, K = 5, V = 3, W = native_lanes<double>;
constexpr int key_row = (K + W - 1) / W * W, value_row = (V + W - 1) / W * W;

Numbers numbers(Safetensors const& file, std::string const& name) {
    auto const* info = file.find(name);
    REQUIRE_MESSAGE(info, name);
    Numbers all(info->count());
    read_scalars(*info, all.data());
    return all;
}
// Head h of [T, H, width], or of [H, K, V] where rows follow each other, padded.
Numbers head(Numbers const& x, int h, int rows, int width, int row, bool tokens) {
    Numbers y(std::size_t(rows * row));
    for (int t = 0; t < rows; ++t)
        for (int i = 0; i < width; ++i)
            y[std::size_t(t * row + i)] = x[std::size_t((tokens ? t * H + h : h * rows + t) * width + i)];
    return y;
}
void same(char const* what, Numbers const& got, Numbers const& wanted) {
    double largest = 0, worst = 0;
    for (double w : wanted) largest = std::max(largest, std::abs(w));
    for (std::size_t i = 0; i < wanted.size(); ++i)
        worst = std::abs(got[i] - wanted[i]) <= worst ? worst : std::abs(got[i] - wanted[i]);
    INFO(what);
    CHECK(worst <= 3e-6 * largest);
}

void compare(char const* name, int gate, bool delta) {
    CAPTURE(name);
    auto const file = Safetensors::read(std::string("tests/vectors/") + name + ".safetensors");
    for (int h = 0; h < H; ++h) {
        auto const keys = [&](char const* of) { return head(numbers(file, of), h, T, K, key_row, true); };
        auto const values = [&](char const* of) { return head(numbers(file, of), h, T, V, value_row, true); };
        auto const memory = [&](char const* of) {
            return head(numbers(file, of), h, K, V, value_row, false);
        };
        auto const one = [&](char const* of) { return head(numbers(file, of), h, T, 1, 1, true); };
        auto const gates = [&](char const* of) { return gate == 2 ? keys(of) : one(of); };
        Numbers q = keys("q"), v = values("v"), g = gate ? gates("g") : Numbers{};
        Numbers const k = keys("k"), beta = delta ? one("beta") : Numbers{}, start = memory("state"),
                      dout = values("do");
        for (double& x : q) x /= std::sqrt(double(K));
        kernels::GatedChunk<double> const chunk{.tokens = T,
                                                .keys = K,
                                                .key_row = key_row,
                                                .value_row = value_row,
                                                .q = q.data(),
                                                .k = k.data(),
                                                .v = v.data(),
                                                .log_decay = g.data(),
                                                .decays = gate == 2 ? key_row : gate,
                                                .beta = delta ? beta.data() : nullptr,
                                                .delta = delta};
        Numbers o(v.size()), state = start, slope = memory("dend"), dq(q.size()), dk(q.size()), dv(v.size()),
                             dg(std::size_t(T * key_row)), db(T);
        Numbers room(kernels::gated_chunk_room<W>(T, key_row, value_row, true));
        kernels::gated_chunk<W>(chunk, state.data(), o.data(), room.data());
        same("o", o, values("o"));
        same("end", state, memory("end"));
        kernels::gated_chunk_backward<W>(chunk, start.data(), dout.data(), slope.data(),
                                         {dq.data(), dk.data(), dv.data(), dg.data(), db.data()},
                                         room.data());
        for (double& x : dq) x /= std::sqrt(double(K));
        same("dq", dq, keys("dq"));
        same("dk", dk, keys("dk"));
        same("dv", dv, values("dv"));
        if (gate) same("dg", dg, gates("dg"));
        if (delta) same("dbeta", db, one("dbeta"));
        same("dstate", slope, memory("dstate"));
    }
}
} // namespace

TEST_CASE("chunks agree with flash-linear-attention") {
    compare("fla_delta_rule", 0, true);
    compare("fla_gated_delta_rule", 1, true);
    compare("fla_kda", 2, true);
    compare("fla_gla", 2, false);
    compare("fla_simple_gla", 1, false);
}
