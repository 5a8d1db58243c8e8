// SPDX-License-Identifier: BSD-3-Clause
// Keys in three parts, attended to one by one and merged, are keys attended to at once: forward and back, in
// any grouping.
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>
#include <inlay/kernels/attention/merge.hpp>

#include "matrices.hpp"
#include "spans.hpp"

using namespace inlay;
using matrices::Matrix;

namespace {
constexpr int W = INLAY_VECTOR_BYTES ? INLAY_VECTOR_BYTES / 8 : 1;
constexpr int n = 21, keys = 40, d = 6, p = matrices::padded(d, W);

struct Part {
    Matrix<double> out{n, d, p}, dout{n, d, p}, dq{n, p, p};
    std::vector<double> log_sum = std::vector<double>(n), dlog_sum = log_sum, mean = log_sum;
    Spans<double> spans{n};
    kernels::PartialAttention<double> at() { return {out.data(), out.stride, log_sum.data()}; }
    kernels::PartialAttention<double const> in() { return {out.data(), out.stride, log_sum.data()}; }
    kernels::PartialAttention<double> gradient() { return {dout.data(), dout.stride, dlog_sum.data()}; }
};
struct Case {
    Matrix<double> q = Matrix<double>::random(n, d, p), k = Matrix<double>::random(keys, d, p),
                   v = Matrix<double>::random(keys, d, p), dout = Matrix<double>::random(n, d, p);
    std::vector<double> room = std::vector<double>(kernels::attention_room<W, double>(d, d) +
                                                   kernels::attention_backward_room<W, double>(d, d));
    auto head(Part& part) {
        return kernels::AttentionHead<double>{
            n, d, d, 2.0, q.data(), k.data(), v.data(), q.stride, k.stride, v.stride, part.spans.view()};
    }
    void see(Part& part, int from, int to) {
        for (int i = 0; i < n; ++i) // causal; the first queries see no key of a later part
            part.spans[i] = {0, from, std::min(to, i + keys / 2)};
        for (int r = 0; r < n; ++r) kernels::clear(&part.out(r, 0), p), kernels::clear(&part.dout(r, 0), p);
        kernels::attend<W>(head(part), kernels::Scores<>{}, static_cast<double const*>(nullptr),
                           part.out.data(), part.out.stride, part.log_sum.data(), room.data());
    }
    void back(Part& part, Matrix<double>& dk, Matrix<double>& dv) {
        for (int i = 0; i < n; ++i)
            part.mean[std::size_t(i)] =
                kernels::dot<W>(d, &part.dout(i, 0), &part.out(i, 0)) - part.dlog_sum[std::size_t(i)];
        kernels::attend_backward<kernels::SoftmaxWeights, W>(
            head(part), kernels::Scores<>{}, static_cast<double const*>(part.dout.data()), part.dout.stride,
            static_cast<double const*>(part.log_sum.data()), static_cast<double const*>(part.mean.data()),
            part.dq.data(), dk.data(), dv.data(), room.data());
    }
};
bool close(Matrix<double> const& a, Matrix<double> const& b) {
    for (int r = 0; r < a.rows; ++r)
        for (int c = 0; c < d; ++c)
            if (!(std::abs(a(r, c) - b(r, c)) < 1e-13)) return false;
    return true;
}
} // namespace

TEST_CASE("parts of attention merge") {
    Case c;
    Part all, a, b, z, left, right, whole, other;
    c.see(all, 0, keys);
    c.see(a, 0, 9), c.see(b, 9, 27), c.see(z, 27, keys);
    kernels::merge_attention(n, d, a.in(), b.in(), left.at());
    kernels::merge_attention(n, d, left.in(), z.in(), whole.at());
    kernels::merge_attention(n, d, z.in(), b.in(), right.at());
    kernels::merge_attention(n, d, right.in(), a.in(), other.at());
    CHECK(close(whole.out, all.out));
    CHECK(close(other.out, all.out));
    for (std::size_t i = 0; i < n; ++i) CHECK(whole.log_sum[i] == doctest::Approx(all.log_sum[i]));

    Matrix<double> dk(keys, p, p), dv(keys, p, p), wanted_dk(keys, p, p), wanted_dv(keys, p, p), dq(n, d, d);
    for (auto* m : {&dk, &dv, &wanted_dk, &wanted_dv})
        for (int r = 0; r < keys; ++r) kernels::clear(&(*m)(r, 0), p);
    for (int r = 0; r < n; ++r) std::copy_n(&c.dout(r, 0), d, &all.dout(r, 0));
    c.back(all, wanted_dk, wanted_dv);
    auto const pull = [](Part& part, Part& from, double const* dout, std::ptrdiff_t row, double const* dlog) {
        kernels::pull_merged(n, d, part.in(), from.in(), dout, row, dlog, part.gradient());
    };
    for (int r = 0; r < n; ++r) kernels::clear(&left.dout(r, 0), p);
    pull(left, whole, c.dout.data(), c.dout.stride, nullptr);
    pull(z, whole, c.dout.data(), c.dout.stride, nullptr);
    pull(a, left, left.dout.data(), left.dout.stride, left.dlog_sum.data());
    pull(b, left, left.dout.data(), left.dout.stride, left.dlog_sum.data());
    for (Part* part : {&a, &b, &z}) c.back(*part, dk, dv);
    for (int r = 0; r < n; ++r)
        for (int i = 0; i < d; ++i) dq(r, i) = a.dq(r, i) + b.dq(r, i) + z.dq(r, i);
    CHECK(close(dk, wanted_dk));
    CHECK(close(dv, wanted_dv));
    CHECK(close(dq, all.dq));
}

TEST_CASE("nothing merged with nothing is nothing") {
    double zero[2] = {0, 0}, none = -std::numeric_limits<double>::infinity(), log_sum = 0, dlog_sum = 7;
    double out[2] = {5, 5}, dout[2] = {5, 5};
    kernels::PartialAttention<double const> const empty{zero, 2, &none};
    kernels::merge_attention(1, 2, empty, empty, kernels::PartialAttention<double>{out, 2, &log_sum});
    CHECK((out[0] == 0 && out[1] == 0 && log_sum == none));
    kernels::pull_merged(1, 2, empty, empty, zero, 2, static_cast<double const*>(nullptr),
                         kernels::PartialAttention<double>{dout, 2, &dlog_sum});
    CHECK((dout[0] == 0 && dlog_sum == 0));
}
