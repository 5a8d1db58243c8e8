// SPDX-License-Identifier: BSD-3-Clause
// onnx_attention FOLDER: policies of attention and patterns of keys as ONNX.
#include "onnx_write.hpp"

int main(int, char** argv) {
    std::string const folder = argv[1];
    using Seen = Record<History<"seen", 9, Ids<13>>>;
    using In = Sequence<9, 8>;
    write<Model<In, LayerNorm,
                Concat<SoftmaxAttn<Heads<2>, QkNorm, Softcap<2>, OffByOne, OutputGate<Headwise>>,
                       SoftmaxAttn<Heads<4>, KvHeads<2>, QkUnit, SinkLogit, OutputGate<Elementwise>, Rope<>>>,
                LayerNorm, Dense<8>,
                Concat<SoftmaxAttn<Heads<2>, Alibi, Forgetting>, SoftmaxAttn<Heads<2>, LearnedAlibi>,
                       SoftmaxAttn<Heads<2>, Prefix<3>, BlockWindow<2, 1>>>>>(folder, "policies");
    write<Model<In, LayerNorm,
                Concat<SparseAttn<Heads<2>, LocalTokens<3>, GlobalTokens<1>>,
                       SparseAttn<Heads<2>, Strided<3>>, SparseAttn<Heads<2>, Strided<3>, GlobalTokens<2>>>,
                LayerNorm, Dense<8>,
                Concat<SparseAttn<Heads<2>, Dilated<3, 2>, Rope<>>,
                       SparseAttn<Heads<2>, Column<3, 1>, GlobalTokens<1>>,
                       SparseAttn<Heads<2>, Column<4, 2>, Bidirectional>>>>(folder, "patterns");
    write<Model<
        Seen, Select<"seen">, Embed<8>, LayerNorm,
        Concat<SparseAttn<Heads<4>, KvHeads<2>, TopBlocks<2, 2>, Rope<>>, SparseAttn<Heads<2>, Quest<1, 2>>>,
        LayerNorm, Dense<8>, Concat<SparseAttn<Heads<2>, TopTokens<3>>, SparseAttn<Heads<2>, HardSelect<3>>>,
        Flatten>>(folder, "choices");
}
