// SPDX-License-Identifier: BSD-3-Clause
// Name maps of recommenders.
#pragma once

#include <inlay/core/record.hpp>
#include <inlay/io/name_map.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {

/// Where a layer of SASRec has its norms.
enum class Norms : std::uint8_t { last, first };

/// SASRec's tensors, as pmixer's SASRec.pytorch names them, D of them wide, for a model of
/// Tokens<maxlen, items + 1> with one block, `Tied<Embed<D>, LearnedPosition, Repeat<Blocks, Layer...>,
/// Norm>`, with `Norm = BasicLayerNorm<Eps<1e-8>>`, `Attention = SoftmaxAttn<Heads<H>, Bias>` and the layers
/// `Residual<Norm, Attention>, Residual<Norm, Dense<D>, Relu, Dense<D>>` where norms are first (norm_first),
/// `Residual<Attention>, Norm, Residual<Dense<D>, Relu, Dense<D>>, Norm` where they are last.
///
/// Theirs multiplies items by sqrt(D) when it reads them, and not when it scores; here the table holds the
/// products, and the last norm is divided. Row 0 of their positions, that of padding, is left out: a full
/// history gives their scores, a shorter one has other positions there, since it is padded in front.
inline NameMap sasrec_names(int width, Norms norms = Norms::last) {
    bool const first = norms == Norms::first;
    std::string const layer = "0.1.{}.", attention = layer + (first ? "0.1." : "0.0."),
                      feed = layer + (first ? "1." : "2."), attention_norm = layer + (first ? "0.0." : "1."),
                      feed_norm = layer + (first ? "1.0." : "3."), one = first ? "1." : "0.",
                      two = first ? "3." : "2.";
    double const root = std::sqrt(double(width));
    NameMap map = {{"item_emb.weight", {"0.embed.weight"}, Stored::alike, 0, root},
                   {"pos_emb.weight", {"0.0.weight"}, Stored::alike, 1}};
    for (std::string const kind : {"weight", "bias"}) {
        Stored const stored = kind == "weight" ? Stored::reshaped : Stored::alike; // a Conv1d of one tap
        map.insert(map.end(), {{"attention_layernorms.{}." + kind, {attention_norm + kind}},
                               {"attention_layers.{}.in_proj_" + kind,
                                {attention + "q." + kind, attention + "k." + kind, attention + "v." + kind}},
                               {"attention_layers.{}.out_proj." + kind, {attention + "o." + kind}},
                               {"forward_layernorms.{}." + kind, {feed_norm + kind}},
                               {"forward_layers.{}.conv1." + kind, {feed + one + kind}, stored},
                               {"forward_layers.{}.conv2." + kind, {feed + two + kind}, stored},
                               {"last_layernorm." + kind, {"0.2." + kind}, Stored::alike, 0, 1 / root}});
    }
    return map;
}

/// DCN-V2's tensors, as FuxiCTR's `DCNv2` with a parallel structure names them, for a model of Rec with the
/// blocks `Embed<D>, Flatten, Concat<Cross<Dcn<L>>, Stack<Dense<H>, Relu, ...>>, Dense<1>`, whose layers
/// stand where those of its MLP_Block do (a BatchNorm, a Dropout). Fields are its features in order; theirs
/// gives a sigmoid of our output.
template <class Rec> NameMap dcn_v2_names() {
    std::string const tables = "embedding_layer.embedding_layer.embedding_layers.";
    NameMap map = {{"parallel_dnn.mlp.{}.num_batches_tracked"}};
    detail::each<std::size_t(Rec::fields)>([&](auto j) {
        using Field = typename Rec::template field<j>;
        std::string const name = Field::name.text;
        NameRule rule{tables + name + ".weight"};
        if constexpr (!detail::RefersToField<Field>) rule.ours = {"0." + name}; // else it is there again
        if constexpr (Field::kind == FieldKind::numeric) rule.stored = Stored::reshaped; // a Linear from 1
        map.push_back(rule);
    });
    for (std::string const kind : {"weight", "bias", "running_mean", "running_var"})
        map.insert(map.end(), {{"crossnet.cross_layers.{}." + kind, {"2.0.{}." + kind}},
                               {"parallel_dnn.mlp.{}." + kind, {"2.1.{}." + kind}},
                               {"fc." + kind, {"3." + kind}}});
    return map;
}

/// The tensors of torchrec's `CrossNet` at `theirs`, for `Cross<Dcn<L>>` at the place `ours`, and of
/// `LowRankCrossNet`, for `Cross<Dcn<L>, Rank<r>>`.
inline NameMap torchrec_cross_names(std::string const& theirs, std::string const& ours) {
    return {{theirs + ".kernels.{}", {ours + ".{}.weight"}},
            {theirs + ".V_kernels.{}", {ours + ".{}.0.weight"}},
            {theirs + ".W_kernels.{}", {ours + ".{}.1.weight"}},
            {theirs + ".bias.{}", {ours + ".{}.bias"}, Stored::reshaped},
            {theirs + ".bias.{}", {ours + ".{}.1.bias"}, Stored::reshaped}};
}
/// The tensors of DeepCTR-Torch's `CrossNet` of matrices and so many layers, which hold all layers, for
/// `Cross<Dcn<L>>`.
inline NameMap deepctr_cross_names(std::string const& theirs, std::string const& ours, int layers) {
    NameMap map = {{theirs + ".kernels", {}, Stored::reshaped}, {theirs + ".bias", {}, Stored::reshaped}};
    for (int l = 0; l < layers; ++l) {
        map[0].ours.push_back(ours + "." + std::to_string(l) + ".weight");
        map[1].ours.push_back(ours + "." + std::to_string(l) + ".bias");
    }
    return map;
}

} // namespace inlay::inline INLAY_ISA
