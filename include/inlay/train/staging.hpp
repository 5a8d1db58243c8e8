// SPDX-License-Identifier: BSD-3-Clause
// Rows picked from a data set, laid out as a model reads them. Numbers: staging_numbers.hpp; texts:
// staging_tokens.hpp.
#pragma once

#include <inlay/core/rows.hpp>
#include <inlay/model/workspace.hpp>
#include <inlay/train/loss.hpp>

#include <limits>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Targets and weights of B rows.
class StagedTargets {
public:
    StagedTargets(int rows, int each)
        : each_(each), target_(std::size_t(rows) * std::size_t(each)), weight_(std::size_t(rows)) {}

    /// Row i of the data becomes row b; the data has as many targets a row as there is room for.
    template <class Data> void load(Data const& d, std::size_t i, int b) noexcept {
        put(b, d.target.data() + i * std::size_t(each_), d.weight.empty() ? 1.0f : d.weight[i]);
    }
    void put(int b, float const* target, float weight) noexcept {
        std::copy_n(target, each_, target_.data() + std::ptrdiff_t(b) * each_);
        weight_[std::size_t(b)] = weight;
    }
    Targets view() const noexcept { return {target_.data(), each_, weight_.data()}; }

private:
    int each_;
    std::vector<float> target_, weight_;
};

/// Room for B rows of an input and `targets` targets each; `load` copies rows of a data set by index, and
/// `put` one row that is in no data set.
template <class Input, class R, int B> class Staging;

template <class R, int B, class... F> class Staging<Record<F...>, R, B> {
public:
    using Input = Record<F...>;
    using Data = Rows<Input>;
    explicit Staging(int targets) : row_(std::size_t(B)), targets_(B, targets) {}

    void load(Data const& d, std::uint32_t const* index, int n) noexcept {
        for (int b = 0; b < n; ++b) {
            row_[std::size_t(b)] = d.row[index[b]];
            targets_.load(d, index[b], b);
        }
    }
    void put(typename Input::Row const& row, float const* target, float weight) noexcept {
        row_[0] = row;
        targets_.put(0, target, weight);
    }
    In<Input, R> input() const noexcept { return {row_.data()}; }
    Targets targets() const noexcept { return targets_.view(); }

private:
    std::vector<typename Input::Row> row_;
    StagedTargets targets_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
