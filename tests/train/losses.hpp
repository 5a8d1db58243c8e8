// SPDX-License-Identifier: BSD-3-Clause
// A loss over a batch, through the functions that the trainer calls, and what it is held to.
#pragma once

#include <allocation.hpp>

#include <inlay/io/safetensors.hpp>
#include <inlay/train/loss/losses.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace losses {

using namespace inlay;

constexpr float none = std::numeric_limits<float>::quiet_NaN();
using R = Real<double, 4>;

inline std::vector<double> tensor(std::string const& file, char const* name) {
    auto const read = Safetensors::read("tests/vectors/" + file + ".safetensors");
    auto const* info = read.find(name);
    REQUIRE(info);
    std::vector<double> values(info->count());
    read_scalars(*info, values.data());
    return values;
}
inline std::vector<float> floats(std::vector<double> const& x) { return {x.begin(), x.end()}; }

/// The mean loss over a batch and its gradient.
template <class Loss, class S> struct Mean {
    double value = 0, total = 0;
    std::vector<std::vector<double>> gradient; // of each token of each row
    bool clean = true;                         // pads and what lies past an end are zero

    Mean(std::vector<double> const& logits, std::vector<float> const& target,
         std::vector<float> const& weight = {}, std::vector<std::int32_t> const& length = {},
         Context<> c = {}) {
        static_assert(std::is_same_v<LossFit<Loss, S>, Fits>);
        c.rows = int(logits.size()) / (S::rows * S::width);
        int const rows = c.rows;
        constexpr int stride = detail::row_stride<R>(S::width);
        std::vector<double> y(std::size_t(rows * S::rows * stride), 3), dy(y.size(), 7);
        std::vector<double> room(detail::loss_scratch<Loss, In<S, R>>(rows) / 8);
        Lengths lengths;
        if (!length.empty()) lengths = {length.data(), std::ptrdiff_t(sizeof(std::int32_t))};
        Out<S, R> const out{y.data(), lengths}, dout{dy.data(), lengths};
        for (int b = 0; b < rows; ++b)
            for (int t = 0; t < S::rows; ++t)
                for (int i = 0; i < S::width; ++i)
                    out(b, t)[i] = logits[std::size_t((b * S::rows + t) * S::width + i)];
        Targets const targets{target.data(), int(target.size()) / rows,
                              weight.empty() ? nullptr : weight.data()};
        REQUIRE(targets.each_row == Loss::targets(S::width) * S::rows);
        CHECK(detail::impossible_target<Loss>(target.data(), std::ptrdiff_t(target.size()), S::width) == -1);
        total = detail::total_weight<Loss>(In<S, R>(out), rows, targets);
        auto const before = detail::laws::allocations ? detail::laws::allocations() : 0;
        value = detail::loss_of<Loss>(c, In<S, R>(out), targets, total > 0 ? 1 / total : 0, dout,
                                      Scratch{reinterpret_cast<std::byte*>(room.data())});
        CHECK((detail::laws::allocations ? detail::laws::allocations() : 0) == before);
        for (int b = 0; b < rows; ++b)
            for (int t = 0; t < S::rows; ++t) {
                gradient.emplace_back(dout(b, t), dout(b, t) + S::width);
                for (int i = t < out.length(b) ? S::width : 0; i < stride; ++i)
                    clean = clean && dout(b, t)[i] == 0;
            }
    }
};

template <class M>
void check_gradient(M const& mean, std::vector<double> const& expected, double off = 1e-15) {
    std::size_t at = 0;
    for (auto const& row : mean.gradient)
        for (double const g : row) CHECK(std::abs(g - expected.at(at++)) < off);
    CHECK(at == expected.size());
    CHECK(mean.clean);
}

/// The gradient is the derivative of the value.
template <class Loss, class S>
void check_derivative(std::vector<double> x, std::vector<float> const& target,
                      std::vector<float> const& weight = {}, Context<> const& c = {}) {
    Mean<Loss, S> const here(x, target, weight, {}, c);
    std::vector<double> slopes;
    for (double& z : x) {
        double const was = z, h = 1e-6;
        z = was + h;
        double const above = Mean<Loss, S>(x, target, weight, {}, c).value;
        z = was - h;
        slopes.push_back((above - Mean<Loss, S>(x, target, weight, {}, c).value) / (2 * h));
        z = was;
    }
    double largest = 0;
    for (double const s : slopes) largest = std::max(largest, std::abs(s));
    CHECK(largest > 1e-5);
    check_gradient(here, slopes, 1e-6 * largest + 1e-9);
}

/// n numbers in (-3, 3) that no formula could expect.
inline std::vector<double> draw(std::size_t n, std::uint64_t seed) {
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i) x.push_back(6 * Key{seed}.uniform(i) - 3);
    return x;
}

} // namespace losses
