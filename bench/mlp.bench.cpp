// SPDX-License-Identifier: BSD-3-Clause
// A small network built from blocks, one row at a time, each call waiting for the one before.
#include "peers.hpp"

#include <inlay/inlay.hpp>

namespace {

using namespace bench;
using namespace inlay;
using M = Model<Vector<32>, Dense<64>, Relu, Dense<64>, Relu, Dense<1>>;

#if defined(BENCH_EIGEN)
/// The same with matrices of constant size.
struct Fixed {
    template <int R, int C> using Matrix = Eigen::Matrix<float, R, C>;
    Matrix<64, 32> w0;
    Matrix<64, 64> w1;
    Matrix<1, 64> w2;
    Matrix<64, 1> b0, b1;
    float b2;
    float operator()(Matrix<32, 1> const& x) const {
        Matrix<64, 1> const h = (w0 * x + b0).cwiseMax(0.0f), g = (w1 * h + b1).cwiseMax(0.0f);
        return w2.dot(g) + b2;
    }
};
#endif

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    Network<M> const net(Seed{1});
    Workspace<M, Batch<1>> workspace;
    alignas(64) float x[32], first[32];
    for (int i = 0; i < 32; ++i) x[i] = first[i] = draw();
    // The next input follows from the last output, all of it, as in a control loop.
    auto const next = [&](float y) {
        for (int i = 0; i < 32; ++i) x[i] = first[i] + 1e-3f * y;
    };
    auto const infer = [&] {
        In<Vector<32>, Native> const in{x};
        return net.infer(in, 1, workspace)(0)[0];
    };
    std::vector<Contestant> all{{"inlay", [&] { next(infer()); }}};
#if defined(BENCH_EIGEN)
    auto const fixed = std::make_unique<Fixed>();
    int place = 0;
    auto params = net.params();
    M::Block::visit(params, Path{}, [&](auto, Path const&, Kind, auto tensor) {
        auto const copy = [&](auto& to) {
            for (int i = 0; i < int(to.size()); ++i)
                to.data()[i] = tensor(i % int(to.rows()), i / int(to.rows()));
        };
        auto const copy_vector = [&](auto& to) {
            for (int i = 0; i < int(to.size()); ++i) to.data()[i] = tensor(0, i);
        };
        if (place == 0) copy(fixed->w0);
        if (place == 1) copy_vector(fixed->b0);
        if (place == 2) copy(fixed->w1);
        if (place == 3) copy_vector(fixed->b1);
        if (place == 4) copy(fixed->w2);
        if (place == 5) fixed->b2 = tensor(0, 0);
        ++place;
    });
    Eigen::Map<Eigen::Matrix<float, 32, 1>, Eigen::Aligned64> const seen(x);
    all.push_back({"Eigen fixed", [&] { next((*fixed)(seen)); }});
    if (float const ours = infer(), theirs = (*fixed)(seen); std::abs(ours - theirs) > 1e-5f) {
        std::fprintf(stderr, "Eigen gives %g where inlay gives %g\n", double(theirs), double(ours));
        return 1;
    }
#endif
    heading("Vector<32>, Dense<64>, Relu, Dense<64>, Relu, Dense<1>: one row, dependent calls");
    race("mlp 32-64-64-1", M::flops, all);
}
