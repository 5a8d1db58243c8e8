// SPDX-License-Identifier: BSD-3-Clause
// Attention of one head against sums in double, over every kind of length and of what queries see.
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>

#include "matrices.hpp"
#include "spans.hpp"

using namespace inlay;
using matrices::Matrix;

namespace {

template <class T> constexpr int native = INLAY_VECTOR_BYTES ? INLAY_VECTOR_BYTES / int(sizeof(T)) : 1;

constexpr double never = -std::numeric_limits<double>::infinity();
inline std::vector<double> zeros(int n) { return std::vector<double>(static_cast<std::size_t>(n)); }

/// A head with queries, keys and values in poisoned memory.
template <class T, int W> struct Head {
    int queries, keys, width, value_width, p = matrices::padded(width, W),
                                           vp = matrices::padded(value_width, W);
    Matrix<T> q = Matrix<T>::random(queries, width, p), k = Matrix<T>::random(keys, width, p),
              v = Matrix<T>::random(keys, value_width, vp),
              dout = Matrix<T>::random(queries, value_width, vp);
    Matrix<T> out{queries, value_width, value_width}, dq{queries, p, p}, dk{keys, p, p}, dv{keys, vp, vp};
    Spans<T> spans{queries};
    std::vector<T> log_sum = std::vector<T>(std::size_t(queries)), delta = log_sum;
    T scale = T(1 / std::sqrt(double(width)));
    T const* sink = nullptr;

    Head(int n, int m, int d, int vd) : queries(n), keys(m), width(d), value_width(vd) {}

    double cap = 0;                   // none
    std::vector<double> level, slope; // of each key; the last key is the last query's own

    void run() {
        if (level.empty()) run(kernels::Scores<>{});
        else {
            slope.assign(level.size(), 0.0);
            run(kernels::Scores<kernels::Capped<T>, kernels::Levels>{
                {T(cap)}, {level.data(), keys - queries, slope.data()}});
        }
    }
    template <class S> void run(S const& scores) {
        std::size_t const forward = kernels::attention_room<W, T>(width, value_width),
                          backward = kernels::attention_backward_room<W, T>(width, value_width);
        std::vector<T> room(forward + backward + 1, T(NAN));
        room.back() = T(17);
        kernels::AttentionHead<T> const head{queries,  width,    value_width, scale,    q.data(),    k.data(),
                                             v.data(), q.stride, k.stride,    v.stride, spans.view()};
        kernels::attend<W>(head, scores, sink, out.data(), out.stride, log_sum.data(),
                           room.data() + backward);
        CHECK(room.back() == T(17));
        CHECK(out.keeps_poison());
        for (int i = 0; i < queries; ++i)
            delta[std::size_t(i)] = kernels::dot<W>(value_width, &out(i, 0), &dout(i, 0));
        for (int j = 0; j < keys; ++j) {
            kernels::clear(&dk(j, 0), p);
            kernels::clear(&dv(j, 0), vp);
        }
        kernels::attend_backward<kernels::SoftmaxWeights, W>(head, scores, dout.data(), dout.stride,
                                                             log_sum.data(), delta.data(), dq.data(),
                                                             dk.data(), dv.data(), room.data());
        CHECK((dq.keeps_poison() && dk.keeps_poison() && dv.keeps_poison()));
    }
    bool sees(int i, int j) const { return spans[i].sees(j); }

    double own_level(int i) const { return level[std::size_t(keys - queries + i)]; }

    void check() {
        run();
        constexpr double eps = double(std::numeric_limits<T>::epsilon());
        auto const at = [](auto const& m, int r, int c) { return double(m(r, c)); };
        auto wdk = zeros(keys * width), wdv = zeros(keys * value_width), wslope = zeros(keys);
        double worst = 0, worst_slope = 0;
        auto const near = [&](T got, double wanted, double& w) {
            w = std::isfinite(double(got)) ? std::max(w, std::abs(double(got) - wanted)) : 1e30;
        };
        for (int i = 0; i < queries; ++i) {
            std::vector<double> z(static_cast<std::size_t>(keys), never);
            auto capped = zeros(keys);
            double top = sink ? double(*sink) : never;
            for (int j = 0; j < keys; ++j) {
                if (!sees(i, j)) continue;
                double s = 0;
                for (int c = 0; c < width; ++c) s += at(q, i, c) * at(k, j, c);
                s *= double(scale);
                if (!level.empty()) {
                    capped[std::size_t(j)] = cap * std::tanh(s / cap);
                    s = capped[std::size_t(j)] + own_level(i) - level[std::size_t(j)];
                }
                top = std::max(top, z[std::size_t(j)] = s);
            }
            double total = sink ? std::exp(double(*sink) - top) : 0;
            for (double s : z) total += std::isinf(s) ? 0 : std::exp(s - top);
            double const log_total = total > 0 ? top + std::log(total) : never;
            if (total > 0) near(log_sum[std::size_t(i)], log_total, worst);
            else CHECK(log_sum[std::size_t(i)] == -std::numeric_limits<T>::infinity());
            auto o = zeros(value_width), dqi = zeros(width);
            for (int j = 0; j < keys; ++j)
                for (int c = 0; c < value_width && sees(i, j); ++c)
                    o[std::size_t(c)] += std::exp(z[std::size_t(j)] - log_total) * at(v, j, c);
            double mean = 0;
            for (int c = 0; c < value_width; ++c) {
                near(out(i, c), o[std::size_t(c)], worst);
                mean += o[std::size_t(c)] * at(dout, i, c);
            }
            for (int j = 0; j < keys; ++j) {
                if (!sees(i, j)) continue;
                double const weight = std::exp(z[std::size_t(j)] - log_total);
                double slope_ij = -mean;
                for (int c = 0; c < value_width; ++c) {
                    slope_ij += at(dout, i, c) * at(v, j, c);
                    wdv[std::size_t(j * value_width + c)] += weight * at(dout, i, c);
                }
                if (!level.empty()) {
                    wslope[std::size_t(keys - queries + i)] += weight * slope_ij;
                    wslope[std::size_t(j)] -= weight * slope_ij;
                    slope_ij *= 1 - capped[std::size_t(j)] * capped[std::size_t(j)] / (cap * cap);
                }
                for (int c = 0; c < width; ++c) {
                    dqi[std::size_t(c)] += weight * slope_ij * double(scale) * at(k, j, c);
                    wdk[std::size_t(j * width + c)] += weight * slope_ij * double(scale) * at(q, i, c);
                }
            }
            for (int c = 0; c < p; ++c) near(dq(i, c), c < width ? dqi[std::size_t(c)] : 0, worst_slope);
        }
        for (int j = 0; j < keys; ++j) {
            for (int c = 0; c < p; ++c)
                near(dk(j, c), c < width ? wdk[std::size_t(j * width + c)] : 0, worst_slope);
            for (int c = 0; c < vp; ++c)
                near(dv(j, c), c < value_width ? wdv[std::size_t(j * value_width + c)] : 0, worst_slope);
        }
        for (std::size_t j = 0; j < slope.size(); ++j) near(T(slope[j]), wslope[j], worst_slope);
        double largest = 1; // numbers are below 1, sums of gradients are not
        for (double x : wdv) largest = std::max(largest, std::abs(x));
        for (double x : wdk) largest = std::max(largest, std::abs(x));
        CHECK(worst <= 32 * eps);
        CHECK(worst_slope <= 64 * eps * largest);
    }
};

template <class T, int W> void check_lengths(std::initializer_list<int> lengths) {
    for (int n : lengths)
        for (int window : {1, 7, 1 << 20}) {
            CAPTURE(W);
            CAPTURE(n);
            CAPTURE(window);
            int const old = n % 5; // keys that come before the first query
            Head<T, W> h(n, n + old, 5, 7);
            for (int i = 0; i < n; ++i) {
                int const place = i + old;
                h.spans[i] = {0, std::max(0, place + 1 - window), place + 1};
            }
            h.check();
        }
}

} // namespace

TEST_CASE("attention of causal lengths and windows") {
    auto const some = {1, 2, 7, 15, 16, 17, 31, 33, 63, 64, 65, 100};
    check_lengths<float, native<float>>(some);
    check_lengths<double, native<double>>(some);
    check_lengths<float, 4>({1, 9, 70});
    check_lengths<float, 1>({1, 3, 66});
    check_lengths<float, native<float>>({1000});
}

TEST_CASE("attention whose queries see other keys each") {
    constexpr int W = native<float>;
    Head<float, W> h(70, 150, 9, 4);
    for (int i = 0; i < h.queries; ++i) // any spans; every seventh sees nothing, every fifth all
        h.spans[i] = i % 7 == 3   ? Span{0, 40, 40}
                     : i % 5 == 0 ? Span{0, 0, 150}
                                  : Span{i % 4, (i * 37) % 80, (i * 37) % 80 + i};
    h.check();
    float const sink = 0.5f;
    h.sink = &sink;
    h.check();
}

TEST_CASE("attention over more keys than the second cache holds") {
    Head<double, native<double>> h(70, 500, 120, 100); // backward takes keys in several parts
    for (int i = 0; i < h.queries; ++i) {
        h.spans[i] = i < 25   ? Span{0, 300 + i, 400}
                     : i < 50 ? Span{i % 3, i, 10 * i}
                              : Span{0, 40, 40};      // nothing
        for (int c = 0; c < h.p; ++c) h.dq(i, c) = 3; // is written, not added to
    }
    h.check();
}

TEST_CASE("attention with a cap and levels of keys") {
    constexpr int W = native<float>;
    for (int n : {1, 40, 130}) {
        Head<float, W> h(n, n + 70, 6, 5);
        h.cap = 0.7;
        double sum = 1e4; // far from 0: only differences matter
        for (int j = 0; j < h.keys; ++j) h.level.push_back(sum -= 0.3 * (1 + matrices::draw()));
        for (int i = 0; i < n; ++i) h.spans[i] = {0, i / 2, i + 71};
        h.check();
    }
}

TEST_CASE("attention of scores of ten thousand") {
    constexpr int W = native<float>;
    Head<float, W> h(40, 40, 8, 8);
    for (int i = 0; i < 40; ++i) {
        h.spans[i] = {0, 0, i + 1};
        for (int c = 0; c < 8; ++c) h.q(i, c) *= 1e4f, h.k(i, c) *= 10;
    }
    h.run();
    for (int i = 0; i < 40; ++i)
        for (int c = 0; c < 8; ++c)
            CHECK((std::abs(h.out(i, c)) <= 1 && std::isfinite(h.dq(i, c)) && std::isfinite(h.dk(i, c)) &&
                   std::isfinite(h.dv(i, c))));
}

TEST_CASE("attention: worked numbers") {
    constexpr int W = native<double>;
    Head<double, W> h(3, 3, 2, 2);
    double const q[] = {1, 0, 0, 1, 1, 1}, k[] = {1, 0, 0, 1, .6, .8}, v[] = {1, 2, 3, 4, 5, 6};
    for (int i = 0; i < 3; ++i) {
        h.spans[i] = {0, 0, i + 1};
        for (int c = 0; c < 2; ++c)
            h.q(i, c) = q[2 * i + c], h.k(i, c) = k[2 * i + c], h.v(i, c) = v[2 * i + c], h.dout(i, c) = 1;
    }
    auto const agree = [](Matrix<double> const& got, std::initializer_list<double> wanted) {
        for (int i = 0; i < 6; ++i)
            CHECK(got(i / 2, i % 2) == doctest::Approx(wanted.begin()[i]).epsilon(1e-6));
    };
    h.run();
    agree(h.out, {1, 2, 2.3395231, 3.3395231, 3.1965174, 4.1965174});
    agree(h.dq, {0, 0, -.6255944, .6255944, -.3233606, .7302578});
    agree(h.dk, {-.9337064, -1.5593008, -.0835366, .5420578, 1.017243, 1.017243});
    agree(h.dv, {1.6308189, 1.6308189, .970342, .970342, .3988391, .3988391});
    double const logs[] = {.7071068, 1.1079403, 1.9091467};
    for (int i = 0; i < 3; ++i) CHECK(h.log_sum[std::size_t(i)] == doctest::Approx(logs[i]).epsilon(1e-6));
    double const zero = 0;
    h.sink = &zero;
    h.run();
    agree(h.out, {.6697615, 1.3395231, 1.7587246, 2.5104695, 2.7839213, 3.6548445});
}
