// SPDX-License-Identifier: BSD-3-Clause
// What a memory that learns is made of, and the tokens that it meets.
#pragma once

#include <inlay/simd/vec.hpp>

#include <algorithm>

namespace inlay::inline INLAY_ISA {
namespace kernels {

inline constexpr int most_memory_layers = 4;
inline constexpr double memory_norm_eps = 1e-5;

enum class MemoryRead : unsigned char { post, pre, previous_chunk };

/// The layers of a memory: `width[0]` numbers of a key to `width[layers]` of a value; rows are padded to
/// whole vectors, and layers lie one behind the other.
struct MemoryForm {
    int layers = 1;
    int width[std::size_t(most_memory_layers) + 1]{}, row[std::size_t(most_memory_layers) + 1]{};
    MemoryRead read = MemoryRead::post;
    bool residual = false;    ///< M(k) = k + f(k)
    bool norm = false;        ///< with residual: M(k) = k + LayerNorm(f(k))
    bool first_order = false; ///< backward takes gradients for independent of the memory that they are of
    double loss_scale = 1;    ///< c
    double limit = 0;         ///< gradients of norm n are divided by sqrt(1 + n^2 / limit^2); 0: none

    constexpr int numbers(int below) const { ///< of the layers below layer `below`, of all for `layers`
        int sum = 0;
        for (int l = 0; l < below; ++l) sum += width[l] * row[l + 1];
        return sum;
    }
    constexpr int numbers() const { return numbers(layers); }
    constexpr int widest() const {
        int most = 0;
        for (int l = 0; l <= layers; ++l) most = std::max(most, row[l]);
        return most;
    }
};

/// Tokens of a head; rows are padded to whole vectors with zeros, and lie one behind the other.
template <class T> struct MemoryChunk {
    MemoryForm form;
    int tokens;
    T const *q = nullptr, *k = nullptr, *v = nullptr;
    T const *alpha = nullptr, *eta = nullptr; ///< one a token; null: 0
    T const* theta = nullptr;                 ///< one a token
    T const* first = nullptr;                 ///< the memory at the start of the chunk that the tokens are of
    T const *weight = nullptr, *bias = nullptr; ///< of the norm, where there is one
};

} // namespace kernels
} // namespace inlay::inline INLAY_ISA
