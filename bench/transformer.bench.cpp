// SPDX-License-Identifier: BSD-3-Clause
// One transformer block over one sequence of 16 tokens, each 32 numbers wide: two heads of causal attention
// and 64 hidden units, both behind an RMSNorm.
#include "peers.hpp"

#include <inlay/inlay.hpp>

namespace {

using namespace bench;
using namespace inlay;
constexpr int T = 16, D = 32, H = 2, d = D / H, F = 64;
using M = Model<Sequence<T, D>, PreNorm<SoftmaxAttn<Heads<H>>>, PreNorm<Mlp<F, D>>>;

#if defined(BENCH_EIGEN)
/// The same with matrices of constant size. Tokens are columns, which Eigen multiplies fastest.
struct Fixed {
    template <int R, int C> using Matrix = Eigen::Matrix<float, R, C>;
    using Tokens = Matrix<D, T>;
    Matrix<D, 1> norm[2];
    Matrix<D, D> q, k, v, o;
    Matrix<F, D> up;
    Matrix<F, 1> up_bias;
    Matrix<D, F> down;
    Matrix<D, 1> down_bias;
    Matrix<T, T> seen; // 1 where key row is seen by query column

    Fixed() {
        for (int i = 0; i < T; ++i)
            for (int j = 0; j < T; ++j) seen(j, i) = j <= i;
    }
    static void normed(Tokens const& x, Matrix<D, 1> const& weight, Tokens& y) {
        Matrix<1, T> const r = (x.array().square().colwise().mean() + 1e-6f).rsqrt();
        y = (x.array().rowwise() * r.array()).colwise() * weight.array();
    }
    void operator()(Tokens const& x, Tokens& y) const {
        Tokens n, query, key, value, mixed;
        normed(x, norm[0], n);
        query.noalias() = q * n;
        key.noalias() = k * n;
        value.noalias() = v * n;
        for (int h = 0; h < H; ++h) {
            Matrix<T, T> s;
            s.noalias() = key.middleRows<d>(h * d).transpose() * query.middleRows<d>(h * d);
            Matrix<1, T> const top = s.colwise().maxCoeff() * 0.25f;
            s = ((s * 0.25f).rowwise() - top).array().exp() * seen.array();
            Matrix<1, T> const sum = s.colwise().sum();
            mixed.middleRows<d>(h * d).noalias() = value.middleRows<d>(h * d) * s;
            mixed.middleRows<d>(h * d).array().rowwise() /= sum.array();
        }
        y = x;
        y.noalias() += o * mixed;
        normed(y, norm[1], n);
        Matrix<F, T> hidden;
        hidden.noalias() = up * n;
        hidden = (hidden.colwise() + up_bias).cwiseMax(0.0f);
        y.noalias() += down * hidden;
        y.colwise() += down_bias;
    }
};
static_assert(d == 16, "1 / sqrt(d) is written out");

/// The weights of a network, by their order.
void copy(Network<M> const& net, Fixed& to) {
    int place = 0;
    auto params = net.params();
    M::Block::visit(params, Path{}, [&](auto, Path const&, Kind, auto w) {
        auto const matrix = [&](auto& m) {
            for (int r = 0; r < w.rows; ++r)
                for (int i = 0; i < w.width; ++i) m(r, i) = w(r, i);
        };
        auto const vector = [&](auto& m) {
            for (int i = 0; i < w.width; ++i) m(i) = w(0, i);
        };
        switch (place++) {
        case 0:
            return vector(to.norm[0]);
        case 1:
            return matrix(to.q);
        case 2:
            return matrix(to.k);
        case 3:
            return matrix(to.v);
        case 4:
            return matrix(to.o);
        case 5:
            return vector(to.norm[1]);
        case 6:
            return matrix(to.up);
        case 7:
            return vector(to.up_bias);
        case 8:
            return matrix(to.down);
        default:
            return vector(to.down_bias);
        }
    });
}
#endif

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    Network<M> net(Seed{1});
    M::Block::visit(net.params(), Path{}, [&](auto, Path const&, Kind, auto w) {
        for (int r = 0; r < w.rows; ++r)
            for (int i = 0; i < w.width; ++i) w(r, i) += 0.2f * draw();
    });
    Workspace<M, Batch<1>> workspace;
    constexpr int stride = In<Sequence<T, D>, Native>::stride;
    Floats const x(T * stride);
    for (int t = 0; t < T; ++t)
        for (int i = 0; i < D; ++i) x[t * stride + i] = 2 * draw();
    auto const infer = [&] { return net.infer(In<Sequence<T, D>, Native>{x}, 1, workspace); };
    std::vector<Contestant> all{{"inlay", [&] { infer(); }}};
#if defined(BENCH_EIGEN)
    auto const fixed = std::make_unique<Fixed>();
    copy(net, *fixed);
    auto const in = std::make_unique<Fixed::Tokens>(), out = std::make_unique<Fixed::Tokens>();
    for (int t = 0; t < T; ++t)
        for (int i = 0; i < D; ++i) (*in)(i, t) = x[t * stride + i];
    all.push_back({"Eigen fixed", [&] { (*fixed)(*in, *out); }});
    (*fixed)(*in, *out);
    auto const y = infer();
    for (int t = 0; t < T; ++t)
        for (int i = 0; i < D; ++i)
            if (std::abs(y(0, t)[i] - (*out)(i, t)) > 1e-4f) {
                std::fprintf(stderr, "Eigen gives %g where inlay gives %g\n", double((*out)(i, t)),
                             double(y(0, t)[i]));
                return 1;
            }
#endif
    heading("a transformer block: 16 tokens of 32 numbers, two heads, 64 hidden units");
    race("block 16,32", M::flops, all);
}
