// SPDX-License-Identifier: BSD-3-Clause
// What a trainer was made from, for people to read later.
#pragma once

#include <inlay/io/json_value.hpp>
#include <inlay/train/checkpoint.hpp>
#include <inlay/version.hpp>

#include <string>
#include <variant>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Stands for a member of any aggregate where it is initialised.
struct AnyMember {
    template <class T> operator T() const noexcept;
};
template <class S, class... Members> consteval std::size_t count_members() {
    if constexpr (requires { S{Members{}..., AnyMember{}}; })
        return count_members<S, Members..., AnyMember>();
    else return sizeof...(Members);
}
/// Calls f with each of the at most eight members of an aggregate, in their order.
template <class S, class F> void for_members(S const& s, F f) {
    auto const all = [&](auto const&... m) { (f(m), ...); };
    constexpr std::size_t n = count_members<S>();
    static_assert(n <= 8);
    if constexpr (n == 1) {
        auto const& [a] = s;
        all(a);
    } else if constexpr (n == 2) {
        auto const& [a, b] = s;
        all(a, b);
    } else if constexpr (n == 3) {
        auto const& [a, b, c] = s;
        all(a, b, c);
    } else if constexpr (n == 4) {
        auto const& [a, b, c, d] = s;
        all(a, b, c, d);
    } else if constexpr (n == 5) {
        auto const& [a, b, c, d, e] = s;
        all(a, b, c, d, e);
    } else if constexpr (n == 6) {
        auto const& [a, b, c, d, e, g] = s;
        all(a, b, c, d, e, g);
    } else if constexpr (n == 7) {
        auto const& [a, b, c, d, e, g, h] = s;
        all(a, b, c, d, e, g, h);
    } else if constexpr (n == 8) {
        auto const& [a, b, c, d, e, g, h, i] = s;
        all(a, b, c, d, e, g, h, i);
    }
}
/// Its name, and its numbers in the order of its members: `["Cosine", 100, 0, 0]`.
template <class S> Json described(S const& s) {
    Json::Array list{Json{std::string(plain_name<S>())}};
    for_members(s, [&](auto const& member) {
        if constexpr (std::is_same_v<decltype(member), bool const&>) list.push_back(Json{member});
        else list.push_back(Json{double(member)});
    });
    return {std::move(list)};
}

struct TextSink {
    std::string text;
    TextSink& operator<<(char const* line) {
        text += line;
        return *this;
    }
};
template <class M> std::string model_text() {
    TextSink sink;
    summary<M>(sink);
    return sink.text;
}
template <class T> std::string brief_name() {
    char name[200];
    short_name(type_name<T>(), name);
    return name;
}
template <class Rules> struct RuleNames;
template <class... Rule> struct RuleNames<Optimize<Rule...>> {
    static Json::Array all() { return {Json{brief_name<Rule>()}...}; }
};

/// What a trainer was made from, as JSON.
template <class M, class Loss, class B, class Opt, class Exec>
std::string run_config(Trainer<M, Loss, B, Opt, Exec> const& trainer) {
    auto const& options = Checkpoint::options(trainer);
    Json::Array optimizers;
    std::apply([&](auto const&... o) { (optimizers.push_back(described(o)), ...); }, options.optimizers());
    Json::Object all;
    auto const add = [&](char const* name, auto value) { all.push_back({name, Json{std::move(value)}}); };
    add("inlay", joined(INLAY_VERSION_MAJOR, ".", INLAY_VERSION_MINOR, ".", INLAY_VERSION_PATCH));
    add("isa", std::string(INLAY_ISA_NAME));
    add("parameters", std::int64_t(M::parameters));
    add("loss", brief_name<Loss>());
    add("batch", std::int64_t(B::rows));
    add("accumulate", std::int64_t(options.accumulate));
    add("rules", RuleNames<typename Trainer<M, Loss, B, Opt, Exec>::Rules>::all());
    add("optimizers", std::move(optimizers));
    all.push_back({"schedule", std::visit([](auto const& s) { return described(s); }, options.schedule)});
    add("clip_norm", options.clip.norm);
    add("clip_value", options.clip.value);
    add("average", options.average);
    add("seed", options.seed.value);
    return to_json(Json{std::move(all)}) + "\n";
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
