// SPDX-License-Identifier: BSD-3-Clause
// A stream's state to and from a file.
#pragma once

#include <inlay/core/hash.hpp>
#include <inlay/core/path.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/model/snapshot.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What must be the same where a state is read: the model by names and shapes of its parameters, the layout.
/// A state is bytes of a build; weights, which are not, stay beside it.
template <class M> std::string state_kind() {
    std::uint64_t hash = 0;
    auto const mix = [&](std::uint64_t word) {
        std::uint64_t const words[] = {hash, word};
        hash = xxh64_words(words, 2);
    };
    auto const room = std::make_unique_for_overwrite<typename M::Params>(); // never read: costs no memory
    M::Block::visit(*room, Path{}, [&](auto, Path const& at, Kind, auto const& t) {
        for (char c : to_string(at)) mix(std::uint64_t(static_cast<unsigned char>(c)));
        mix(std::uint64_t(t.rows)), mix(std::uint64_t(t.width));
    });
    return joined(sizeof(typename M::T) * 8, " bits in ", M::Scalar::lanes, " lanes, model ",
                  std::to_string(hash));
}
} // namespace detail

/// Writes what a stream carries to a safetensors file, whole or not at all. It holds bytes of this build:
/// another instruction set or another model is refused when it is read.
template <class M> void save_state(typename M::State const& state, std::string const& path) {
    auto const kept = std::make_unique<Snapshot<M>>(snapshot<M>(state));
    std::vector<TensorSource> sources;
    sources.push_back({"state", DType::U8, {sizeof(Snapshot<M>)}, [&](std::byte* to) {
                           std::memcpy(to, kept.get(), sizeof(Snapshot<M>));
                       }});
    write_safetensors(path, sources, {{"inlay.state", detail::state_kind<M>()}});
}
/// The inverse: the stream goes on bit by bit as if it had not been interrupted. Throws Error, and leaves the
/// state as it was, for a file of another model or build.
template <class M> void load_state(typename M::State& state, std::string const& path) {
    auto const file = Safetensors::read(path);
    auto const found = file.metadata().find("inlay.state");
    if (found == file.metadata().end())
        detail::fail(Error(path, "metadata", "a state under inlay.state", "none"));
    if (found->second != detail::state_kind<M>())
        detail::fail(Error(path, "metadata inlay.state", detail::state_kind<M>(), found->second));
    auto const* const tensor = file.find("state");
    if (!tensor || tensor->bytes.size() != sizeof(Snapshot<M>))
        detail::fail(Error(path, "tensor state", detail::joined(sizeof(Snapshot<M>), " bytes"),
                           tensor ? detail::joined(tensor->bytes.size(), " bytes") : "none"));
    auto const kept = std::make_unique<Snapshot<M>>();
    std::memcpy(static_cast<void*>(kept.get()), tensor->bytes.data(), sizeof(Snapshot<M>));
    restore<M>(state, *kept);
}

} // namespace inlay::inline INLAY_ISA
