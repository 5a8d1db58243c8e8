// SPDX-License-Identifier: BSD-3-Clause
// Rows picked from a data set, laid out as a model reads them.
#pragma once

#include <inlay/core/rows.hpp>
#include <inlay/model/workspace.hpp>
#include <inlay/train/loss.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Room for B rows of an input and their targets; `load` copies rows of a data set by index.
template <class Input, class R, int B> class Staging;

template <class R, int B, class... F> class Staging<Record<F...>, R, B> {
public:
    using Input = Record<F...>;
    using Data = Rows<Input>;
    explicit Staging(int targets)
        : row_(std::size_t(B)), target_(std::size_t(B * targets)), weight_(std::size_t(B)) {}

    static int targets_of(Data const& d) { return d.size() ? int(d.target.size() / d.size()) : 1; }
    void load(Data const& d, std::uint32_t const* index, int n) noexcept {
        int const each = targets_of(d);
        for (int b = 0; b < n; ++b) {
            row_[std::size_t(b)] = d.row[index[b]];
            std::copy_n(d.target.data() + std::ptrdiff_t(index[b]) * each, each, target_.data() + b * each);
            weight_[std::size_t(b)] = d.weight.empty() ? 1.0f : d.weight[index[b]];
        }
        each_row_ = each;
    }
    In<Input, R> input() const noexcept { return {row_.data()}; }
    Targets targets() const noexcept { return {target_.data(), each_row_, weight_.data()}; }

private:
    std::vector<typename Input::Row> row_;
    std::vector<float> target_, weight_;
    int each_row_ = 1;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
