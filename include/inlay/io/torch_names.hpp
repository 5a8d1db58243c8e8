// SPDX-License-Identifier: BSD-3-Clause
// Name maps of PyTorch's modules.
#pragma once

#include <inlay/io/name_map.hpp>

namespace inlay::inline INLAY_ISA {

/// A module of PyTorch by its name in the state_dict, and the place of its block.
struct TorchModule {
    enum Kind : std::uint8_t { layer, convolution };
    std::string theirs; ///< `encoder.attn`
    std::string ours;   ///< `2.1`
    Kind kind = layer;
};

/// The map of a list of modules, all of one kind at places with `{}` on both sides.
///
/// | PyTorch | here |
/// |---|---|
/// | nn.Linear | Dense |
/// | nn.PReLU | PRelu |
/// | nn.Embedding | Embed over tokens, LearnedPosition |
/// | nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d | LayerNorm, RmsNorm, BatchNorm |
/// | nn.MultiheadAttention(D, H, batch_first=True) | SoftmaxAttn<Heads<H>, Bias>, Bidirectional without a
/// mask | | nn.GRU, nn.LSTM of one layer | Gru, Lstm | | nn.Conv1d (a convolution), on a sequence padded on
/// the left | CausalConv1d with Bias |
inline NameMap torch_names(std::vector<TorchModule> const& modules) {
    NameMap map;
    for (auto const& m : modules) {
        auto const both = [&](std::string const& theirs, std::vector<std::string> ours,
                              Stored stored = Stored::alike) {
            for (auto& name : ours) name = m.ours + "." + name;
            map.push_back({m.theirs + "." + theirs, std::move(ours), stored});
        };
        both("weight", {"weight"}, m.kind == TorchModule::convolution ? Stored::reshaped : Stored::alike);
        both("bias", {"bias"});
        both("running_mean", {"running_mean"}), both("running_var", {"running_var"});
        map.push_back({m.theirs + ".num_batches_tracked"});
        for (std::string const kind : {"weight", "bias"}) {
            both("in_proj_" + kind, {"q." + kind, "k." + kind, "v." + kind});
            both("out_proj." + kind, {"o." + kind});
            for (std::string const side : {"_ih", "_hh"}) both(kind + side + "_l0", {kind + side});
        }
    }
    return map;
}

} // namespace inlay::inline INLAY_ISA
