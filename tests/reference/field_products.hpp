// SPDX-License-Identifier: BSD-3-Clause
// Products of fields, by their definitions: double loops over pairs, sums over subsets. x has a row a field;
// fields that are missing are zeros, and `fields` says how many there could be.
#pragma once

#include "activation.hpp"
#include "combine.hpp"

namespace reference {

inline Sequence whole(Sequence x, std::size_t fields, std::size_t width) {
    x.resize(fields, std::vector<double>(width));
    return x;
}

// Rows e_2 ... e_n: sums over all sets of so many fields of their products, element by element.
inline Block subset_products(std::size_t n, std::size_t width) {
    return [=](Parameters const&, Sequence const& x) {
        Sequence const none(n - 1, std::vector<double>(width));
        Result y{none, none};
        for (std::size_t set = 0; set < (std::size_t(1) << x.size()); ++set) {
            std::size_t count = 0;
            std::vector<double> product(width, 1.0);
            for (std::size_t f = 0; f < x.size(); ++f)
                if (set >> f & 1) {
                    ++count;
                    for (std::size_t i = 0; i < width; ++i) product[i] *= x[f][i];
                }
            if (count < 2 || count > n) continue;
            for (std::size_t i = 0; i < width; ++i) {
                y.value[count - 2][i] += product[i];
                y.magnitude[count - 2][i] += std::abs(product[i]);
            }
        }
        return y;
    };
}

// The sum of <x_i, x_j> over i < j.
inline Result fm(Parameters const&, Sequence const& x) {
    Result y{{{0}}, {{0}}};
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = i + 1; j < x.size(); ++j)
            for (std::size_t t = 0; t < x[i].size(); ++t) {
                y.value[0][0] += x[i][t] * x[j][t];
                y.magnitude[0][0] += std::abs(x[i][t] * x[j][t]);
            }
    return y;
}

// The sum over i < j of <v_ij, v_ji>; row i holds v_ij for all j but i.
inline Block ffm(std::size_t fields) {
    return [=](Parameters const&, Sequence const& x) {
        Result y{{{0}}, {{0}}};
        for (std::size_t i = 0; i < x.size(); ++i)
            for (std::size_t j = i + 1; j < x.size(); ++j) {
                std::size_t const k = x[i].size() / (fields - 1);
                for (std::size_t t = 0; t < k; ++t) {
                    double const term = x[i][(j - 1) * k + t] * x[j][i * k + t];
                    y.value[0][0] += term;
                    y.magnitude[0][0] += std::abs(term);
                }
            }
        return y;
    };
}

// <x_i, x_j> in the order (1, 0), (2, 0), (2, 1), ...; with the diagonal (0, 0), (1, 0), (1, 1), ...
inline Block dots(std::size_t fields, std::size_t width, bool diagonal) {
    return [=](Parameters const&, Sequence const& given) {
        Sequence const x = whole(given, fields, width);
        Result y{{{}}, {{}}};
        for (std::size_t i = 0; i < fields; ++i)
            for (std::size_t j = 0; j < i + (diagonal ? 1 : 0); ++j) {
                double sum = 0, terms = 0;
                for (std::size_t t = 0; t < width; ++t) {
                    sum += x[i][t] * x[j][t];
                    terms += std::abs(x[i][t] * x[j][t]);
                }
                y.value[0].push_back(sum);
                y.magnitude[0].push_back(terms);
            }
        return y;
    };
}

// Rows (A v_i) * v_j for i < j; A is "weight", or one for each i, or each pair, "0.weight", ...
inline Block bilinear(std::size_t fields, std::size_t width) {
    return [=](Parameters const& p, Sequence const& given) {
        Sequence const x = whole(given, fields, width);
        bool const by_pair = p.has(std::to_string(fields - 1) + ".weight") || fields == 2;
        Result y;
        std::size_t pair = 0;
        for (std::size_t i = 0; i < fields; ++i)
            for (std::size_t j = i + 1; j < fields; ++j, ++pair) {
                Parameters const own = p.has("weight") ? p : p.child(std::to_string(by_pair ? pair : i));
                Result u = dense(own, {x[i]});
                for (std::size_t t = 0; t < width; ++t) {
                    u.value[0][t] *= x[j][t];
                    u.magnitude[0][t] *= std::abs(x[j][t]);
                }
                y.value.push_back(u.value[0]);
                y.magnitude.push_back(u.magnitude[0]);
            }
        return y;
    };
}

// X'_ht = b_h + sum over m, q of W_h(m q) X0_mt X_qt, layer by layer; the output is sum over t of every X'.
inline Block cin(std::size_t layers, std::size_t fields, std::size_t width) {
    return [=](Parameters const& p, Sequence const& given) {
        Sequence const x0 = whole(given, fields, width);
        Result x{x0, zeros_like(x0)}, y{{{}}, {{}}};
        for (std::size_t l = 0; l < layers; ++l) {
            Matrix const& w = p[std::to_string(l) + ".weight"];
            Matrix const& b = p[std::to_string(l) + ".bias"];
            x = apply(
                [&](Sequence const& in) {
                    Sequence const none(static_cast<std::size_t>(w.rows), std::vector<double>(width));
                    Result out{none, none};
                    for (int h = 0; h < w.rows; ++h)
                        for (std::size_t t = 0; t < width; ++t) {
                            double sum = b(0, h), terms = std::abs(sum);
                            for (std::size_t m = 0; m < fields; ++m)
                                for (std::size_t q = 0; q < in.size(); ++q) {
                                    double const term =
                                        w(h, static_cast<int>(m * in.size() + q)) * x0[m][t] * in[q][t];
                                    sum += term;
                                    terms += std::abs(term);
                                }
                            out.value[static_cast<std::size_t>(h)][t] = sum;
                            out.magnitude[static_cast<std::size_t>(h)][t] = terms;
                        }
                    return out;
                },
                x);
            for (std::size_t h = 0; h < x.value.size(); ++h) {
                double sum = 0, terms = 0;
                for (std::size_t t = 0; t < width; ++t) sum += x.value[h][t], terms += x.magnitude[h][t];
                y.value[0].push_back(sum);
                y.magnitude[0].push_back(terms);
            }
        }
        return y;
    };
}

// Every field times relu(W2 relu(W1 z)), z_i the mean of field i.
inline Block senet(std::size_t fields, std::size_t width) {
    return [=](Parameters const& p, Sequence const& given) {
        Sequence const x = whole(given, fields, width);
        Result z{{{}}, {{}}};
        for (auto const& row : x) {
            z.value[0].push_back(mean_of(row));
            z.magnitude[0].push_back(mean_of(absolute({row})[0]));
        }
        auto const part = [&](std::string const& name) {
            return [&p, name](Sequence const& in) {
                return apply([](Sequence const& v) { return relu({}, v); }, dense(p.child(name), in));
            };
        };
        Result const s = apply(part("1"), apply(part("0"), z));
        Result y{given, given};
        for (std::size_t f = 0; f < given.size(); ++f)
            for (std::size_t t = 0; t < width; ++t) {
                y.value[f][t] = s.value[0][f] * given[f][t];
                y.magnitude[f][t] = s.magnitude[0][f] * std::abs(given[f][t]);
            }
        return y;
    };
}

// The product of what branches "0", "1", ... give.
inline Block product(std::vector<Block> branches) {
    return [branches](Parameters const& p, Sequence const& x) {
        Result y = branches.at(0)(p.child("0"), x);
        for (std::size_t b = 1; b < branches.size(); ++b) {
            Result const z = branches[b](p.child(std::to_string(b)), x);
            for (std::size_t t = 0; t < y.value.size(); ++t)
                for (std::size_t i = 0; i < y.value[t].size(); ++i) {
                    y.magnitude[t][i] = y.magnitude[t][i] * std::abs(z.value[t][i]) +
                                        std::abs(y.value[t][i]) * z.magnitude[t][i];
                    y.value[t][i] *= z.value[t][i];
                }
        }
        return y;
    };
}

// y = b + <w, x> + sum over heads of o1_h^T W_h o2_h, with x = [o1, o2] and W_h "h.weight".
inline Block fusion(std::size_t heads) {
    return [heads](Parameters const& p, Sequence const& x) {
        Result y = dense(p, x);
        std::size_t const half = x.at(0).size() / 2, k = half / heads;
        for (std::size_t h = 0; h < heads; ++h) {
            Matrix const& w = p[std::to_string(h) + ".weight"];
            for (std::size_t i = 0; i < k; ++i)
                for (std::size_t j = 0; j < k; ++j) {
                    double const term = x[0][h * k + i] * w(static_cast<int>(i), static_cast<int>(j)) *
                                        x[0][half + h * k + j];
                    y.value[0][0] += term;
                    y.magnitude[0][0] += std::abs(term);
                }
        }
        return y;
    };
}

} // namespace reference
