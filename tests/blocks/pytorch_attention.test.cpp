// SPDX-License-Identifier: BSD-3-Clause
// Attention against PyTorch's operations and autograd in float64 (tests/vectors/make_attention_vectors.py).
#include "every_four.hpp"
#include "pytorch.hpp"

using namespace pytorch;

namespace {
template <class Spec> void attends(char const* name) {
    CAPTURE(name);
    static auto const file = vectors("attention");
    std::string const at = std::string(name) + ".";
    Call c;
    c.x = numbers(file, at + "x");
    compare(bind<Spec, Sequence<9, 8>, NativeDouble, 1>(), file, c, at);
}
} // namespace

TEST_CASE("attention agrees with PyTorch") {
    attends<SoftmaxAttn<Heads<2>>>("plain");
    attends<SoftmaxAttn<Heads<4>, KvHeads<2>, QkvBias, Rope<>>>("grouped");
    attends<SoftmaxAttn<Heads<2>, Bias, Rope<100, Interleaved, Rotates<2>>, Bidirectional>>("neighbours");
    attends<SoftmaxAttn<Heads<2>, KvHeads<1>, Window<3>, Sinks<1>, OffByOne>>("window");
    attends<SoftmaxAttn<Heads<2>, Alibi, QkNorm, Softcap<3>, SinkLogit>>("slopes");
    attends<SoftmaxAttn<Heads<4>, LearnedAlibi, QkUnit, OutputGate<Headwise>>>("learned_slopes");
    attends<SoftmaxAttn<Heads<2>, SinkKeys<2>, OutputGate<Elementwise>>>("sink_keys");
    attends<SoftmaxAttn<Heads<2>, Forgetting, Sparsemax>>("forgetting");
    attends<SoftmaxAttn<Heads<2>, KvHeads<1>, Entmax15>>("entmax15");
    attends<SoftmaxAttn<Heads<2>, KvHeads<1>, Differential>>("differential");
    attends<SoftmaxAttn<Heads<2>, Selective>>("selective");
    attends<Let<"document", test::EveryFour, SoftmaxAttn<Heads<2>, Documents<"document">>>>("documents");
    attends<SoftmaxAttn<Heads<2>, ScoredBy<Approximate>>>("series");
    attends<SoftmaxAttn<Heads<2>, KvHeads<1>, ScoredBy<NonApproximate>>>("keys_alone");
}
