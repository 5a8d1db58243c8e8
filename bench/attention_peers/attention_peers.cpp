// SPDX-License-Identifier: BSD-3-Clause
// What compare.py runs beside PyTorch and ONNX Runtime, in turns. Writes the inputs and outputs of each case
// to a folder as packed floats, then answers each line `CASE PART` of its input with the nanoseconds of one
// call.
#include "../harness.hpp"

#include <inlay/blocks/attention/rows.hpp>
#include <inlay/core/path.hpp>
#include <inlay/inlay.hpp>
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>

#include <fstream>
#include <iostream>
#include <map>

namespace {

using namespace bench;
using namespace inlay;

std::string folder;
std::map<std::string, Contestant> cases;

void write(std::string const& name, float const* from, std::size_t n) {
    std::ofstream(folder + "/" + name, std::ios::binary)
        .write(reinterpret_cast<char const*>(from), std::streamsize(n * sizeof(float)));
}

/// Causal attention of four heads: q, k, v, dout and what came of them, each [4, n, d].
template <int n, int d> void causal(std::string const& name) {
    constexpr int H = 4, buffers = 8;
    constexpr std::size_t size = std::size_t(H) * n * d, step = inlay::detail::apart(4 * size) / 4;
    static Floats const all(buffers * step), spans(3 * n), log_sum(H * n), mean(H * n),
        room(kernels::attention_room<W, float>(d, d)),
        back_room(kernels::attention_backward_room<W, float>(d, d));
    auto const buffer = [](int i) { return all + std::ptrdiff_t(std::size_t(i) * step); };
    static kernels::KeySpans<float> const seen{spans, spans + n, spans + 2 * n};
    for (int i = 0; i < n; ++i) seen.set(i, 0, 0, i + 1);
    for (int b = 0; b < 4; ++b)
        for (std::size_t i = 0; i < size; ++i) buffer(b)[i] = 2 * draw();
    auto const head = [=](int h) {
        int const at = h * n * d;
        return kernels::AttentionHead<float>{
            n, d, d, 1 / std::sqrt(float(d)), buffer(0) + at, buffer(1) + at, buffer(2) + at, d, d, d, seen};
    };
    auto const forward = [=] {
        for (int h = 0; h < H; ++h)
            kernels::attend<W>(head(h), kernels::Scores<>{}, static_cast<float const*>(nullptr),
                               buffer(4) + h * n * d, d, log_sum + h * n, static_cast<float*>(room));
    };
    auto const backward = [=] {
        for (int h = 0; h < H; ++h) {
            int const at = h * n * d;
            float const* const dout = buffer(3) + at;
            kernels::row_products<W>(n, d, buffer(4) + at, d, dout, d, mean + h * n);
            kernels::clear(buffer(6) + at, n * d), kernels::clear(buffer(7) + at, n * d);
            kernels::attend_backward<kernels::SoftmaxWeights, W>(
                head(h), kernels::Scores<>{}, dout, d, static_cast<float const*>(log_sum + h * n),
                static_cast<float const*>(mean + h * n), buffer(5) + at, buffer(6) + at, buffer(7) + at,
                static_cast<float*>(back_room));
        }
    };
    forward(), backward();
    char const* names[buffers] = {"q", "k", "v", "dout", "out", "dq", "dk", "dv"};
    for (int i = 0; i < buffers; ++i) write(name + "." + names[i], buffer(i), size);
    cases.emplace(name + " forward", Contestant(name, forward));
    cases.emplace(name + " backward", Contestant(name, backward));
}

/// A block of bench/transformer.bench.cpp: x, y and the weights by their names.
void block() {
    constexpr int T = 16, D = 32, stride = In<Sequence<T, D>, Native>::stride;
    using M = Model<Sequence<T, D>, PreNorm<SoftmaxAttn<Heads<2>>>, PreNorm<Mlp<64, D>>>;
    static Network<M> net(Seed{1});
    static Workspace<M, Batch<1>> workspace;
    static Floats const x(T * stride);
    M::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, auto w) {
        std::vector<float> packed;
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) packed.push_back(w(r, i) += 0.2f * draw());
        write("block." + to_string(at), packed.data(), packed.size());
    });
    auto const run = [] { return net.infer(In<Sequence<T, D>, Native>{x}, 1, workspace); };
    std::vector<float> in, out;
    for (int t = 0; t < T; ++t)
        for (int i = 0; i < D; ++i) in.push_back(x[t * stride + i] = 2 * draw());
    auto const y = run();
    for (int t = 0; t < T; ++t) out.insert(out.end(), y(0, t), y(0, t) + D);
    write("block.x", in.data(), in.size()), write("block.y", out.data(), out.size());
    cases.emplace("block forward", Contestant("block", [=] { run(); }));
}

} // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: attention_peers folder\n");
        return 2;
    }
    folder = arguments[1];
    causal<1024, 64>("1024,64");
    causal<64, 64>("64,64");
    block();
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        auto const& one = cases.at(line);
        int times = 1;
        for (;; times *= 2) {
            double const begin = now();
            one.run(times);
            double const seconds = now() - begin;
            if (seconds < 0.05) continue;
            std::cout << seconds / times * 1e9 << std::endl;
            break;
        }
    }
}
