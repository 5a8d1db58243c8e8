// SPDX-License-Identifier: BSD-3-Clause
// Queries of a list over a whole block of keys, put to what they have from other keys: against sums in
// double, forward and back, with tails of every kind.
#include <inlay/kernels/attention/whole_block.hpp>

#include "matrices.hpp"

using namespace inlay;
using matrices::Matrix;

namespace {
constexpr int W = INLAY_VECTOR_BYTES ? INLAY_VECTOR_BYTES / 8 : 1;

/// Query i of `n` has seen `before` keys, and meets `keys` more if it is listed.
struct Case {
    static constexpr int n = 99, d = 5, vd = 11, p = matrices::padded(d, W), vp = matrices::padded(vd, W);
    int keys, before = 3, all = before + keys;
    std::vector<std::int32_t> ids;
    Matrix<double> q = Matrix<double>::random(n, d, p), k = Matrix<double>::random(all, d, p),
                   v = Matrix<double>::random(all, vd, vp), dout = Matrix<double>::random(n, vd, vp),
                   out{n, vd, vd}, dq{n, p, p}, dk{all, p, p}, dv{all, vp, vp};
    std::vector<double> log_sum = std::vector<double>(n), mean = log_sum;
    kernels::Scores<kernels::Capped<double>> scores{{4.0}, {}};

    Case(int count, int listed) : keys(matrices::padded(count, W)) {
        for (int i = 0; i < listed; ++i) ids.push_back((i * 37 + 5) % n);
    }
    double score(int i, int j) const {
        double product = 0;
        for (int c = 0; c < d; ++c) product += q(i, c) * k(j, c);
        return 4 * std::tanh(1.5 * product / 4);
    }
    /// Of query i and the first m keys: log sum e^z, and what the values give.
    double naive(int i, int m, std::vector<double>& o) const {
        double sum = 0;
        o.assign(vd, 0);
        for (int j = 0; j < m; ++j) sum += std::exp(score(i, j));
        for (int j = 0; j < m; ++j)
            for (int c = 0; c < vd; ++c) o[std::size_t(c)] += std::exp(score(i, j)) / sum * v(j, c);
        return std::log(sum);
    }
    int seen(int i) const { return std::find(ids.begin(), ids.end(), i) == ids.end() ? before : all; }
    double loss() const {
        double sum = 0;
        std::vector<double> o;
        for (int i = 0; i < n; ++i) {
            naive(i, seen(i), o);
            for (int c = 0; c < vd && seen(i) == all; ++c) sum += o[std::size_t(c)] * dout(i, c);
        }
        return sum;
    }
    kernels::AttentionHead<double> head() const {
        kernels::AttentionHead<double> h;
        h.queries = n, h.width = d, h.value_width = vd, h.scale = 1.5;
        h.query = q.data(), h.key = &k.data()[before * k.stride], h.value = &v.data()[before * v.stride];
        h.query_row = q.stride, h.key_row = k.stride, h.value_row = v.stride;
        return h;
    }
    void check() {
        std::vector<double> o;
        std::vector<double> room(kernels::block_backward_room<W, double>(d, vd, keys) + 1,
                                 std::numeric_limits<double>::quiet_NaN());
        room.back() = 1;
        for (int i = 0; i < n; ++i) {
            log_sum[std::size_t(i)] = naive(i, before, o);
            for (int c = 0; c < vd; ++c) out(i, c) = o[std::size_t(c)];
        }
        auto const listed = int(ids.size());
        kernels::attend_block<W>(head(), scores, keys, listed, ids.data(), out.data(), out.stride,
                                 log_sum.data(), room.data());
        CHECK(out.keeps_poison());
        for (int i = 0; i < n; ++i) {
            CHECK(std::abs(log_sum[std::size_t(i)] - naive(i, seen(i), o)) < 1e-13);
            for (int c = 0; c < vd; ++c) CHECK(std::abs(out(i, c) - o[std::size_t(c)]) < 1e-13);
        }
        for (int i = 0; i < n; ++i) {
            kernels::clear(&dq(i, 0), p);
            for (int c = 0; c < vd; ++c) mean[std::size_t(i)] += out(i, c) * dout(i, c);
        }
        for (int j = 0; j < all; ++j) kernels::clear(&dk(j, 0), p), kernels::clear(&dv(j, 0), vp);
        kernels::attend_block_backward<W>(
            head(), scores, keys, listed, ids.data(), static_cast<double const*>(dout.data()), dout.stride,
            static_cast<double const*>(log_sum.data()), static_cast<double const*>(mean.data()), dq.data(),
            &dk(before, 0), &dv(before, 0), room.data());
        CHECK(room.back() == 1);
        for (auto* m : {&dq, &dk, &dv}) CHECK(m->keeps_poison());
        for (int c = 0; c < p; ++c) CHECK(dk(0, c) == 0);
        auto const slope = [&](Matrix<double>& m, Matrix<double> const& got, int r, int c, double known) {
            double const was = m(r, c), h = 1e-5;
            m(r, c) = was + h;
            double const above = loss();
            m(r, c) = was - h;
            double const below = loss();
            m(r, c) = was;
            CHECK(std::abs(got(r, c) + known - (above - below) / (2 * h)) < 1e-7);
        };
        for (int r = before; r < all; r += 23) slope(k, dk, r, r % d, 0), slope(v, dv, r, r % vd, 0);
        for (int r : {ids.front(), ids.back()}) { // the gradient through keys from elsewhere comes on top
            double known = 0;
            int const c = r % d;
            for (int j = 0; j < before; ++j) {
                double const z = score(r, j), w = std::exp(z - log_sum[std::size_t(r)]);
                double product = 0;
                for (int x = 0; x < vd; ++x) product += dout(r, x) * v(j, x);
                known += w * (product - mean[std::size_t(r)]) * (1 - z * z / 16) * 1.5 * k(j, c);
            }
            slope(q, dq, r, c, known);
        }
    }
};
} // namespace

TEST_CASE("attention over a whole block, and the way back") {
    Case(1, 1).check();
    Case(24, 13).check();
    Case(kernels::detail::block_keys + 9, kernels::block_queries + 7).check();
}

TEST_CASE("what a query has from a block does not depend on who else chose it") {
    Case some(64, 1), more(64, 1);
    more = some;
    more.ids = {some.ids[0], 11, 2, 44, 7, 90, 31, 6, 1, 60, 71};
    for (Case* x : {&some, &more}) {
        std::vector<double> room(kernels::block_room<W, double>(Case::d, Case::vd, x->keys));
        for (int i = 0; i < Case::n; ++i)
            for (int c = 0; c < Case::vd; ++c) x->out(i, c) = 1;
        kernels::attend_block<W>(x->head(), x->scores, x->keys, int(x->ids.size()), x->ids.data(),
                                 x->out.data(), x->out.stride, x->log_sum.data(), room.data());
    }
    for (int c = 0; c < Case::vd; ++c) CHECK(some.out(some.ids[0], c) == more.out(some.ids[0], c));
}
