// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/kernels/gather.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

using namespace inlay;

namespace {

struct Bags {
    std::vector<std::vector<std::int32_t>> ids;
    std::int32_t const* operator()(int b) const noexcept { return ids[std::size_t(b)].data(); }
    int length(int b) const noexcept { return int(ids[std::size_t(b)].size()); }
};

template <class T, int W> void check() {
    constexpr T poison = std::numeric_limits<T>::quiet_NaN();
    constexpr int rows = 50;
    constexpr double eps = double(std::numeric_limits<T>::epsilon());
    std::mt19937 random(7);
    for (int d : {1, 2, 3, W - 1, W, W + 1, 4 * W, 5 * W + 1}) {
        if (d < 1) continue;
        CAPTURE(W);
        CAPTURE(d);
        // The table's last row ends its allocation, and rows are as far apart as they are long: unaligned.
        std::vector<T> table(std::size_t(rows * d));
        for (auto& v : table) v = T(double(random() % 1000) / 500 - 1);
        int const stride = (d + W - 1) / W * W;

        // More ids than the distance, some bags empty, the first and the last among them.
        Bags bags;
        for (int n : {0, 3, 0, 0, 70, 1, 200, 5, 0}) {
            bags.ids.emplace_back();
            for (int i = 0; i < n; ++i) bags.ids.back().push_back(std::int32_t(random() % rows));
        }
        int const count = int(bags.ids.size());
        std::vector<T> y(std::size_t(count * stride), poison), total(y);
        kernels::pool_rows<W, true>(count, bags, table.data(), d, d, y.data(), stride);
        kernels::pool_rows<W, false>(count, bags, table.data(), d, d, total.data(), stride);
        for (int b = 0; b < count; ++b)
            for (int i = 0; i < stride; ++i) {
                double sum = 0, magnitude = 0;
                for (auto const id : bags.ids[std::size_t(b)])
                    if (i < d) {
                        sum += double(table[std::size_t(id * d + i)]);
                        magnitude += std::abs(double(table[std::size_t(id * d + i)]));
                    }
                double const n = std::max(1, bags.length(b));
                std::size_t const at = std::size_t(b * stride + i);
                CHECK(std::abs(double(total[at]) - sum) <= 64 * eps * magnitude);
                CHECK(std::abs(double(y[at]) - sum / n) <= 64 * eps * magnitude / n);
            }

        auto const& ids = bags.ids[6];
        int const n = int(ids.size());
        std::vector<T> out(std::size_t(n * stride), poison);
        kernels::gather(n, ids.data(), table.data(), d, d, out.data(), stride);
        for (int k = 0; k < n; ++k)
            for (int i = 0; i < stride; ++i)
                CHECK(out[std::size_t(k * stride + i)] ==
                      (i < d ? table[std::size_t(ids[std::size_t(k)] * d + i)] : T(0)));

        // Small whole numbers: the sums are exact in any order.
        std::vector<T> grads(std::size_t(n * stride), poison), sums(table.size(), T(1)), expected(sums);
        for (int k = 0; k < n; ++k)
            for (int i = 0; i < d; ++i) {
                grads[std::size_t(k * stride + i)] = T(int(random() % 9) - 4);
                expected[std::size_t(ids[std::size_t(k)] * d + i)] += 2 * grads[std::size_t(k * stride + i)];
            }
        kernels::scatter_add<W>(n, ids.data(), T(2), grads.data(), stride, d, sums.data(), d);
        CHECK(sums == expected);
    }
}

} // namespace

TEST_CASE("rows are gathered, pooled and added to at every width") {
    check<float, 1>();
    check<float, 4>();
    check<float, 8>();
    check<float, 16>();
    check<double, 1>();
    check<double, 2>();
    check<double, 4>();
    check<double, 8>();
}
