// SPDX-License-Identifier: BSD-3-Clause
// Streams of attention longer than what they keep. All else is in the laws.
#include "long_stream.hpp"

using namespace inlay;
using test::long_stream;

TEST_CASE("a stream of attention forgets the oldest") {
    long_stream<SoftmaxAttn<Heads<2>, KvHeads<1>, Rope<>>, 5, 12>(
        {.heads = 2, .kv_heads = 1, .mask = {.window = 5}, .rope = {.base = 10'000}});
    long_stream<SoftmaxAttn<Heads<2>, Window<7>>, 4, 6>({.heads = 2, .mask = {.window = 7}});
    long_stream<SoftmaxAttn<Window<1>>, 4, 6>({.mask = {.window = 1}});
}
TEST_CASE("a stream of attention keeps its sinks") {
    long_stream<SoftmaxAttn<Heads<2>, Window<3>, Sinks<2>, Rope<>>, 4, 8>(
        {.heads = 2, .mask = {.window = 3, .sinks = 2}, .rope = {.base = 10'000}});
    long_stream<SoftmaxAttn<Sinks<3>>, 4, 5>({.mask = {.window = 4, .sinks = 3}});
}
TEST_CASE("a stream of attention knows distances across what it forgot") {
    long_stream<SoftmaxAttn<Heads<3>, Window<3>, Sinks<2>, Alibi>, 4, 6>(
        {.heads = 3, .mask = {.window = 3, .sinks = 2}, .alibi = reference::Alibi::fixed});
    long_stream<SoftmaxAttn<Heads<2>, BlockWindow<3, 1>, Sinks<1>, Forgetting>, 5, 6>(
        {.heads = 2, .mask = {.sinks = 1, .block = 3, .segments = 1}, .forgetting = true});
}
TEST_CASE("a stream of attention moves from block to block") {
    long_stream<SoftmaxAttn<BlockWindow<3, 2>, Sinks<1>>, 4, 5>(
        {.mask = {.sinks = 1, .block = 3, .segments = 2}});
    long_stream<SoftmaxAttn<BlockWindow<4, 0>>, 6, 5>({.mask = {.block = 4, .segments = 0}});
}
