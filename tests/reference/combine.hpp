// SPDX-License-Identifier: BSD-3-Clause
// Combinators over child references. A child sees the parameters below its own prefix.
#pragma once

#include "dense.hpp"
#include "embed.hpp"
#include "norm.hpp"
#include "reference.hpp"

#include <algorithm>

namespace reference {

// The body sees what is called "a" or "a.x" as "b" or "b.x", for each a and b.
inline Block renamed(std::map<std::string, std::string> const& names, Block body) {
    return [names, body](Parameters const& p, Sequence const& x) {
        Parameters seen;
        for (auto const& [name, matrix] : p.by_name) {
            std::size_t const dot = name.find('.');
            auto const found = names.find(name.substr(0, dot));
            bool const tail = dot != std::string::npos;
            seen.by_name[found == names.end() ? name : found->second + (tail ? name.substr(dot) : "")] =
                matrix;
        }
        return body(seen, x);
    };
}

// One map that holds several: the rows of "fused.weight", and the numbers of "fused.bias", in order.
inline Block split(std::string const& fused, std::vector<std::pair<std::string, std::size_t>> const& parts,
                   Block body) {
    return [fused, parts, body](Parameters const& p, Sequence const& x) {
        Parameters seen = p;
        std::size_t from = 0;
        for (auto const& [name, count] : parts) {
            std::size_t const to = from + count;
            seen.by_name[name + ".weight"] = matrix_of(rows_between(rows_of(p[fused + ".weight"]), from, to));
            if (p.has(fused + ".bias")) {
                auto const bias = rows_of(p[fused + ".bias"]).at(0);
                seen.by_name[name + ".bias"] = matrix_of({{bias.begin() + static_cast<std::ptrdiff_t>(from),
                                                           bias.begin() + static_cast<std::ptrdiff_t>(to)}});
            }
            from = to;
        }
        return body(seen, x);
    };
}

// Children "first", "first + 1", ... one after the other.
inline Block stack_from(int first, std::vector<Block> children) {
    return [first, children](Parameters const& p, Sequence const& x) {
        Result y{x, zeros_like(x)};
        int index = first;
        for (Block const& child : children) {
            Parameters const own = p.child(std::to_string(index++));
            y = apply([&](Sequence const& z) { return child(own, z); }, y);
        }
        return y;
    };
}
inline Block stack(std::vector<Block> children) { return stack_from(0, children); }

// x + body(x); the body sees the parameters as they are.
inline Block residual(Block body) {
    return [body](Parameters const& p, Sequence const& x) {
        Result const y = body(p, x);
        return Result{plus(x, y.value), plus(absolute(x), y.magnitude)};
    };
}

// "0." is the norm, "1." the first of the body.
inline Block prenorm(std::vector<Block> body) {
    body.insert(body.begin(), rms_norm);
    return residual(stack(body));
}

inline Block sum(std::vector<Block> branches) {
    return [branches](Parameters const& p, Sequence const& x) {
        Result y = branches.at(0)(p.child("0"), x);
        for (std::size_t b = 1; b < branches.size(); ++b) {
            Result const z = branches[b](p.child(std::to_string(b)), x);
            y = {plus(y.value, z.value), plus(y.magnitude, z.magnitude)};
        }
        return y;
    };
}

// Results side by side: each token gets the widths of all, in order.
inline Result joined(std::vector<Result> const& parts) {
    Result y = parts.at(0);
    for (std::size_t b = 1; b < parts.size(); ++b) {
        if (parts[b].value.size() != y.value.size()) throw std::invalid_argument("reference: lengths differ");
        for (std::size_t t = 0; t < y.value.size(); ++t) {
            y.value[t].insert(y.value[t].end(), parts[b].value[t].begin(), parts[b].value[t].end());
            y.magnitude[t].insert(y.magnitude[t].end(), parts[b].magnitude[t].begin(),
                                  parts[b].magnitude[t].end());
        }
    }
    return y;
}

inline Block concat(std::vector<Block> branches) {
    return [branches](Parameters const& p, Sequence const& x) {
        std::vector<Result> parts;
        for (std::size_t b = 0; b < branches.size(); ++b)
            parts.push_back(branches[b](p.child(std::to_string(b)), x));
        return joined(parts);
    };
}

// sum_b softmax(W x + c)_b branch_b(x), token by token; W is "gate.weight" [branches, D], c is "gate.bias".
inline Block gate(std::vector<Block> branches) {
    return [branches](Parameters const& p, Sequence const& x) {
        Result const logits = dense(p.child("gate"), x);
        Result y;
        for (std::size_t b = 0; b < branches.size(); ++b) {
            Result const z = branches[b](p.child(std::to_string(b)), x);
            if (b == 0) y = {zeros_like(z.value), zeros_like(z.value)};
            for (std::size_t t = 0; t < x.size(); ++t) {
                std::vector<double> const& s = logits.value[t];
                double const largest = *std::max_element(s.begin(), s.end());
                double total = 0, mean_error = 0;
                for (double v : s) total += std::exp(v - largest);
                for (std::size_t k = 0; k < s.size(); ++k)
                    mean_error += std::exp(s[k] - largest) / total * logits.magnitude[t][k];
                double const weight = std::exp(s.at(b) - largest) / total;
                double const error = weight * (1 + logits.magnitude[t][b] + mean_error);
                for (std::size_t i = 0; i < z.value[t].size(); ++i) {
                    y.value[t].at(i) += weight * z.value[t][i];
                    y.magnitude[t][i] += weight * z.magnitude[t][i] + error * std::abs(z.value[t][i]);
                }
            }
        }
        return y;
    };
}

// The child n times with parameters "0.", "1.", ...
inline Block repeat(int n, Block child) {
    return stack(std::vector<Block>(static_cast<std::size_t>(n), child));
}

// logits = body(embed(x)) E^T with E = "embed.weight"; the body sees the parameters as they are.
inline Block tied(Block body) {
    return [body](Parameters const& p, Sequence const& ids) {
        Sequence const embedded = embed(p.child("embed"), ids).value;
        Parameters table;
        table.by_name["weight"] = p["embed.weight"];
        return apply([&](Sequence const& h) { return dense(table, h); }, body(p, embedded));
    };
}

// The body is made from the kept value, so that its blocks may read it, and sees the parameters as they are
// (see stack_from for "1", ...). The owner has its own prefix.
using Reader = std::function<Block(Sequence const& kept)>;

inline Block keep(Block owner, Reader body, std::string owner_prefix = "0") {
    return [=](Parameters const& p, Sequence const& x) {
        return apply([&](Sequence const& kept) { return body(kept)(p, kept); },
                     owner(p.child(owner_prefix), x));
    };
}

inline Block let(Block owner, Reader body, std::string owner_prefix = "0") {
    return [=](Parameters const& p, Sequence const& x) {
        return apply([&](Sequence const& kept) { return body(kept)(p, x); }, owner(p.child(owner_prefix), x));
    };
}

} // namespace reference
