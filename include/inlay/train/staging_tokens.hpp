// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows_tokens.hpp>
#include <inlay/train/staging.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Windows of a text. Past a window's end there are zeros, and targets that every loss ignores.
template <class R, int B, int T, int V> class Staging<Tokens<T, V>, R, B> {
    static_assert(V <= 1 << 24, "inlay: a target is a float, which holds whole numbers up to 2^24");

public:
    using Input = Tokens<T, V>;
    using Data = Rows<Input>;
    explicit Staging(int) : id_(std::size_t(B) * T), length_(std::size_t(B)), target_(std::size_t(B) * T) {}

    void load(Data const& d, std::uint32_t const* index, int n) noexcept {
        for (int b = 0; b < n; ++b) {
            auto const window = d[index[b]];
            auto const at = std::ptrdiff_t(b) * T, length = std::ptrdiff_t(window.size());
            length_[std::size_t(b)] = std::int32_t(length);
            for (std::ptrdiff_t t = 0; t < T; ++t) {
                id_[std::size_t(at + t)] = t < length ? window.data()[t] : 0;
                target_[std::size_t(at + t)] = t < length ? float(window.data()[t + 1]) : nan;
            }
        }
    }
    In<Input, R> input() const noexcept {
        constexpr auto each = std::ptrdiff_t(sizeof(std::int32_t));
        return {id_.data(), each * T, {length_.data(), each}};
    }
    Targets targets() const noexcept { return {target_.data(), T, nullptr}; }

private:
    static constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<std::int32_t> id_, length_;
    std::vector<float> target_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
