// SPDX-License-Identifier: BSD-3-Clause
// Written models compared: how far two are apart, and where they first differ.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// `Head<a, b>` taken apart. Text that is not so formed is a head as it stands.
struct ModelTree {
    std::string text, head;
    std::vector<ModelTree> arguments;

    explicit ModelTree(std::string_view all, int depth = 0) : text(all), head(all) {
        std::size_t const open = all.find('<');
        if (open == std::string_view::npos || !all.ends_with('>') || depth > 64) return;
        head = all.substr(0, open);
        std::string_view const inside = all.substr(open + 1, all.size() - open - 2);
        std::size_t from = 0;
        int level = 0;
        bool quoted = false;
        for (std::size_t i = 0; i <= inside.size(); ++i) {
            char const c = i < inside.size() ? inside[i] : ',';
            if (c == '"') quoted = !quoted;
            if (quoted && i < inside.size()) continue;
            level += (c == '<') - (c == '>');
            if (c != ',' || (level != 0 && i < inside.size())) continue;
            std::string_view const one = inside.substr(from, i - from);
            arguments.emplace_back(one.substr(std::min(one.find_first_not_of(' '), one.size())), depth + 1);
            from = i + 1;
        }
    }
    int size() const {
        int n = 1;
        for (auto const& a : arguments) n += a.size();
        return n;
    }
};

/// Words to strike out and to put in, at the least, to make one of the other.
inline int distance(ModelTree const& a, ModelTree const& b) {
    if (a.text == b.text) return 0;
    if (a.head != b.head) return a.size() + b.size();
    std::size_t const n = a.arguments.size(), m = b.arguments.size();
    std::vector<int> row(m + 1);
    for (std::size_t j = 0; j < m; ++j) row[j + 1] = row[j] + b.arguments[j].size();
    for (std::size_t i = 0; i < n; ++i) {
        int const gone = a.arguments[i].size();
        int diagonal = row[0];
        row[0] += gone;
        for (std::size_t j = 0; j < m; ++j) {
            int const both = diagonal + distance(a.arguments[i], b.arguments[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({both, row[j + 1] + gone, row[j] + b.arguments[j].size()});
        }
    }
    return row[m];
}

/// Where two models differ first: the blocks on the way there, and what each has in that place.
struct FirstDifference {
    std::string place, here, there;

    FirstDifference(ModelTree const& a, ModelTree const& b, int from = 0) {
        ModelTree const *x = &a, *y = &b;
        while (x->head == y->head) {
            auto const &p = x->arguments, &q = y->arguments;
            std::size_t i = 0;
            while (i < std::min(p.size(), q.size()) && p[i].text == q[i].text) ++i;
            if (!place.empty() || x != &a) place += (place.empty() ? "" : ", ") + x->head;
            if (x == &a) place = int(i) < from ? "input" : joined("block ", i - std::size_t(from));
            // Something more or less: what follows would only seem to differ.
            bool const shifted = p.size() != q.size();
            here = i < p.size() ? p[i].text : "nothing more";
            there = i < q.size() ? q[i].text : "nothing more";
            if (shifted || i >= p.size() || i >= q.size()) return;
            x = &p[i], y = &q[i];
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
