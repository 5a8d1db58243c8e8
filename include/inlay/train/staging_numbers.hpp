// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows_numbers.hpp>
#include <inlay/train/staging.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Numbers with rows padded to whole vectors, pads and what lies past a sequence's end zero.
template <class R, int B, int... N> class Staging<Shape<N...>, R, B> {
public:
    using Input = Shape<N...>;
    using Data = Rows<Input>;
    using T = typename R::type;
    explicit Staging(int targets)
        : input_(aligned_bytes(bytes<Input, R>(B))), length_(std::size_t(B)), targets_(B, targets) {}

    void load(Data const& d, std::uint32_t const* index, int n) noexcept {
        for (int b = 0; b < n; ++b) {
            put(b, d[index[b]], d.length_of(index[b]));
            targets_.load(d, index[b], b);
        }
    }
    void put(std::span<float const> numbers, float const* target, float weight) noexcept {
        put(0, numbers, Input::rows);
        targets_.put(0, target, weight);
    }
    In<Input, R> input() const noexcept {
        Lengths lengths;
        if constexpr (sizeof...(N) == 2) lengths = {length_.data(), std::ptrdiff_t(sizeof(std::int32_t))};
        return view_at<Input, R>(input_.get(), lengths);
    }
    Targets targets() const noexcept { return targets_.view(); }

private:
    void put(int b, std::span<float const> numbers, int length) noexcept {
        auto const x = view_at<Input, R>(input_.get(), {});
        for (int t = 0; t < Input::rows; ++t) {
            float const* from = numbers.data() + std::ptrdiff_t(t) * Input::width;
            T* to = x(b, t);
            for (int c = 0; c < Input::width; ++c) to[c] = t < length ? T(from[c]) : T(0);
        }
        length_[std::size_t(b)] = length;
    }
    AlignedBytes input_;
    std::vector<std::int32_t> length_;
    StagedTargets targets_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
