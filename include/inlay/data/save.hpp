// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/data/encoder.hpp>
#include <inlay/io/weights.hpp>

namespace inlay::inline INLAY_ISA {

/// Words of a misfit.
struct EncoderOfANetwork;

namespace detail {
template <class M, class Rec>
using EncoderProblem =
    std::conditional_t<std::is_same_v<typename M::Input, Rec>, Fits,
                       Misfit<EncoderOfANetwork, Place<>, Got<Brief<Rec>>, Wants<Brief<typename M::Input>>>>;
} // namespace detail

/// Weights, vocabularies and scales in one file. Error: an encoder of another record than the network reads.
template <class M, class Rec>
void save(Network<M> const& net, Encoder<Rec> const& encoder, std::string const& path) {
    static_assert(Says<detail::EncoderProblem<M, Rec>>{}, "inlay: the encoder does not go with the model");
    save(net, path, {{"inlay.encoder", encoder.to_json()}});
}
/// The inverse; both are unchanged when it throws.
template <class M, class Rec> void load(Network<M>& net, Encoder<Rec>& encoder, std::string const& path) {
    static_assert(Says<detail::EncoderProblem<M, Rec>>{}, "inlay: the encoder does not go with the model");
    auto const file = Safetensors::read(path);
    auto const found = file.metadata().find("inlay.encoder");
    if (found == file.metadata().end())
        detail::fail(Error(path, "metadata", "an encoder under inlay.encoder", "none"));
    auto read = Encoder<Rec>::from_json(found->second, path);
    load(net, file);
    encoder = std::move(read);
}

} // namespace inlay::inline INLAY_ISA
