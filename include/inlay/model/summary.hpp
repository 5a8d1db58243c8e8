// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/model/model.hpp>

#include <cstdio>
#include <string_view>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// A type's name as the compiler spells it.
template <class T> constexpr std::string_view type_name() {
#if defined(_MSC_VER) && !defined(__clang__)
    std::string_view const all = __FUNCSIG__;
    std::size_t const from = all.find("type_name<") + 10, to = all.rfind(">(");
#else
    std::string_view const all = __PRETTY_FUNCTION__;
    std::size_t const from = all.find("T = ") + 4, to = std::min(all.rfind(']'), all.find("; ", from));
#endif
    return all.substr(from, to - from);
}
/// What users call `BasicNorm<>`: the aliases of specs without policies are named so.
constexpr std::string_view alias_name(std::string_view name) {
    return name.starts_with("Basic") && name.ends_with("<>") ? name.substr(5, name.size() - 7) : name;
}
/// The type's own name as the compiler spells it, without the namespaces around it.
template <class T> constexpr std::string_view own_name() {
    std::string_view name = type_name<T>();
    std::size_t const arguments = std::min(name.find('<'), name.size());
    std::size_t const scope = name.substr(0, arguments).rfind("::");
    if (scope != std::string_view::npos) name.remove_prefix(scope + 2);
    return name;
}
template <class T> constexpr std::string_view plain_name() { return alias_name(own_name<T>()); }
/// Writes a type's name into `out` without namespaces, shortened to fit.
template <std::size_t N> void short_name(std::string_view name, char (&out)[N]) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < name.size() && n + 1 < N;) {
        std::string_view const rest = name.substr(i);
        std::size_t const empty = rest.starts_with("Basic") ? rest.find_first_of("<>,") : rest.size();
        if (rest.starts_with("inlay::")) i += 7;
        else if (i >= 2 && name.substr(i - 2, 2) == "::" && rest.size() > 3 && rest.substr(1, 2) == "::")
            i += 3;
        else if (empty < rest.size() && rest.substr(empty, 2) == "<>") {
            for (char const c : alias_name(rest.substr(0, empty + 2)))
                if (n + 1 < N) out[n++] = c;
            i += empty + 2;
        } else out[n++] = name[i++];
    }
    out[n] = 0;
    if (n + 1 == N) out[n - 1] = out[n - 2] = out[n - 3] = '.';
}
template <class S> struct ShapeText {
    char text[32];
    ShapeText() {
        if constexpr (is_sequence<S>) std::snprintf(text, sizeof text, "[%d, %d]", S::rows, S::width);
        else if constexpr (is_numbers<S>) std::snprintf(text, sizeof text, "[%d]", S::width);
        else if constexpr (is_ids<S>)
            std::snprintf(text, sizeof text, "[%d] below %d", S::rows, S::vocabulary);
        else std::snprintf(text, sizeof text, "record of %d", S::fields);
    }
};
template <std::size_t Size> void path_text(Path const& at, char (&out)[Size]) {
    constexpr int N = int(Size);
    Path const* places[16];
    int depth = 0;
    for (auto const* p = &at; p && (p->outer || p->name) && depth < 16; p = p->outer) places[depth++] = p;
    int n = 0;
    out[0] = 0;
    while (depth-- > 0 && n < N - 8) {
        char const* dot = n ? "." : "";
        n += places[depth]->name
                 ? std::snprintf(out + n, std::size_t(N - n), "%s%s", dot, places[depth]->name)
                 : std::snprintf(out + n, std::size_t(N - n), "%s%d", dot, places[depth]->index);
    }
}
} // namespace detail

/// Prints a model block by block: place, block, output shape, parameters, multiply-adds of one row; then
/// totals, bytes and the instruction set that it was compiled for. `out` is any stream of text, such as
/// std::cout.
template <class M, class Stream> void summary(Stream& out) {
    char line[160];
    auto const print = [&](char const* place, char const* block, char const* shape, double parameters,
                           double flops) {
        std::snprintf(line, sizeof line, "%-14s %-44s %-16s %11.0f %13.0f\n", place, block, shape, parameters,
                      flops);
        out << line;
    };
    std::snprintf(line, sizeof line, "%-14s %-44s %-16s %11s %13s\n", "place", "block", "output",
                  "parameters", "flops a row");
    out << line;
    print("", "input", detail::ShapeText<typename M::Input>().text, 0, 0);
    auto const row = [&]<class B>(Path const& at, Tag<B>, int times) {
        char path[32], place[48], block[44];
        detail::path_text(at, path);
        std::snprintf(place, sizeof place, times > 1 ? "%s x%d" : "%s", path, times);
        detail::short_name(detail::type_name<typename B::Spec>(), block);
        print(place, block, detail::ShapeText<typename B::Output>().text, double(B::parameters) * times,
              B::flops * times);
    };
    detail::describe_child<typename M::Block>(Path{}, 1, row);
    print("", "total", detail::ShapeText<typename M::Output>().text, double(M::parameters), M::flops);
    std::snprintf(line, sizeof line, "parameters %zu bytes, stream state %zu bytes; %s, %d lanes\n",
                  sizeof(typename M::Params), sizeof(typename M::State), INLAY_ISA_NAME, M::Scalar::lanes);
    out << line;
}

} // namespace inlay::inline INLAY_ISA
