// SPDX-License-Identifier: BSD-3-Clause
// One model, compiled for several instruction sets: what the program sees of it. No type of inlay crosses
// this line.
#pragma once

struct RankerCalls {
    char const* isa;
    void (*score)(float const* rows, int count, float* scores); ///< rows of 12 numbers
};

extern "C" {
RankerCalls const* ranker_v2() noexcept;
RankerCalls const* ranker_v3() noexcept;
RankerCalls const* ranker_v4() noexcept;
}
