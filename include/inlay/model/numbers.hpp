// SPDX-License-Identifier: BSD-3-Clause
// Parameters from an array in the program: for targets without files.
#pragma once

#include <inlay/core/hash.hpp>
#include <inlay/model/model.hpp>

#include <cstdint>
#include <span>

namespace inlay::inline INLAY_ISA {
namespace detail {

constexpr std::uint64_t path_hash(Path const& at, std::uint64_t h) noexcept {
    if (at.outer) h = path_hash(*at.outer, h);
    for (char const* c = at.name; c && *c; ++c)
        h = xxh_round(h, std::uint64_t(static_cast<unsigned char>(*c)));
    return xxh_round(h, std::uint64_t(at.name ? 256 : 257 + at.index));
}
/// What the parameters of a model are: how many numbers, and a hash of places and shapes.
struct Contents {
    std::uint64_t layout = 0;
    std::size_t count = 0;
};
template <class M, class Params> Contents filling_of(Params& params) noexcept {
    Contents all;
    M::Block::visit(params, Path{}, [&](auto, Path const& at, Kind kind, auto ref) noexcept {
        std::uint64_t const words[] = {path_hash(at, all.layout), std::uint64_t(kind),
                                       std::uint64_t(ref.rows), std::uint64_t(ref.width)};
        all.layout = xxh64_words(words, 4);
        all.count += std::size_t(ref.rows) * std::size_t(ref.width);
    });
    return all;
}
} // namespace detail

/// Fills parameters from the numbers of a header that `save_header` wrote: row by row, tensor by tensor.
/// False where the numbers are of a model with other places or shapes; then nothing is changed. Needs no
/// files, no heap and no exceptions.
template <class M>
bool fill(typename M::Params& params, std::uint64_t layout, std::span<float const> numbers) noexcept {
    auto const own = detail::filling_of<M>(params);
    if (own.layout != layout || own.count != numbers.size()) return false;
    float const* next = numbers.data();
    M::Block::visit(params, Path{}, [&](auto, Path const&, Kind, auto ref) noexcept {
        for (int r = 0; r < ref.rows; ++r)
            for (int c = 0; c < ref.width; ++c) ref(r, c) = typename M::T(*next++);
    });
    return true;
}

} // namespace inlay::inline INLAY_ISA
