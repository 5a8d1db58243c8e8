// SPDX-License-Identifier: BSD-3-Clause
// One program for several models: the file says which of the compiled ones it holds.
#pragma once

#include <inlay/io/json.hpp>
#include <inlay/io/model_tree.hpp>
#include <inlay/io/weights.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

/// The model of a file in words, as `save` has written it; nothing where the file came from elsewhere.
inline std::optional<std::string> model_in(Safetensors const& file) {
    auto const found = file.metadata().find("inlay.model");
    if (found == file.metadata().end()) return std::nullopt;
    std::string const place = "metadata inlay.model";
    detail::Json const json = detail::parse_json(found->second, file.file(), place, 2);
    auto const text = [&](detail::Json const* value, char const* what) -> std::string const& {
        auto const* s = value ? value->get<std::string>() : nullptr;
        if (!s) detail::fail(Error(file.file(), place, what, value ? to_json(*value) : "none"));
        return *s;
    };
    std::string out = "Model<" + text(json.find("input"), "an input in words");
    auto const* blocks = json.find("blocks");
    auto const* list = blocks ? blocks->get<detail::Json::Array>() : nullptr;
    if (!list) detail::fail(Error(file.file(), place, "a list of blocks", "none"));
    for (auto const& block : *list) out += ", " + text(&block, "a block in words");
    return out + ">";
}

namespace detail {
/// Which of the models in words the file holds. None: an Error that says which is nearest and where it
/// differs.
inline std::size_t chosen_model(Safetensors const& file, std::vector<std::string> const& compiled) {
    auto const held = model_in(file);
    if (!held) fail(Error(file.file(), "metadata", "a model in words under inlay.model", "none"));
    for (std::size_t i = 0; i < compiled.size(); ++i)
        if (compiled[i] == *held) return i;
    ModelTree const there(*held);
    std::size_t nearest = 0;
    int least = 0;
    for (std::size_t i = 0; i < compiled.size(); ++i) {
        int const d = distance(ModelTree(compiled[i]), there);
        if (i == 0 || d < least) nearest = i, least = d;
    }
    FirstDifference const first(ModelTree(compiled[nearest]), there, 1);
    fail(Error(file.file(),
               joined("the nearest of ", compiled.size(), " compiled models is number ", nearest + 1, ", ",
                      compiled[nearest], "; ", first.place),
               first.here, first.there));
}
} // namespace detail

/// Calls `f(net)` with the network of that one of the models which the file was saved from, its weights
/// loaded, and returns what f returns, which is of one type for all. Models are compared by their text
/// (`model_text`): capacities and policies count, names of aliases, scalars and instruction sets do not.
///
///     dispatch<Tiny, Large>("model.safetensors", []<class M>(Network<M>& net) { serve(net); });
///
/// An Error, where it is none of them, says which is nearest and where they differ first.
template <class... Models, class F> decltype(auto) dispatch(Safetensors const& file, F&& f) {
    static_assert(sizeof...(Models) > 0, "inlay: dispatch needs a model to choose");
    using Result = std::invoke_result_t<F&, Network<At<0, Models...>>&>;
    static_assert((std::is_same_v<Result, std::invoke_result_t<F&, Network<Models>&>> && ...),
                  "inlay: what dispatch calls returns one type for every model");
    using Call = Result (*)(Safetensors const&, F&);
    static constexpr std::array<Call, sizeof...(Models)> calls{[](Safetensors const& from, F& run) -> Result {
        auto net = Network<Models>(Seed{0});
        load(net, from);
        return run(net);
    }...};
    return calls[detail::chosen_model(file, {model_text<Models>()...})](file, f);
}
/// As above, from a path.
template <class... Models, class F> decltype(auto) dispatch(std::string const& path, F&& f) {
    return dispatch<Models...>(read_weights(path), f);
}

} // namespace inlay::inline INLAY_ISA
