// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {

/// Rows of numbers, `Rows<Shape<D>>` or `Rows<Shape<T, D>>`, with a fixed number of targets each; a sequence
/// may have a length each (all T where `length` is empty), and a row a weight each. Numbers and targets lie
/// row by row, without pads: row i of a sequence is T x D numbers, whatever its length; those past it are not
/// read.
template <int... N> class Rows<Shape<N...>> {
public:
    using Input = Shape<N...>;
    static constexpr std::size_t numbers = std::size_t(Input::rows) * std::size_t(Input::width);
    std::vector<float> input{};
    std::vector<std::int32_t> length{};
    std::vector<float> target{};
    std::vector<float> weight{};

    std::size_t size() const noexcept { return input.size() / numbers; }
    std::span<float const> operator[](std::size_t i) const noexcept {
        return {input.data() + i * numbers, numbers};
    }
    /// Targets of each row.
    int targets() const noexcept { return size() ? int(target.size() / size()) : 1; }
    int length_of(std::size_t i) const noexcept { return length.empty() ? Input::rows : length[i]; }

    /// Throws Error where input, lengths, targets or weights do not go together.
    void check() const {
        if (input.size() % numbers != 0)
            detail::fail(Error("", "Rows::input", detail::joined("a multiple of ", numbers, " numbers"),
                               std::to_string(input.size())));
        detail::check_rows(size(), target, weight);
        if (!length.empty() && (sizeof...(N) == 1 || length.size() != size()))
            detail::fail(Error("", "Rows::length",
                               sizeof...(N) == 1
                                   ? std::string("none for vectors")
                                   : detail::joined("none, or one for each of ", size(), " rows"),
                               std::to_string(length.size())));
        for (std::size_t i = 0; i < length.size(); ++i)
            if (length[i] < 0 || length[i] > Input::rows)
                detail::fail(Error("", detail::joined("Rows::length, row ", i),
                                   detail::joined("0 to ", Input::rows), std::to_string(length[i])));
    }

    /// Two parts: the second holds a share of the rows drawn by the seed, the first the others, both in
    /// order.
    std::pair<Rows, Rows> split(double share, Seed seed) const {
        std::pair<Rows, Rows> parts;
        Key const key{seed.value};
        for (std::size_t i = 0; i < size(); ++i) {
            Rows& part = key.uniform(i) < share ? parts.second : parts.first;
            detail::append_row(part.input, input, i, numbers);
            detail::append_row(part.target, target, i, std::size_t(targets()));
            if (!length.empty()) part.length.push_back(length[i]);
            if (!weight.empty()) part.weight.push_back(weight[i]);
        }
        return parts;
    }

    /// n rows of numbers and targets from N(0, 1); sequences of 1 to T.
    static Rows random(std::size_t n, Seed seed, int targets = 1) {
        Rows r;
        Key const key{seed.value};
        auto const fill = [&](std::vector<float>& v, std::size_t count, std::uint64_t what) {
            for (std::size_t i = 0; i < count; ++i) v.push_back(float(key.normal(i, what)));
        };
        fill(r.input, n * numbers, 0);
        fill(r.target, n * std::size_t(targets), 1);
        if constexpr (sizeof...(N) == 2)
            for (std::size_t i = 0; i < n; ++i)
                r.length.push_back(1 + std::int32_t(key.below(std::uint64_t(Input::rows), i, 2)));
        return r;
    }
};

} // namespace inlay::inline INLAY_ISA
