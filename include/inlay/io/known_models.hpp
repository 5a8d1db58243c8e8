// SPDX-License-Identifier: BSD-3-Clause
// Name maps of well-known models.
#pragma once

#include <inlay/io/name_map.hpp>

namespace inlay::inline INLAY_ISA {

/// GPT-2's tensors, as `transformers` names them behind `prefix` (`transformer.` in some files), for a model
/// of Tokens<T, V> with one block,
/// `Tied<Embed<D>, LearnedPosition, Repeat<Layers, Attention, Feed>, LayerNorm>`, with
/// `Attention = Residual<LayerNorm, SoftmaxAttn<Heads<H>, Bias>>` and
/// `Feed = Residual<LayerNorm, Dense<4 * D>, GeluTanh, Dense<D>>`. T is the file's number of positions.
inline NameMap gpt2_names(std::string const& prefix = "") {
    std::string const layer = prefix + "h.{}.", attention = "0.1.{}.0.1.", feed = "0.1.{}.1.";
    NameMap map = {{prefix + "wte.weight", {"0.embed.weight"}},
                   {prefix + "wpe.weight", {"0.0.weight"}},
                   {prefix + "ln_f.weight", {"0.2.weight"}},
                   {prefix + "ln_f.bias", {"0.2.bias"}},
                   {layer + "attn.bias"}, // masks of what is ahead
                   {layer + "attn.masked_bias"},
                   {"lm_head.weight"}}; // wte again
    for (std::string const kind : {"weight", "bias"}) {
        Stored const stored = kind == "weight" ? Stored::transposed : Stored::alike;
        map.insert(map.end(), {{layer + "ln_1." + kind, {"0.1.{}.0.0." + kind}},
                               {layer + "attn.c_attn." + kind,
                                {attention + "q." + kind, attention + "k." + kind, attention + "v." + kind},
                                stored},
                               {layer + "attn.c_proj." + kind, {attention + "o." + kind}, stored},
                               {layer + "ln_2." + kind, {feed + "0." + kind}},
                               {layer + "mlp.c_fc." + kind, {feed + "1." + kind}, stored},
                               {layer + "mlp.c_proj." + kind, {feed + "3." + kind}, stored}});
    }
    return map;
}

namespace detail {
/// Llama's layers, which the model has below `ours`.
inline NameMap llama_layers(std::string const& ours) {
    std::string const theirs = "model.layers.{}.", attention = ours + "0.", feed = ours + "1.";
    return {{theirs + "input_layernorm.weight", {attention + "0.weight"}},
            {theirs + "self_attn.q_proj.weight", {attention + "1.q.weight"}},
            {theirs + "self_attn.k_proj.weight", {attention + "1.k.weight"}},
            {theirs + "self_attn.v_proj.weight", {attention + "1.v.weight"}},
            {theirs + "self_attn.o_proj.weight", {attention + "1.o.weight"}},
            {theirs + "self_attn.rotary_emb.inv_freq"},
            {theirs + "post_attention_layernorm.weight", {feed + "0.weight"}},
            {theirs + "mlp.gate_proj.weight", {feed + "1.gate.weight"}},
            {theirs + "mlp.up_proj.weight", {feed + "1.up.weight"}},
            {theirs + "mlp.down_proj.weight", {feed + "1.down.weight"}}};
}
} // namespace detail

/// Llama's tensors, as `transformers` names them, for a model of Tokens<T, V> with the blocks
/// `Embed<D>, Repeat<Layers, Attention, Feed>, RmsNorm, Dense<V, NoBias>`, with
/// `Attention = PreNorm<SoftmaxAttn<Heads<H>, KvHeads<K>, Rope<10'000>>>` and `Feed = PreNorm<SwiGlu<F>>`;
/// where the file's rms_norm_eps is not 1e-6, `BasicRmsNorm<Eps<1e-5>>` within `Residual` in their place.
inline NameMap llama_names() {
    NameMap map = detail::llama_layers("1.{}.");
    map.insert(map.end(), {{"model.embed_tokens.weight", {"0.weight"}},
                           {"model.norm.weight", {"2.weight"}},
                           {"lm_head.weight", {"3.weight"}}});
    return map;
}
/// The same with embeddings that score too, for one block,
/// `Tied<Embed<D>, Repeat<Layers, Attention, Feed>, RmsNorm>`.
inline NameMap tied_llama_names() {
    NameMap map = detail::llama_layers("0.0.{}.");
    map.insert(map.end(), {{"model.embed_tokens.weight", {"0.embed.weight"}},
                           {"model.norm.weight", {"0.1.weight"}},
                           {"lm_head.weight"}}); // embed_tokens again
    return map;
}

namespace detail {
/// A language model of flash-linear-attention around a mixer's names, `theirs` to `ours`.
inline NameMap fla_names(std::vector<std::pair<std::string, std::string>> const& mixer) {
    std::string const theirs = "model.layers.{}.", attention = "1.{}.0.", feed = "1.{}.1.";
    NameMap map = {{"model.embeddings.weight", {"0.weight"}},
                   {theirs + "attn_norm.weight", {attention + "0.weight"}},
                   {theirs + "mlp_norm.weight", {feed + "0.weight"}},
                   {theirs + "mlp.gate_proj.weight", {feed + "1.gate.weight"}},
                   {theirs + "mlp.up_proj.weight", {feed + "1.up.weight"}},
                   {theirs + "mlp.down_proj.weight", {feed + "1.down.weight"}},
                   {"model.norm.weight", {"2.weight"}},
                   {"lm_head.weight", {"3.weight"}}};
    for (auto const& [name, ours] : mixer) {
        bool const taps = ours.find("_conv.") != std::string::npos; // [channel, 1, tap]
        map.push_back(
            {theirs + "attn." + name, {attention + "1." + ours}, taps ? Stored::reshaped : Stored::alike});
    }
    for (std::string const part : {"q", "k", "v", "o"})
        map.push_back({theirs + "attn." + part + "_proj.weight", {attention + "1." + part + ".weight"}});
    return map;
}
} // namespace detail

/// Gated DeltaNet's tensors, as flash-linear-attention's `GatedDeltaNetForCausalLM` names them, for a model
/// of Tokens<T, V> with the blocks `Embed<D>, Repeat<Layers, Mixer, Feed>, RmsNorm, Dense<V, NoBias>`, with
/// `Mixer = PreNorm<LinearAttn<Heads<H>, KeyDim<head_dim>, ValueDim<head_dim * expand_v>, GatedDelta>>` and
/// `Feed = PreNorm<SwiGlu<F>>`; with `allow_neg_eigval` also `NegativeEigenvalues`. The file's norm_eps is to
/// be 1e-6, as its configuration has it unless told otherwise.
inline NameMap gated_deltanet_names() {
    return detail::fla_names({{"a_proj.weight", "a.weight"},
                              {"b_proj.weight", "beta.weight"},
                              {"A_log", "A_log"},
                              {"dt_bias", "dt_bias"},
                              {"q_conv1d.weight", "q_conv.weight"},
                              {"k_conv1d.weight", "k_conv.weight"},
                              {"v_conv1d.weight", "v_conv.weight"},
                              {"g_proj.weight", "gate.weight"},
                              {"o_norm.weight", "norm.weight"}});
}
/// Gated linear attention's tensors, as its `GLAForCausalLM` names them, for the same blocks with
/// `Mixer = PreNorm<LinearAttn<Heads<H>, KeyDim<D / 2 / H>, ValueDim<D / H>, Gla>>`, or what the file's
/// expand_k and expand_v say.
inline NameMap gla_names() {
    return detail::fla_names({{"gk_proj.0.weight", "a.0.weight"},
                              {"gk_proj.1.weight", "a.1.weight"},
                              {"gk_proj.1.bias", "a.1.bias"},
                              {"g_proj.weight", "gate.weight"},
                              {"g_norm_swish_gate.weight", "norm.weight"}});
}

} // namespace inlay::inline INLAY_ISA
