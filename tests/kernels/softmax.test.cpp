// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/kernels/softmax.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace inlay;

namespace {

template <class T> constexpr T masked = -std::numeric_limits<T>::infinity();
template <class T> constexpr T poison = std::numeric_limits<T>::quiet_NaN();
constexpr int offset = 1; // rows begin where no vector would

/// m rows of n numbers, unaligned and a few numbers apart; everything between them is NaN.
template <class T> struct Rows {
    int m, n, stride;
    std::vector<T> room;
    Rows(int rows, int width)
        : m(rows), n(width), stride(width + 3), room(std::size_t(offset + rows * (width + 3)), poison<T>) {}
    T* operator[](int r) { return room.data() + offset + r * stride; }
    void fill(std::mt19937& random, double scale) {
        std::normal_distribution<double> normal;
        for (int r = 0; r < m; ++r)
            for (int i = 0; i < n; ++i) (*this)[r][i] = T(scale * normal(random));
    }
    /// What is not part of a row is still NaN.
    bool untouched() {
        for (int r = 0; r < m; ++r)
            for (int i = n; i < stride; ++i)
                if (!std::isnan((*this)[r][i])) return false;
        return std::isnan(room[0]);
    }
};

template <class T> std::vector<double> softmax_of(int n, T const* x, double* log_sum = nullptr) {
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int i = 0; i < n; ++i) top = std::max(top, double(x[i]));
    std::vector<double> y(std::size_t(n), 0.0);
    if (std::isinf(top)) return y;
    for (int i = 0; i < n; ++i) sum += y[std::size_t(i)] = std::exp(double(x[i]) - top);
    for (auto& v : y) v /= sum;
    if (log_sum) *log_sum = top + std::log(sum);
    return y;
}

template <class T, int W> void check_softmax() {
    constexpr double eps = double(std::numeric_limits<T>::epsilon());
    std::mt19937 random(3);
    for (int n = 1; n <= 3 * W + 2; ++n) {
        CAPTURE(W);
        CAPTURE(n);
        Rows<T> x(4, n), y(4, n), dy(4, n), dx(4, n);
        x.fill(random, 3);
        dy.fill(random, 1);
        x[1][n / 2] = masked<T>;
        std::fill_n(x[2], n, masked<T>);
        for (int i = 0; i < n; ++i) x[3][i] += T(1e4); // far from 0: nothing overflows
        kernels::softmax<W>(4, n, x[0], x.stride, y[0], y.stride);
        kernels::softmax_backward<W>(4, n, y[0], y.stride, dy[0], dx[0], dx.stride);
        CHECK(y.untouched());
        CHECK(dx.untouched());
        for (int r = 0; r < 4; ++r) {
            double log_sum = -std::numeric_limits<double>::infinity(), mean = 0;
            auto const expected = softmax_of(n, x[r], &log_sum);
            for (int i = 0; i < n; ++i) {
                CHECK(std::abs(double(y[r][i]) - expected[std::size_t(i)]) <=
                      8 * eps * expected[std::size_t(i)]);
                mean += expected[std::size_t(i)] * double(dy[r][i]);
            }
            for (int i = 0; i < n; ++i) {
                double const d = expected[std::size_t(i)] * (double(dy[r][i]) - mean);
                CHECK(std::abs(double(dx[r][i]) - d) <= 16 * eps * 4 * expected[std::size_t(i)]);
            }
            double const l = double(kernels::log_sum_exp<W>(n, x[r]));
            if (std::isinf(log_sum)) CHECK(l == log_sum);
            else CHECK(std::abs(l - log_sum) <= 8 * eps * (1 + std::abs(log_sum)));
        }
        // In place, and in the place of dy.
        kernels::softmax<W>(4, n, x[0], x.stride, x[0], x.stride);
        kernels::softmax_backward<W>(4, n, y[0], y.stride, dy[0], dy[0], dy.stride);
        for (int r = 0; r < 4; ++r) {
            CHECK(std::equal(x[r], x[r] + n, y[r]));
            CHECK(std::equal(dy[r], dy[r] + n, dx[r]));
        }
        // NaN is not swallowed.
        std::fill_n(x[0], n, masked<T>);
        x[0][n - 1] = poison<T>;
        kernels::softmax<W>(1, n, x[0], x.stride, y[0], y.stride);
        CHECK(std::isnan(y[0][0]));
    }
}

/// Tiles of any size give the softmax of the whole.
template <class T, int W> void check_online() {
    std::mt19937 random(4);
    int const n = 41;
    for (int tile : {1, 3, W, 16, n})
        for (int start_masked : {0, 5, n}) {
            Rows<T> x(1, n);
            x.fill(random, 4);
            std::fill_n(x[0], start_masked, masked<T>);
            double log_sum = -std::numeric_limits<double>::infinity();
            auto const expected = softmax_of(n, x[0], &log_sum);
            kernels::OnlineSoftmax<T> state;
            std::vector<double> y(std::size_t(n), 0.0);
            for (int at = 0; at < n; at += tile) {
                int const some = std::min(tile, n - at);
                T const factor = state.template extend<W>(some, x[0] + at);
                for (int i = 0; i < at; ++i) y[std::size_t(i)] *= double(factor);
                for (int i = at; i < at + some; ++i) y[std::size_t(i)] = double(x[0][i]);
            }
            CHECK(x.untouched());
            if (start_masked == n) CHECK(state.sum == 0);
            else
                CHECK(std::abs(double(state.log_sum_exp()) - log_sum) <
                      16 * double(std::numeric_limits<T>::epsilon()) * 8);
            for (int i = 0; i < n; ++i)
                CHECK(std::abs(y[std::size_t(i)] / (start_masked == n ? 1 : double(state.sum)) -
                               expected[std::size_t(i)]) < 64 * double(std::numeric_limits<T>::epsilon()));
        }
}

template <class T, int W> void check_reductions() {
    std::mt19937 random(5);
    for (int n = 0; n <= 3 * W + 2; ++n) {
        Rows<T> x(1, n);
        x.fill(random, 1);
        double sum = 0, magnitude = 0, top = -std::numeric_limits<double>::infinity();
        for (int i = 0; i < n; ++i) {
            sum += double(x[0][i]);
            magnitude += std::abs(double(x[0][i]));
            top = std::max(top, double(x[0][i]));
        }
        CHECK(double(kernels::max<W>(n, x[0])) == top);
        CHECK(std::abs(double(kernels::sum<W>(n, x[0])) - sum) <=
              8 * double(std::numeric_limits<T>::epsilon()) * magnitude);
    }
    // By halves, whatever the machine: the same numbers give the same bits.
    Rows<T> x(1, W);
    x.fill(random, 1);
    std::vector<T> half(x[0], x[0] + W), top(half);
    for (int h = W / 2; h > 0; h /= 2)
        for (int i = 0; i < h; ++i) {
            half[std::size_t(i)] += half[std::size_t(i + h)];
            top[std::size_t(i)] = std::max(top[std::size_t(i)], top[std::size_t(i + h)]);
        }
    CHECK(simd::sum(simd::vec<T, W>::load(x[0])) == half[0]);
    CHECK(simd::max(simd::vec<T, W>::load(x[0])) == top[0]);
}

/// Masked tails touch nothing else.
template <class T, int W> void check_tails() {
    using V = simd::vec<T, W>;
    for (int n = 0; n <= W; ++n) {
        std::vector<T> const from(std::size_t(n), T(2)); // a sanitizer sees a read past it
        constexpr std::size_t room = W;
        std::vector<T> to(room, T(7)), all(to);
        V const v = V::load_first(from.data(), n);
        v.store(all.data());
        (v + V(T(1))).store_first(to.data(), n);
        for (int i = 0; i < W; ++i) {
            CHECK(all[std::size_t(i)] == (i < n ? T(2) : T(0)));
            CHECK(to[std::size_t(i)] == (i < n ? T(3) : T(7)));
        }
    }
}

template <class T, int... W> void check_all(std::integer_sequence<int, W...>) {
    (check_softmax<T, W>(), ...);
    (check_online<T, W>(), ...);
    (check_reductions<T, W>(), ...);
    (check_tails<T, W>(), ...);
}

} // namespace

TEST_CASE("softmax, its tiles, reductions and tails are right at every width") {
    check_all<float>(std::integer_sequence<int, 1, 4, 8, 16>{});
    check_all<double>(std::integer_sequence<int, 1, 2, 4, 8>{});
}
