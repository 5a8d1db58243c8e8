// SPDX-License-Identifier: BSD-3-Clause
// from_pytorch MODEL ANSWERS: serves what train.py trained in PyTorch, and gives the weights back by
// PyTorch's names.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>

using namespace inlay;

using Net = Model<Tokens<12, 20>, Embed<8>, CausalConv1d<3, Bias>,
                  Residual<LayerNorm, SoftmaxAttn<Heads<2>, Bias>>, Lstm<8>, Last, Dense<2>>;

// A module of PyTorch, and where it is here.
static NameMap const names = torch_names({{"embed", "0"},
                                          {"conv", "1", TorchModule::convolution},
                                          {"norm", "2.0"},
                                          {"attn", "2.1"},
                                          {"rnn", "3"},
                                          {"head", "5"}});

int main(int argc, char** argv) {
    if (argc != 3) return std::fputs("usage: from_pytorch MODEL ANSWERS\n", stderr), 2;
    auto net = Network<Net>(Seed{0});
    load(net, argv[1], names);

    auto const answers = Safetensors::read(argv[2]);
    auto const& theirs = *answers.find("ids");
    auto const& logits = *answers.find("logits");
    constexpr int rows = 16;
    std::int32_t ids[rows * 12];
    for (int i = 0; i < rows * 12; ++i) {
        std::int64_t id;
        std::memcpy(&id, theirs.bytes.data() + i * 8, 8);
        ids[i] = std::int32_t(id);
    }
    float wanted[rows][2];
    read_scalars(logits, wanted[0]);

    Workspace<Net, Batch<rows>> workspace;
    auto const y = net.infer(ids, workspace);
    double worst = 0;
    for (int b = 0; b < rows; ++b)
        for (int i = 0; i < 2; ++i) worst = std::max(worst, std::abs(double(y(b)[i]) - double(wanted[b][i])));
    std::printf("%d rows: within %.1e of PyTorch\n", rows, worst);

    // The way back: the same tensors under the same names, bit for bit.
    save_as(net, "to_pytorch.safetensors", names);
    auto const before = Safetensors::read(argv[1]), after = Safetensors::read("to_pytorch.safetensors");
    std::filesystem::remove("to_pytorch.safetensors");
    bool same = before.tensors().size() == after.tensors().size();
    for (auto const& t : before.tensors()) {
        auto const* found = after.find(t.name);
        same = same && found && std::ranges::equal(found->bytes, t.bytes);
    }
    std::printf("given back under PyTorch's names: %s\n", same ? "the same" : "something else");
    return worst < 1e-5 && same ? 0 : 1;
}
