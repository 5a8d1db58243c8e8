// SPDX-License-Identifier: BSD-3-Clause
// The reference of attention against the worked numbers of the mathematics pages and against invariances.
#include "attention.hpp"
#include "checks.hpp"
#include "combine.hpp"

using namespace reference;

namespace {

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

Sequence beginning(Sequence const& x, std::size_t n) {
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
    Parameters const p = giving(worked_q, worked_k, worked_v);
    Rows const x = exactly(identity(3));
    Attention const a{};
    detail::Attending const attending(a, p, x, x);
    Sequence const P =
        result_of({attending.weights(0, 0), attending.weights(0, 1), attending.weights(0, 2)}).value;
    check_equal(P, {{1}, {.3302385, .6697615}, {.3005804, .3005804, .3988391}}, 5e-8);
    check_equal({{std::sqrt(.5) - std::log(P[0][0]), -std::log(P[1][0]), std::sqrt(.5) - std::log(P[2][0])}},
                {{.7071068, 1.1079403, 1.9091467}}, 5e-8);
    auto const slopes = [&](std::string const& name) {
        Parameters moved = p;
        auto const sum = [&](double& w, double by) {
            w += by;
            double all = 0;
            for (auto const& token : attention()(moved, identity(3)).value) all += token[0] + token[1];
            w -= by;
            return all;
        };
        Matrix slope = p[name];
        for (std::size_t i = 0; i < 6; ++i) {
            double& w = moved.by_name[name].data[i];
            slope.data[i] = (sum(w, 1e-6) - sum(w, -1e-6)) / 2e-6;
        }
        return transposed(rows_of(slope));
    };
    check_equal(slopes("q.weight"), {{0, 0}, {-.6255944, .6255944}, {-.3233606, .7302578}}, 1e-7);
    check_equal(slopes("k.weight"), {{-.9337064, -1.5593008}, {-.0835366, .5420578}, {1.017243, 1.017243}},
                1e-7);
    check_equal(slopes("v.weight"), {{1.6308189, 1.6308189}, {.970342, .970342}, {.3988391, .3988391}}, 1e-7);
}

TEST_CASE("attention: sinks of 2.4, each a case of the next") {
    auto const with = [](Attention const& a, std::map<std::string, Sequence> const& more) {
        Parameters p = giving(worked_q, worked_k, worked_v);
        for (auto const& [name, tensor] : more) p.by_name[name] = matrix_of(tensor);
        return attention(a)(p, identity(3)).value;
    };
    Sequence const off_by_one = worked({.sink = Sink::off_by_one}), plain = worked({});
    check_equal(off_by_one, {{.6697615, 1.3395231}, {1.7587246, 2.5104695}, {2.7839213, 3.6548445}}, 5e-8);
    check_equal(with({.sink = Sink::learned}, {{"sink", {{0}}}}), off_by_one);
    check_equal(with({.sink = Sink::learned}, {{"sink", {{-80}}}}), plain);
    // a key that scores 0.3 everywhere, and has no value
    Sequence const learned = with({.sink = Sink::learned}, {{"sink", {{.3}}}});
    Parameters p = giving({{1, 0, 1}, {0, 1, 1}, {1, 1, 1}}, {{1, 0, 0}, {0, 1, 0}, {.6, .8, 0}}, worked_v);
    p.by_name["q.weight"] = matrix_of(times(std::sqrt(1.5), rows_of(p["q.weight"]))); // scale 1/sqrt(2) again
    p.by_name["sink_key"] = matrix_of({{0, 0, .3 * std::sqrt(2.0)}});
    p.by_name["sink_value"] = matrix_of({{0, 0}});
    check_equal(attention({.sink_keys = 1})(p, identity(3)).value, learned);
}

TEST_CASE("attention: maps of a row of 2.11") {
    Row const z = exactly(std::vector<double>{1, .6, .1, -.5});
    check_equal(result_of({sparsemax(z)}).value, {{.7, .3, 0, 0}});
    check_equal(result_of({entmax15(z)}).value, {{.5834265, .3178971, .0984853, .0001911}}, 5e-8);
    check_equal(result_of({entmax(1.0001, z)}).value, result_of({softmax(z)}).value, 1e-4);
    check_equal(result_of({entmax15({2.5})}).value, {{1}});
    CHECK(sparsemax({}).empty());
    Rounded const huge[] = {1e4, -1e4};
    for (auto map : {softmax, sparsemax, entmax15})
        check_equal(result_of({map({huge[0], huge[1], huge[0]})}).value, {{.5, 0, .5}});
    check_equal(result_of({taylor({1.0, -1.0}, 0)}).value, {{2.5 / 3, .5 / 3}});
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
    check_equal(attention(a)(p, beginning(x, 4)).value, beginning(y, 4), 0);

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

// The numbers were computed in numpy, by whole matrices, from the waves below.
TEST_CASE("attention: forms as others compute them") {
    Sequence const q = wave(5, 4, 1), k = wave(5, 4, 2), v = wave(5, 3, 3);
    Sequence const q2 = wave(5, 8, 1), k2 = wave(5, 8, 2), v2 = wave(5, 6, 3);
    auto const check = [](Attention const& a, Parameters p, std::map<std::string, Sequence> const& more,
                          Sequence const& expected) {
        for (auto const& [name, tensor] : more) p.by_name[name] = matrix_of(tensor);
        p.by_name["o.weight"] = matrix_of(identity(expected[0].size()));
        check_equal(attention(a)(p, identity(5)).value, expected, 1e-9);
    };
    SUBCASE("soft cap, slopes, a learned sink and a window") {
        check({.mask = {.window = 3}, .alibi = Alibi::learned, .softcap = 1.7, .sink = Sink::learned},
              giving(q, k, v), {{"slopes", {{.3}}}, {"sink", {{.4}}}},
              {{0.0822456843, -0.5395709871, 0.4625549377},
               {-0.3634432614, 0.1096102554, -0.0218729456},
               {-0.3966439640, 0.1332260861, 0.0648208466},
               {-0.0764838200, -0.1550648896, 0.0557147327},
               {0.3499918668, 0.0318822288, -0.1805175588}});
    }
    SUBCASE("a key and a value that all see") {
        check({.sink_keys = 1}, giving(q, k, v), {{"sink_key", wave(1, 4, 4)}, {"sink_value", wave(1, 3, 5)}},
              {{-0.0083377180, -0.7009871766, 0.7161190090},
               {-0.6657331294, 0.3119937806, 0.1121015030},
               {-0.5478947484, 0.1693799377, 0.1411750095},
               {-0.5033974795, 0.2044534312, 0.1055363840},
               {0.0476112958, -0.1381218946, 0.1294466916}});
    }
    SUBCASE("forgetting") {
        check({.forgetting = true}, giving(q, k, v), {{"forget.weight", transposed(wave(5, 1, 6))}},
              {{0.1411200081, -0.9258146823, 0.7936678638},
               {-0.5772339658, 0.1984984410, -0.0564400902},
               {-0.5702497341, 0.2166545852, 0.0761483194},
               {0.1252918911, -0.4947641888, 0.2035271818},
               {0.7185302138, 0.2130067632, -0.4566268635}});
    }
    SUBCASE("selective") {
        check({.heads = 2, .selective = true}, giving(q2, k2, v2), {},
              {{0.1411200081, -0.9258146823, 0.7936678638, 0.1244544235, -0.9193285257, 0.8037844266},
               {-0.4907022933, 0.0630656342, 0.0459624380, 0.1308328937, -0.1012413955, -0.1598534107},
               {-0.5074632284, 0.1143351378, 0.1331370035, -0.0737692954, -0.1319055751, -0.0500164734},
               {-0.2493419320, -0.0880784279, 0.0400861939, 0.2293154077, -0.4173367113, 0.0183317223},
               {0.2288332433, -0.2945512235, 0.1518626004, -0.2623429038, 0.0713934487, 0.3260166773}});
    }
    SUBCASE("by keys alone") {
        check({.scores = Scores::keys}, giving(q, k, v), {},
              {{0.1411200081, -0.9258146823, 0.7936678638},
               {-0.3165653486, -0.2094802962, 0.2520380040},
               {-0.4380275203, -0.0054699729, 0.1677385242},
               {-0.2265232815, -0.2112760709, 0.2153887583},
               {-0.0452880588, -0.0994940100, 0.0653431000}});
    }
    SUBCASE("differential") {
        check({.differential = {.on = true, .layer = 2}, .eps = 1e-5}, giving(q2, k2, v2),
              {{"lambda_q1", times(.5, wave(1, 4, 7))},
               {"lambda_k1", times(.5, wave(1, 4, 8))},
               {"lambda_q2", times(.5, wave(1, 4, 9))},
               {"lambda_k2", times(.5, wave(1, 4, 10))},
               {"norm.weight", times(.1, wave(1, 6, 11), 1)}},
              {{0.0948373529, -0.7264727263, 0.6214597560, 0.0836395294, -0.7223719429, 0.6284953928},
               {-0.0749050054, -0.6722342716, 0.6144671453, 0.1241155311, -0.7906712365, 0.6075672595},
               {-0.4170933234, 0.4773666439, -0.1908739363, -0.2604479947, 0.7328224360, -0.8492564516},
               {-0.6623247144, 0.7060235084, -0.4552937496, 0.0422842414, 0.3687095623, -0.6403283245},
               {0.1314139603, -0.8144292977, 0.6637466041, 0.1645619884, -0.7067030010, 0.4362611390}});
    }
    SUBCASE("sparsemax and entmax") {
        check({.weights = RowMap::sparsemax}, giving(times(2, q), k, v), {},
              {{0.1411200081, -0.9258146823, 0.7936678638},
               {-0.8056041561, 0.5559261316, -0.3266958726},
               {-0.6312666379, 0.3190983623, 0.0336230472},
               {-0.1785978832, -0.1215659817, -0.0359618088},
               {0.2115802989, -0.7994111392, 0.6575555420}});
        check({.weights = RowMap::entmax15}, giving(times(2, q), k, v), {},
              {{0.1411200081, -0.9258146823, 0.7936678638},
               {-0.6713594643, 0.3458165280, -0.1678292352},
               {-0.6312666379, 0.3190983623, 0.0336230472},
               {-0.1936202517, -0.1074105239, -0.0317612942},
               {0.3200357824, -0.6169325678, 0.4538164338}});
    }
    SUBCASE("the exponential to second order") {
        check({.weights = RowMap::taylor}, giving(q, k, v), {},
              {{0.1411199407, -0.9258142403, 0.7936674850},
               {-0.4841735577, 0.0528475787, 0.0536884143},
               {-0.4987942978, 0.0994850999, 0.1379153055},
               {-0.2389307709, -0.1121525596, 0.0633233751},
               {0.1575529135, -0.2238001335, 0.1093390193}});
    }
    SUBCASE("a shared key head, normed queries and keys, a gate a head") {
        check({.heads = 2, .kv_heads = 1, .qk_norm = QkNorm::rms, .gate = OutputGate::headwise},
              giving(q2, k, v),
              {{"q_norm.weight", times(.2, wave(1, 4, 12), 1)},
               {"k_norm.weight", times(.2, wave(1, 4, 13), 1)},
               {"gate.weight", transposed(wave(5, 2, 14))}},
              {{0.1029058205, -0.6751113523, 0.5787488523, 0.0572421411, -0.3755357967, 0.3219334271},
               {-0.3548829125, 0.1339465433, -0.0452866850, -0.0066333602, -0.2264568167, 0.2026894547},
               {-0.1734072245, 0.0592792952, 0.0334598422, -0.4538034535, 0.2255404968, 0.0152092757},
               {-0.1202861347, 0.0310086440, -0.0271175694, -0.2261835822, 0.0431047619, 0.0679813284},
               {0.1725907560, -0.2726005504, 0.1688511699, 0.1377109880, -0.0465446284, -0.0045513735}});
    }
    SUBCASE("a shared key head, unit queries and keys, a gate a channel") {
        check({.heads = 2, .kv_heads = 1, .qk_norm = QkNorm::l2, .gate = OutputGate::elementwise},
              giving(q2, k, v), {{"temperature", {{2, 3}}}, {"gate.weight", transposed(wave(5, 6, 15))}},
              {{0.0927264750, -0.2519011608, 0.4642921553, 0.0923165607, -0.2513788162, 0.4673215345},
               {-0.2399390270, 0.1835160708, -0.0801943535, 0.0189823267, -0.5209495935, 0.1977433194},
               {-0.1488852707, 0.1097260179, 0.0468035114, -0.3429964789, 0.1736177093, 0.0108103516},
               {-0.1812878437, 0.0180920338, -0.0585896279, -0.2737670651, 0.0436616631, 0.0892346346},
               {0.1975027639, -0.1905892620, 0.0643044850, 0.2597102787, 0.0098247816, -0.1355879946}});
    }
}

TEST_CASE("attention: what its options degenerate to") {
    Sequence const x = numbers(6, 6, 9);
    Parameters p = drawn(6, 2, 1, 4, 3);
    auto const of = [&](Attention a) {
        a.heads = 2, a.kv_heads = 1;
        return attention(a)(p, x).value;
    };
    Sequence const plain = of({});
    check_equal(of({.softcap = 1e4}), plain, 1e-7);
    CHECK(std::abs(of({.softcap = .5})[5][0] - plain[5][0]) > 1e-3);

    p.by_name["slopes"] = matrix_of({{0, 0}});
    check_equal(of({.alibi = Alibi::learned}), plain);
    p.by_name["slopes"] = matrix_of({{1.0 / 16, 1.0 / 256}});
    check_equal(of({.alibi = Alibi::learned}), of({.alibi = Alibi::fixed}));

    p.by_name["forget.weight"] = matrix_of(Sequence(2, std::vector<double>(6)));
    p.by_name["forget.bias"] = matrix_of({{60, 60}}); // nothing is forgotten
    check_equal(of({.forgetting = true}), plain);
    p.by_name["forget.bias"] = matrix_of({{0, 0}}); // half a token, as a slope of log 2 says it
    p.by_name["slopes"] = matrix_of({{std::log(2.0), std::log(2.0)}});
    check_equal(of({.forgetting = true}), of({.alibi = Alibi::learned}));

    p.by_name["q_norm.weight"] = p.by_name["k_norm.weight"] = matrix_of({{1, 1, 1, 1}});
    Sequence const normed = of({.qk_norm = QkNorm::rms, .eps = 0});
    p.by_name["q.weight"] = matrix_of(times(2, rows_of(p["q.weight"])));
    p.by_name["q.bias"] = matrix_of(times(2, rows_of(p["q.bias"])));
    check_equal(of({.qk_norm = QkNorm::rms, .eps = 0}), normed);
    p.by_name["temperature"] = matrix_of({{2, 2}}); // sqrt(dk): RMS and L2 norms differ by it
    check_equal(of({.qk_norm = QkNorm::l2, .eps = 0}), normed);
    check_equal({of({.selective = true}).at(1)}, {of({}).at(1)}, 0);
}

TEST_CASE("attention: selective is plain where nothing scores above 0, and its first head decides") {
    Sequence const ones(4, {1, 1}), minus = times(-1, ones), v = wave(4, 2, 3), q = wave(4, 2, 1);
    Parameters const p = giving(ones, minus, v);
    check_equal(attention({.selective = true})(p, identity(4)).value, attention()(p, identity(4)).value, 0);
    // all score 2 / sqrt(2): token 3 sees key 1 less by what token 2 gave it
    Sequence const y = attention({.selective = true})(giving(ones, ones, v), identity(4)).value;
    double const w = std::exp(-std::sqrt(2.0));
    check_equal({y[3]}, {{(v[0][0] + w * v[1][0] + v[2][0] + v[3][0]) / (3 + w),
                          (v[0][1] + w * v[1][1] + v[2][1] + v[3][1]) / (3 + w)}});
    Sequence const both = attention({.heads = 2, .selective = true})(
                              giving(beside(minus, q), beside(ones, q), beside(v, v)), identity(4))
                              .value;
    Sequence const second = attention()(giving(q, q, v), identity(4)).value;
    for (std::size_t t = 0; t < 4; ++t) CHECK(both[t][3] == doctest::Approx(second[t][1]));
}

TEST_CASE("attention: differential without lambda is its first half") {
    Sequence const q = wave(5, 8, 1), k = wave(5, 8, 2), v = wave(5, 6, 3);
    Parameters p = giving(q, k, v);
    double const start = .8 - .6 * std::exp(-.3);
    p.by_name["lambda_q1"] = matrix_of({{0, 0, 0, 0}});
    p.by_name["lambda_k1"] = p.by_name["lambda_q1"];
    p.by_name["lambda_q2"] = matrix_of({{std::log(1 + start), 0, 0, 0}});
    p.by_name["lambda_k2"] = matrix_of({{1, 0, 0, 0}});
    auto const half = [](Sequence x) {
        for (auto& row : x) row.resize(4);
        return x;
    };
    check_equal(attention({.differential = {true, 1, false}})(p, identity(5)).value,
                attention()(giving(half(q), half(k), v), identity(5)).value);
}

TEST_CASE("attention: queries and keys of another stream") {
    Sequence const x = numbers(5, 6, 9), other = numbers(7, 6, 10);
    Parameters const p = drawn(6, 2, 1, 4, 3);
    Attention const a{.heads = 2, .kv_heads = 1};
    check_equal(attention_of(a, x)(p, x).value, attention(a)(p, x).value, 0);
    // linear in the values: weights do not know x
    Sequence const y = attention_of(a, other)(p, x).value,
                   none = attention_of(a, other)(p, zeros_like(x)).value;
    check_equal(plus(attention_of(a, other)(p, times(3, x)).value, times(2, none)), times(3, y));
    CHECK(std::abs(attention(a)(p, x).value[4][0] - y[4][0]) > 1e-3);
}

TEST_CASE("attention: parameters by other names") {
    Sequence const x = numbers(5, 6, 9);
    Parameters const p = drawn(6, 2, 1, 4, 3);
    Attention const a{.heads = 2, .kv_heads = 1};
    Parameters other;
    for (auto const& [name, tensor] : p.by_name)
        other.by_name[name[0] == 'q' ? "query" + name.substr(1) : name] = tensor;
    check_equal(renamed({{"query", "q"}}, attention(a))(other, x).value, attention(a)(p, x).value, 0);

    Sequence weight, bias = {{}};
    for (std::string const name : {"q", "k", "v"}) {
        Sequence const w = rows_of(p[name + ".weight"]), b = rows_of(p[name + ".bias"]);
        weight.insert(weight.end(), w.begin(), w.end());
        bias[0].insert(bias[0].end(), b[0].begin(), b[0].end());
    }
    Parameters const fused = parameters({{"qkv.weight", weight},
                                         {"qkv.bias", bias},
                                         {"o.weight", rows_of(p["o.weight"])},
                                         {"o.bias", rows_of(p["o.bias"])}});
    check_equal(split("qkv", {{"q", 8}, {"k", 4}, {"v", 3}}, attention(a))(fused, x).value,
                attention(a)(p, x).value, 0);
}
