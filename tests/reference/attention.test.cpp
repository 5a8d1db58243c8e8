// SPDX-License-Identifier: BSD-3-Clause
// The reference of attention against the worked numbers of the mathematics pages and against invariances.
#include "attention.hpp"
#include "checks.hpp"

using namespace reference;

namespace {

Sequence transposed(Sequence const& x) {
    Sequence y(x.at(0).size(), std::vector<double>(x.size()));
    for (std::size_t r = 0; r < x.size(); ++r)
        for (std::size_t c = 0; c < x[r].size(); ++c) y[c][r] = x[r][c];
    return y;
}

// Parameters that turn the one-hot tokens of identity(T) into these queries, keys and values.
Parameters giving(Sequence const& q, Sequence const& k, Sequence const& v) {
    return parameters({{"q.weight", transposed(q)},
                       {"k.weight", transposed(k)},
                       {"v.weight", transposed(v)},
                       {"o.weight", identity(v[0].size())}});
}

Sequence const worked_q = {{1, 0}, {0, 1}, {1, 1}}, worked_k = {{1, 0}, {0, 1}, {.6, .8}},
               worked_v = {{1, 2}, {3, 4}, {5, 6}};

Sequence worked(Attention const& a) {
    return attention(a)(giving(worked_q, worked_k, worked_v), identity(3)).value;
}

Parameters drawn(std::size_t width, std::size_t heads, std::size_t kv_heads, std::size_t dk, std::size_t dv) {
    return parameters({{"q.weight", numbers(heads * dk, width, 1)},
                       {"q.bias", numbers(1, heads * dk, 2)},
                       {"k.weight", numbers(kv_heads * dk, width, 3)},
                       {"k.bias", numbers(1, kv_heads * dk, 4)},
                       {"v.weight", numbers(kv_heads * dv, width, 5)},
                       {"v.bias", numbers(1, kv_heads * dv, 6)},
                       {"o.weight", numbers(width, heads * dv, 7)},
                       {"o.bias", numbers(1, width, 8)}});
}

Sequence first(Sequence const& x, std::size_t n) {
    return {x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)};
}

Sequence turned(Rope const& rope, Sequence x, int position) {
    Rows rows;
    for (auto const& row : x) rows.push_back(rotated(rope, exactly(row), position));
    return result_of(rows).value;
}

} // namespace

TEST_CASE("attention: worked numbers of 2.13") {
    check_equal(worked({}), {{1, 2}, {2.3395231, 3.3395231}, {3.1965174, 4.1965174}}, 5e-8);
    Row const z = exactly(std::vector<double>{0, std::log(3.0)});
    check_equal(result_of({softmax(z)}).value, {{.25, .75}});
    CHECK(softmax({}).empty());
}

TEST_CASE("attention: heads are slices, key heads are shared by groups") {
    Sequence const x = numbers(5, 6, 9);
    Parameters const p = drawn(6, 4, 2, 3, 2);
    Sequence const y = attention({.heads = 4, .kv_heads = 2})(p, x).value;

    // the same with every key head written twice
    Parameters tied = p;
    for (std::string const name : {"k", "v"}) {
        std::size_t const d = name == "k" ? 3 : 2;
        for (std::string const& tensor : {name + ".weight", name + ".bias"}) {
            Sequence rows = rows_of(p[tensor]);
            bool const bias = rows.size() == 1;
            if (bias) rows = transposed(rows);
            Sequence twice;
            for (std::size_t h = 0; h < 4; ++h)
                for (std::size_t r = 0; r < d; ++r) twice.push_back(rows.at(h / 2 * d + r));
            tied.by_name[tensor] = matrix_of(bias ? transposed(twice) : twice);
        }
    }
    check_equal(attention({.heads = 4})(tied, x).value, y);

    // one head alone, through its columns of o
    Sequence sum(5, rows_of(p["o.bias"])[0]);
    for (std::size_t h = 0; h < 4; ++h) {
        auto const rows = [&](std::string const& tensor, std::size_t from, std::size_t count) {
            Sequence const all = rows_of(tied[tensor]);
            return Sequence(all.begin() + std::ptrdiff_t(from), all.begin() + std::ptrdiff_t(from + count));
        };
        auto const columns = [&](std::string const& tensor, std::size_t from, std::size_t count) {
            Sequence const all = transposed(rows_of(tied[tensor]));
            return transposed(
                Sequence(all.begin() + std::ptrdiff_t(from), all.begin() + std::ptrdiff_t(from + count)));
        };
        Parameters const one = parameters({{"q.weight", rows("q.weight", 3 * h, 3)},
                                           {"q.bias", columns("q.bias", 3 * h, 3)},
                                           {"k.weight", rows("k.weight", 3 * h, 3)},
                                           {"k.bias", columns("k.bias", 3 * h, 3)},
                                           {"v.weight", rows("v.weight", 2 * h, 2)},
                                           {"v.bias", columns("v.bias", 2 * h, 2)},
                                           {"o.weight", columns("o.weight", 2 * h, 2)}});
        sum = plus(sum, attention()(one, x).value);
    }
    check_equal(sum, y);
}

TEST_CASE("attention: masks, pair by pair") {
    auto const drawing = [](Mask const& mask) {
        std::string rows;
        for (int i = 0; i < 6; ++i) {
            for (int j = 0; j < 6; ++j) rows += mask(i, j) ? 'x' : '.';
            rows += ' ';
        }
        return rows;
    };
    CHECK(drawing({}) == "x..... xx.... xxx... xxxx.. xxxxx. xxxxxx ");
    CHECK(drawing({.sees = Sees::all}) == "xxxxxx xxxxxx xxxxxx xxxxxx xxxxxx xxxxxx ");
    CHECK(drawing({.sees = Sees::prefix, .prefix = 3}) == "xxx... xxx... xxx... xxxx.. xxxxx. xxxxxx ");
    CHECK(drawing({.window = 2}) == "x..... xx.... .xx... ..xx.. ...xx. ....xx ");
    CHECK(drawing({.window = 2, .sinks = 1}) == "x..... xx.... xxx... x.xx.. x..xx. x...xx ");
    CHECK(drawing({.sees = Sees::all, .window = 2}) == "xx.... xxx... .xxx.. ..xxx. ...xxx ....xx ");
    CHECK(drawing({.block = 2}) == "x..... xx.... ..x... ..xx.. ....x. ....xx ");
    CHECK(drawing({.block = 2, .segments = 1}) == "x..... xx.... xxx... xxxx.. ..xxx. ..xxxx ");
    CHECK(drawing({.documents = {7, 7, 7, 1, 1, 1}}) == "x..... xx.... xxx... ...x.. ...xx. ...xxx ");
    CHECK(drawing({.window = 6}) == drawing({}));
    CHECK(drawing({.block = 6}) == drawing({}));
}

TEST_CASE("attention: what a mask hides does not exist, and what is later does not matter") {
    Sequence const x = numbers(6, 6, 9);
    Parameters const p = drawn(6, 2, 1, 4, 3);
    Attention a{.heads = 2, .kv_heads = 1, .rope = {10000}};
    Sequence const y = attention(a)(p, x).value;
    check_equal(attention(a)(p, first(x, 4)).value, first(y, 4), 0);

    a.mask.window = 3;
    a.position = 100;
    Sequence const last = {x.begin() + 3, x.end()};
    Sequence const windowed = attention(a)(p, x).value;
    a.position = 103;
    check_equal({attention(a)(p, last).value.back()}, {windowed.back()});

    a.mask = {.documents = {0, 0, 0, 1, 1, 1}};
    check_equal(Sequence(1, attention(a)(p, x).value.back()), {attention(a)(p, last).value.back()});
    CHECK(attention(a)(p, {}).value.empty());
}

TEST_CASE("rope: worked by hand, and relative") {
    double const c = std::cos(3.0), s = std::sin(3.0), c2 = std::cos(.03), s2 = std::sin(.03);
    check_equal(turned({10000}, {{1, 2, 3, 4}}, 3),
                {{c - 3 * s, 2 * c2 - 4 * s2, s + 3 * c, 2 * s2 + 4 * c2}});
    check_equal(turned({10000, Pairs::neighbours}, {{1, 3, 2, 4}}, 3),
                {{c - 3 * s, s + 3 * c, 2 * c2 - 4 * s2, 2 * s2 + 4 * c2}});
    check_equal(turned({10000, Pairs::halves, 2}, {{1, 3, 2, 4}}, 3), {{c - 3 * s, s + 3 * c, 2, 4}});
    check_equal(turned({10000}, {{1, 2, 3, 4}}, 0), {{1, 2, 3, 4}});
    for (Pairs pairs : {Pairs::halves, Pairs::neighbours}) {
        Sequence const x = numbers(7, 6, 9);
        Parameters const p = drawn(6, 1, 1, 6, 3);
        Attention const near_start{.rope = {100, pairs, 4}},
            further{.rope = {100, pairs, 4}, .position = 1000};
        check_equal(attention(near_start)(p, x).value, attention(further)(p, x).value, 1e-10);
    }
}
