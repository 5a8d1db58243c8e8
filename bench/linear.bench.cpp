// SPDX-License-Identifier: BSD-3-Clause
// Linear attention by chunks in percent of an FMA loop that runs between, tokens of a long stream, and steps
// of gated recurrences beside straight code. Operations are counted token by token: 4 d^2 of the memory, with
// a delta rule 6 d^2, and 4 d for each pair of tokens that meet, with a delta rule twice that. Forward these
// are the pairs of a group of four, whatever the chunk; back the pairs of a chunk.
#include "harness.hpp"

#include <inlay/inlay.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>

#if defined(BENCH_EIGEN)
#include <Eigen/Dense>
#endif

namespace {

using namespace bench;
using namespace inlay;

/// A head of T tokens, keys and values of d numbers, in chunks of C.
template <int T, int d, int C> void chunks(bool delta) {
    Floats const q(T * d), k(T * d), v(T * d), o(T * d), dout(T * d), dq(T * d), dk(T * d), dv(T * d),
        decay(T), beta(T), d_decay(T), d_beta(T), state(d * d), dstate(d * d),
        room(kernels::gated_chunk_room<W>(C, d, d, true));
    for (auto const* x : {&q, &k, &v, &dout})
        for (std::size_t i = 0; i < x->size(); ++i) (*x)[std::ptrdiff_t(i)] = 0.3f * draw();
    for (int t = 0; t < T; ++t) decay[t] = -0.05f - 0.05f * draw(), beta[t] = 0.5f + 0.5f * draw();
    auto const chunk = [&](int t) {
        kernels::GatedChunk<float> c{.tokens = C, .keys = d, .key_row = d, .value_row = d};
        c.q = q + t * d, c.k = k + t * d, c.v = v + t * d;
        if (delta) c.log_decay = decay + t, c.decays = 1, c.beta = beta + t, c.delta = true;
        return c;
    };
    auto const forward = [&] {
        kernels::clear(static_cast<float*>(state), d * d);
        for (int t = 0; t < T; t += C)
            kernels::gated_chunk<W>(chunk(t), static_cast<float*>(state), o + t * d,
                                    static_cast<float*>(room));
    };
    auto const backward = [&] {
        kernels::clear(static_cast<float*>(dstate), d * d);
        for (int t = T - C; t >= 0; t -= C)
            kernels::gated_chunk_backward<W>(
                chunk(t), static_cast<float const*>(state), static_cast<float const*>(dout + t * d),
                static_cast<float*>(dstate), {dq + t * d, dk + t * d, dv + t * d, d_decay + t, d_beta + t},
                static_cast<float*>(room));
    };
    auto const flops = [=](int together) {
        double const pairs = double(T) * (together + 1) / 2, once = delta ? 1.5 : 1.0, twice = delta ? 2 : 1;
        return T * 4.0 * d * d * once + pairs * 4.0 * d * twice;
    };
    char name[64];
    std::snprintf(name, sizeof name, "%s %d,%d,%d", delta ? "gated delta" : "plain", T, d, C);
    race(name, flops(std::min(C, kernels::group)), {{"inlay", forward}});
    std::snprintf(name, sizeof name, "%s back %d,%d,%d", delta ? "gated delta" : "plain", T, d, C);
    race(name, 2.5 * flops(C), {{"inlay", backward}});
}

/// Nanoseconds a token of a stream of T tokens that goes through a block of 256 with its state carried.
void stream() {
    constexpr int part = 256, D = 64;
    using M = Model<Sequence<part, D>, LinearAttn<Heads<2>, GatedDelta>>;
    using Block = M::Block;
    auto const net = Network<M>(Seed{1});
    Workspace<M, Batch<1>> ws;
    Floats const x(part * D), y(part * D);
    for (std::size_t i = 0; i < x.size(); ++i) x[std::ptrdiff_t(i)] = draw();
    alignas(64) static Block::State state;
    std::printf(
        "\n### A stream of gated delta, two heads of 32 numbers, 256 tokens at a time\n\n| tokens | ns a "
        "token |\n| ---: | ---: |\n");
    constexpr int lengths[] = {256, 1024, 4096, 16384, 65536};
    std::vector<double> time[std::size(lengths)];
    for (int round = 0; round < 9; ++round)
        for (std::size_t i = 0; i < std::size(lengths); ++i) {
            int const again = std::max(1, 8192 / lengths[i]);
            double const begin = now();
            for (int r = 0; r < again; ++r) {
                state = {};
                for (int t = 0; t < lengths[i]; t += part) {
                    std::int64_t const position = t;
                    Context<> c{.rows = 1, .capacity = 1, .position = &position, .depth = 1};
                    c.carry.in = c.carry.out = reinterpret_cast<std::byte*>(&state);
                    std::int32_t const n = part;
                    NoTape none;
                    Block::forward(c, net.params(), In<M::Input, M::Scalar>{x, Lengths{&n, 0}},
                                   Out<M::Output, M::Scalar>{y, Lengths{&n, 0}}, none, ws.scratch());
                    clobber();
                }
            }
            time[i].push_back((now() - begin) / again / lengths[i]);
        }
    for (std::size_t i = 0; i < std::size(lengths); ++i)
        std::printf("| %d | %.1f |\n", lengths[i], median(time[i]) * 1e9);
}

#if defined(BENCH_EIGEN)
template <int R, int C> using Matrix = Eigen::Matrix<float, R, C>;
template <class A> auto logistic(A const& a) { return (1 + (-a).exp()).inverse(); }

/// As RTNeural's Eigen layers compute: all gates by one product for each input.
template <int D, int H> struct EigenGru {
    Matrix<3 * H, D> w = Matrix<3 * H, D>::Random();
    Matrix<3 * H, H> u = Matrix<3 * H, H>::Random() * 0.2f;
    Matrix<3 * H, 1> b = Matrix<3 * H, 1>::Random(), c = Matrix<3 * H, 1>::Random();
    Matrix<H, 1> h = Matrix<H, 1>::Zero();
    void step(float const* x) {
        Matrix<3 * H, 1> const a = w * Eigen::Map<Matrix<D, 1> const>(x) + b, s = u * h + c;
        auto const z = logistic((a.template head<H>() + s.template head<H>()).array()).eval();
        auto const r = logistic((a.template segment<H>(H) + s.template segment<H>(H)).array()).eval();
        auto const n = (a.template tail<H>().array() + r * s.template tail<H>().array()).tanh().eval();
        h = ((1 - z) * n + z * h.array()).matrix();
    }
};
template <int D, int H> struct EigenLstm {
    Matrix<4 * H, D> w = Matrix<4 * H, D>::Random();
    Matrix<4 * H, H> u = Matrix<4 * H, H>::Random() * 0.2f;
    Matrix<4 * H, 1> b = Matrix<4 * H, 1>::Random();
    Matrix<H, 1> h = Matrix<H, 1>::Zero(), c = Matrix<H, 1>::Zero();
    void step(float const* x) {
        Matrix<4 * H, 1> const a = w * Eigen::Map<Matrix<D, 1> const>(x) + u * h + b;
        auto const i = logistic(a.template head<H>().array()).eval();
        auto const f = logistic(a.template segment<H>(H).array()).eval();
        auto const g = a.template segment<H>(2 * H).array().tanh().eval();
        auto const o = logistic(a.template tail<H>().array()).eval();
        c = (f * c.array() + i * g).matrix();
        h = (o * c.array().tanh()).matrix();
    }
};
#endif

/// Loops, the standard library's functions, and what the compiler makes of them.
template <int D, int H> struct LoopGru {
    static constexpr auto G = std::size_t(3 * H);
    float w[G][std::size_t(D)], u[G][std::size_t(H)], b[G], c[G], h[std::size_t(H)];
    LoopGru() {
        for (auto& row : w)
            for (float& x : row) x = draw();
        for (auto& row : u)
            for (float& x : row) x = 0.2f * draw();
        for (int i = 0; i < 3 * H; ++i) b[i] = c[i] = draw();
        for (float& x : h) x = 0;
    }
    void step(float const* x) {
        float a[G], s[G];
        for (int i = 0; i < 3 * H; ++i) {
            a[i] = b[i], s[i] = c[i];
            for (int j = 0; j < D; ++j) a[i] += w[i][j] * x[j];
            for (int j = 0; j < H; ++j) s[i] += u[i][j] * h[j];
        }
        for (int i = 0; i < H; ++i) {
            float const z = 1 / (1 + std::exp(-a[i] - s[i])), r = 1 / (1 + std::exp(-a[H + i] - s[H + i]));
            h[i] = (1 - z) * std::tanh(a[2 * H + i] + r * s[2 * H + i]) + z * h[i];
        }
    }
};

template <class P> struct Rival {
    char const* name;
    P& peer;
};
template <class Layer, int H, class... P> void steps(char const* name, int gates, Rival<P>... peers) {
    using M = Model<Sequence<8, 1>, Layer>;
    auto const net = Network<M>(Seed{1});
    auto const state = std::make_unique<typename M::State>();
    float x[1] = {0.3f}, y[std::size_t(H)];
    std::vector<Contestant> all{{"inlay", [&] {
                                     x[0] = -x[0];
                                     M::step(net.params(), *state, x, y);
                                 }}};
    (all.push_back({peers.name,
                    [&x, peer = &peers.peer] {
                        x[0] = -x[0];
                        peer->step(x);
                    }}),
     ...);
    race(name, 2.0 * gates * H * (H + 1), all);
}

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    heading("linear attention by chunks, one head (T,d,C)", true);
    chunks<1024, 32, 32>(false);
    chunks<1024, 64, 64>(false);
    chunks<1024, 32, 32>(true);
    chunks<1024, 64, 64>(true);
    heading("a step of a recurrence over one number (H)");
    LoopGru<1, 16> loops;
    Rival<LoopGru<1, 16>> const slow{"loops", loops};
#if defined(BENCH_EIGEN)
    EigenGru<1, 16> eigen_gru;
    EigenLstm<1, 32> eigen_lstm;
    steps<Gru<16>, 16>("GRU 16", 3, Rival<decltype(eigen_gru)>{"Eigen", eigen_gru}, slow);
    steps<Lstm<32>, 32>("LSTM 32", 4, Rival<decltype(eigen_lstm)>{"Eigen", eigen_lstm});
#else
    steps<Gru<16>, 16>("GRU 16", 3, slow);
#endif
    if (options().only.empty() || options().only == "stream") stream();
}
