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

} // namespace inlay::inline INLAY_ISA
