// SPDX-License-Identifier: BSD-3-Clause
// A type written down: the same text from every compiler and for every instruction set.
#pragma once

#include <inlay/model/summary.hpp>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class T> struct Written;

/// A name as the compiler spells it, without scopes, blanks and the ways of spelling numbers and strings.
inline std::string plain_spelling(std::string_view name) {
    std::string out;
    auto const word = [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; };
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t i = 0; i < name.size();) {
        std::string_view const rest = name.substr(i);
        if (rest.starts_with("(anonymous namespace)::")) i += 23;
        else if (rest.starts_with("{anonymous}::")) i += 13;
        else if (rest[0] == '"') {
            std::size_t const end = std::min(rest.find('"', 1), rest.size() - 1) + 1;
            out += rest.substr(0, end), i += end;
        } else if (word(rest[0]) || rest[0] == '_') {
            std::size_t n = 1;
            while (n < rest.size() && (word(rest[n]) || digit(rest[n]) || rest[n] == '_')) ++n;
            std::string_view const own = rest.substr(0, n);
            i += n;
            if (rest.substr(n).starts_with("::")) i += 2;
            else if (own == "Name" && rest.substr(n).starts_with('<'))
                i += std::min(rest.find('>'), rest.size() - 1) + 1 - n;            // Name<4>{"age"}
            else if (own == "struct" || own == "class" || own == "enum") continue; // MSVC's
            else out += own;
        } else if (digit(rest[0])) {
            std::size_t n = 1;
            while (n < rest.size() && (digit(rest[n]) || rest[n] == '.' || rest[n] == 'e' ||
                                       (rest[n - 1] == 'e' && (rest[n] == '+' || rest[n] == '-'))))
                ++n;
            char number[32];
            std::snprintf(number, sizeof number, "%.9g",
                          std::strtod(std::string(rest.substr(0, n)).c_str(), nullptr));
            out += number, i += n;
            while (i < name.size() && word(name[i])) ++i; // suffixes
        } else {
            if (rest[0] == ',') out += ", ";
            else if (rest[0] != ' ' && rest[0] != '{' && rest[0] != '}') out += rest[0];
            ++i;
        }
    }
    return out;
}
/// `Head<a, b>` of the head of a type and its written arguments.
template <class T> std::string with_arguments(std::initializer_list<std::string> arguments) {
    std::string_view const name = own_name<T>(), head = name.substr(0, name.find('<'));
    if (arguments.size() == 0) return std::string(head.starts_with("Basic") ? head.substr(5) : head);
    std::string out(head);
    char const* before = "<";
    for (auto const& a : arguments) out += before + a, before = ", ";
    return out + ">";
}
template <std::size_t N> std::string quoted(Name<N> const& n) { return '"' + std::string(n.text) + '"'; }

// By kind of template, since compilers do not agree on which default arguments they print. Other kinds have
// none.
template <class T> struct Written {
    static std::string text() { return plain_spelling(type_name<T>()); }
};
template <template <class...> class S, class... A> struct Written<S<A...>> {
    static std::string text() { return with_arguments<S<A...>>({Written<A>::text()...}); }
};
template <template <int...> class S, int... N> struct Written<S<N...>> {
    static std::string text() { return with_arguments<S<N...>>({std::to_string(N)...}); }
};
template <template <int, class...> class S, int N, class First, class... A>
struct Written<S<N, First, A...>> {
    static std::string text() {
        return with_arguments<S<N, First, A...>>(
            {std::to_string(N), Written<First>::text(), Written<A>::text()...});
    }
};
template <template <Name, class...> class S, Name N, class... A> struct Written<S<N, A...>> {
    static std::string text() { return with_arguments<S<N, A...>>({quoted(N), Written<A>::text()...}); }
};
/// The texts of a model's input and of its blocks, in order.
template <class M> struct ModelWords {
    std::string input = Written<typename M::Input>::text();
    std::vector<std::string> blocks = of(Tag<typename M::Top>{});

private:
    template <class... S> static std::vector<std::string> of(Tag<Stack<S...>>) {
        return {Written<S>::text()...};
    }
};
} // namespace detail

/// A model in words, the same from every compiler and for every instruction set, aliases resolved but for
/// those of specs without policies: `Model<Tokens<32, 100>, Embed<8>, RmsNorm, Dense<100>>`.
template <class M> std::string model_text() {
    detail::ModelWords<M> const words;
    std::string out = "Model<" + words.input;
    for (auto const& block : words.blocks) out += ", " + block;
    return out + ">";
}

} // namespace inlay::inline INLAY_ISA
