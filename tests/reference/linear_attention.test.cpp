// SPDX-License-Identifier: BSD-3-Clause
// The references of linear attention and its family against the worked numbers of the mathematics pages,
// against numbers computed in numpy from the same waves, and against each other.
#include "linear_attention.hpp"
#include "checks.hpp"

using namespace reference;

namespace {

Sequence output(LinearAttention const& a, Parameters const& p, std::size_t T = 5) {
    return linear_attention(a)(p, identity(T)).value;
}

// The worked q, k, v with a constant write strength and decay.
struct Worked {
    Sequence o, u, state;
};
Worked worked(double beta, double decay, bool delta) {
    Worked w;
    State S(2, Row(2));
    for (std::size_t t = 0; t < 3; ++t) {
        State before = S;
        write(S, {exactly(worked_k[t]), exactly(worked_v[t]), Row(2, decay), beta, delta});
        w.o.push_back(result_of({read(exactly(worked_q[t]), S)}).value[0]);
        // k is a unit vector: what was written is k (S - decay before)
        std::vector<double> u;
        for (std::size_t c = 0; c < 2; ++c)
            u.push_back(worked_k[t][0] * (S[0][c].value - decay * before[0][c].value) +
                        worked_k[t][1] * (S[1][c].value - decay * before[1][c].value));
        w.u.push_back(u);
    }
    w.state = result_of(S).value;
    return w;
}

Sequence const q = wave(5, 4, 1), k = wave(5, 4, 2), v = wave(5, 3, 3);

// A parameter that gives token t of identity(T) the row t.
Sequence told(Sequence const& rows) { return transposed(rows); }

} // namespace

TEST_CASE("linear attention: worked numbers of section 4") {
    check_equal(worked(1, 1, false).o, {{1, 2}, {3, 4}, {11, 14.4}});
    check_equal(worked(1, .5, false).o, {{1, 2}, {3, 4}, {8.75, 10.9}});
    Worked const delta = worked(.5, 1, true), gated = worked(.5, .5, true);
    check_equal(delta.u, {{.5, 1}, {1.5, 2}, {1.75, 1.9}});
    check_equal(delta.o, {{.5, 1}, {1.5, 2}, {4.45, 5.66}});
    check_equal(delta.state, {{1.55, 2.14}, {2.9, 3.52}});
    check_equal({gated.u[2]}, {{2.1625, 2.525}});
    check_equal(gated.o, {{.5, 1}, {1.5, 2}, {3.9025, 4.785}});
    check_equal(gated.state, {{1.4225, 1.765}, {2.48, 3.02}});
    // and as a block
    Parameters const p = giving(worked_q, worked_k, worked_v);
    check_equal(output({.scale = 1}, p, 3), {{1, 2}, {3, 4}, {11, 14.4}});
    check_equal(output({.scale = 1, .beta = true, .delta = true}, with(p, {{"beta.weight", {{0, 0, 0}}}}), 3),
                {{.5, 1}, {1.5, 2}, {4.45, 5.66}});
    // softplus(0) = log 2: a half
    check_equal(output({.scale = 1, .decay = Decay::softplus, .beta = true, .delta = true},
                       with(p, {{"beta.weight", {{0, 0, 0}}},
                                {"a.weight", {{0, 0, 0}}},
                                {"A_log", {{0}}},
                                {"dt_bias", {{0}}}}),
                       3),
                {{.5, 1}, {1.5, 2}, {3.9025, 4.785}});
}

TEST_CASE("linear attention: members as others compute them") {
    Parameters const p = giving(q, k, v);
    SUBCASE("gated delta") {
        check_equal(output({.decay = Decay::softplus, .beta = true, .delta = true, .unit = true},
                           with(p, {{"a.weight", told(wave(5, 1, 5))},
                                    {"beta.weight", told(wave(5, 1, 4))},
                                    {"A_log", {{.3}}},
                                    {"dt_bias", {{-.5}}}})),
                    {{0.0156377684, -0.1025912329, 0.0879478001},
                     {-0.0999510231, 0.0598314424, -0.0324060973},
                     {-0.1419250242, 0.0629104785, 0.0219690910},
                     {0.0915988671, -0.1878891255, 0.0764840122},
                     {0.1344677080, 0.0082138663, -0.0622148969}},
                    1e-9);
    }
    SUBCASE("gated delta with a decay for each channel") {
        check_equal(output({.decay = Decay::softplus, .beta = true, .delta = true},
                           with(p, {{"a.0.weight", identity(5)},
                                    {"a.1.weight", told(wave(5, 4, 6))},
                                    {"beta.weight", told(wave(5, 1, 4))},
                                    {"A_log", {{.3}}},
                                    {"dt_bias", wave(1, 4, 7)}})),
                    {{0.0354161803, -0.2323470652, 0.1991828413},
                     {-0.1726339495, 0.1074504732, -0.0596253753},
                     {-0.4606726784, 0.2197319027, 0.0334454516},
                     {0.1837527864, -0.3887692861, 0.1673698671},
                     {0.2286964713, 0.0083330220, -0.1070618184}},
                    1e-9);
    }
    SUBCASE("GLA") {
        check_equal(output({.decay = Decay::logistic}, with(p, {{"a.weight", told(wave(5, 4, 8))}})),
                    {{0.1109039975, -0.7275832153, 0.6237311065},
                     {-0.5522008208, 0.2413482895, -0.0997365446},
                     {-0.2172741580, -0.0435631503, 0.3142921704},
                     {-0.3215596131, 0.6504100537, -0.7113382469},
                     {0.7380605499, -0.6478980816, 0.3651471809}},
                    1e-9);
    }
    SUBCASE("GLA of two heads") {
        check_equal(output({.heads = 2, .decay = Decay::logistic},
                           with(giving(wave(5, 8, 1), wave(5, 8, 2), wave(5, 6, 3)),
                                {{"a.weight", told(wave(5, 8, 8))}})),
                    {{0.1109039975, -0.7275832153, 0.6237311065, 0.0497603626, -0.3675732811, 0.3213755156},
                     {-0.5522008208, 0.2413482895, -0.0997365446, 0.0686795051, 0.3694617692, -0.5747225562},
                     {-0.2172741580, -0.0435631503, 0.3142921704, -0.0978574875, -0.3514906693, 0.7099919207},
                     {-0.3215596131, 0.6504100537, -0.7113382469, 0.1583170546, -0.1564335329, 0.3331556842},
                     {0.7380605499, -0.6478980816, 0.3651471809, -0.6336583258, 1.0915396080, 0.0284586822}},
                    1e-9);
    }
    SUBCASE("SSD: two heads read one q and one k") {
        check_equal(output({.heads = 2, .groups = 1, .scale = 1, .decay = Decay::ssd},
                           with(giving(q, k, wave(5, 6, 9)), {{"A_log", wave(1, 2, 10)},
                                                              {"dt_bias", wave(1, 2, 11)},
                                                              {"skip", wave(1, 2, 12)},
                                                              {"dt.weight", told(wave(5, 2, 13))}})),
                    {{0.0669147089, -0.1614831639, 0.0961335836, 1.2521876937, -3.1330192686, 1.9111974531},
                     {-0.2027215912, 0.0288700205, 0.0211615905, -0.0453082602, 0.2733146170, -0.8983221524},
                     {0.2952145131, -0.1837976417, 0.0576061711, -0.3748860679, 1.5917353438, -2.5960445713},
                     {-0.8344363384, 1.1859016584, -0.6518534416, 0.8219093879, -2.2857572582, 1.3334544396},
                     {-0.0098701839, -0.5945499057, 0.6221197677, -0.6917395144, 0.6370368865, 1.3927606024}},
                    1e-9);
    }
    SUBCASE("retention: two heads, a key head between them") {
        check_equal(output({.heads = 2, .kv_heads = 1, .decay = Decay::retention},
                           with(giving(beside(q, q), k, v), {{"o.weight", identity(6)}})),
                    {{0.1109039975, -0.7275832153, 0.6237311065, 0.1109039975, -0.7275832153, 0.6237311065},
                     {-0.5530852797, 0.2471507625, -0.1047107975, -0.5525455065, 0.2436095923, -0.1016750788},
                     {-0.2121120588, -0.0501996173, 0.3191184161, -0.2029464140, -0.0572360197, 0.3234677844},
                     {-0.3575422654, 0.7311186290, -0.7730141642, -0.3814474327, 0.7878951069, -0.8182576873},
                     {0.7644555402, -0.7085254235, 0.4091728715, 0.7853183684, -0.7620078000, 0.4517999154}},
                    1e-9);
    }
    SUBCASE("elu + 1 with its sum") {
        check_equal(output({.map = FeatureMap::elu, .normalise = true}, p),
                    {{0.1411199722, -0.9258144472, 0.7936676623},
                     {-0.3361204683, -0.1788739797, 0.2288961483},
                     {-0.4056388761, -0.0549962849, 0.2110505299},
                     {-0.1961585639, -0.2167234910, 0.1772439967},
                     {0.0639480876, -0.1658579888, 0.0891983405}},
                    1e-9);
        check_equal(output({.map = FeatureMap::elu, .normalise = true, .bidirectional = true}, p),
                    {{0.0689019540, -0.1220816833, 0.0579682696},
                     {0.0829879992, -0.1799535340, 0.0598139824},
                     {-0.0146539583, -0.0862061132, 0.0598506165},
                     {-0.0413983610, -0.1179797166, 0.0508875623},
                     {0.0639480876, -0.1658579888, 0.0891983405}},
                    1e-9);
    }
    SUBCASE("convolutions, the norm of a head, a gate") {
        check_equal(
            output({.conv = 3, .taps = Taps::newest_first, .norm = HeadNorm::rms, .gate = GateBy::silu},
                   with(p, {{"q_conv.weight", wave(3, 4, 14)},
                            {"k_conv.weight", wave(3, 4, 15)},
                            {"v_conv.weight", wave(3, 3, 16)},
                            {"norm.weight", times(.1, wave(1, 3, 17), 1)},
                            {"gate.weight", told(wave(5, 3, 18))}})),
            {{0.0111708295, 0.7445626533, -0.1361418053},
             {-0.0233399696, -0.0576662756, -0.1462909782},
             {0.5859454932, -0.2356638726, 0.5099275604},
             {-0.0029595708, -0.8330323342, 0.2751532332},
             {-0.1644306800, 0.0775413711, 1.0732278378}},
            1e-9);
    }
}

TEST_CASE("linear attention: feature maps") {
    auto const map = [](FeatureMap kind, std::vector<double> const& x, Parameters const& p = {},
                        int position = 0, double M = 8) {
        return result_of({mapped(kind, p, exactly(x), 0, position, M)}).value;
    };
    std::vector<double> const x = wave(1, 4, 1)[0], y = wave(1, 4, 2)[0];
    auto const product = [&](FeatureMap kind, Parameters const& p = {}) {
        return dot(mapped(kind, p, exactly(x), 0, 0, 8), mapped(kind, p, exactly(y), 0, 0, 8)).value;
    };
    double s = 0;
    for (std::size_t i = 0; i < 4; ++i) s += x[i] * y[i];
    check_equal(map(FeatureMap::elu, {2, -1, 0}), {{3, std::exp(-1.0), 1}});
    check_equal(map(FeatureMap::relu, {2, -1, 0}), {{2, 0, 0}});
    check_equal(map(FeatureMap::relu2, {2, -1, 3}), {{4, 0, 9}});
    check_equal(map(FeatureMap::hedgehog, x,
                    parameters({{"weight", transposed(wave(4, 4, 2))}, {"bias", wave(1, 4, 3)}})),
                {{0.1161304574, 0.0013293648, 0.2719954955, 0.0285346999, 0.0062679706, 0.5475564833,
                  0.0026761557, 0.0255093729}},
                1e-9);
    check_equal(map(FeatureMap::taylor, x),
                {{1.0000000000, 0.5950098395, 0.0294019684, -0.6246967779, 0.6013495014, 0.2503417578,
                  0.0006112767, 0.2759456384, 0.2557048189, 0.0174944605, -0.3717007296, 0.3578088703,
                  -0.0183673149, 0.0176808590, -0.3756610959}},
                1e-9);
    CHECK(product(FeatureMap::taylor) == doctest::Approx(1 + s / 2 + s * s / 8));
    Parameters const affine = parameters({{"weight", {{1, 2, .5, 1}}}, {"bias", {{.1, 0, -.2, .3}}}});
    Row n = layer_normed(exactly(x)), m = layer_normed(exactly(y));
    double t = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        double const w = affine["weight"](0, int(i)), b = affine["bias"](0, int(i));
        t += (w * n[i].value + b) * (w * m[i].value + b);
    }
    CHECK(product(FeatureMap::rebased, affine) == doctest::Approx(t * t / 4));
    double const c = std::cos(std::acos(-1.0) / 8), d = std::sin(std::acos(-1.0) / 8);
    check_equal(map(FeatureMap::cosformer, {2, -1}, {}, 2, 8), {{2 * c, 0, 2 * d, 0}});
    // E over Gaussian rows is exp(q . k / sqrt(d)): one row by hand
    check_equal(map(FeatureMap::favor, {2, 0, 0, 0}, parameters({{"weight", {{1, 0, 0, 0}, {0, 1, 0, 0}}}})),
                {{std::exp(std::sqrt(2.0) - 1) / std::sqrt(2.0), std::exp(-1.0) / std::sqrt(2.0)}});
}

TEST_CASE("linear attention: the family's members are cases of each other") {
    Parameters const p = with(giving(q, k, v), {{"beta.weight", told(wave(5, 1, 4))}, {"A_log", {{.3}}}});
    auto const repeated = [](Sequence const& column) {
        Sequence rows = column;
        for (auto& row : rows) row.resize(4, row[0]);
        return rows;
    };
    LinearAttention delta{.beta = true, .delta = true, .unit = true}, gated = delta;
    gated.decay = Decay::softplus;
    check_equal(output(gated, with(p, {{"a.weight", {{0, 0, 0, 0, 0}}}, {"dt_bias", {{-60}}}})),
                output(delta, p));
    check_equal(output(gated, with(p, {{"a.weight", told(wave(5, 1, 5))}, {"dt_bias", {{.2}}}})),
                output(gated, with(p, {{"a.weight", told(repeated(wave(5, 1, 5)))},
                                       {"dt_bias", {{.2, .2, .2, .2}}}})));
    // a constant decay is retention's
    LinearAttention constant_decay{.decay = Decay::softplus};
    double const rate = -std::log(1 - 1.0 / 32);
    check_equal(output(constant_decay, with(p, {{"a.weight", {{0, 0, 0, 0, 0}}},
                                                {"dt_bias", {{std::log(std::expm1(rate))}}},
                                                {"A_log", {{0}}}})),
                output({.decay = Decay::retention}, p));
    // normalised Taylor features are the row map of attention
    check_equal(output({.map = FeatureMap::taylor, .normalise = true, .scale = 1}, p),
                attention({.weights = RowMap::taylor})(p, identity(5)).value);
    check_equal(output({.map = FeatureMap::elu, .normalise = true, .eps = 1e-30},
                       with(p, {{"v.weight", Sequence(3, {2, 2, 2, 2, 2})}})),
                Sequence(5, {2, 2, 2}));
}

TEST_CASE("linear attention: orthonormal keys are remembered, a second value replaces the first") {
    State S(3, Row(2)), added = S;
    Sequence const values = {{1, 2}, {3, 4}, {5, 6}};
    Sequence const keys = {
        {2.0 / 3, 2.0 / 3, 1.0 / 3}, {-2.0 / 3, 1.0 / 3, 2.0 / 3}, {1.0 / 3, -2.0 / 3, 2.0 / 3}};
    for (std::size_t t = 0; t < 3; ++t)
        write(S, {exactly(keys[t]), exactly(values[t]), Row(3, 1.0), 1.0, true});
    for (std::size_t t = 0; t < 3; ++t)
        check_equal(result_of({read(exactly(keys[t]), S)}).value, {values[t]});
    write(S, {exactly(keys[0]), exactly(values[2]), Row(3, 1.0), 1.0, true});
    check_equal(result_of({read(exactly(keys[0]), S)}).value, {values[2]});
    for (std::size_t t : {0U, 2U})
        write(added, {exactly(keys[0]), exactly(values[t]), Row(3, 1.0), 1.0, false});
    check_equal(result_of({read(exactly(keys[0]), added)}).value, {{6, 8}});
    // a zero key neither reads nor writes
    State before = S;
    write(S, {Row(3), exactly(values[0]), Row(3, 1.0), 1.0, true});
    check_equal(result_of(S).value, result_of(before).value, 0);
    check_equal(result_of({l2_normed(Row(3))}).value, {{0, 0, 0}});
}

TEST_CASE("linear attention: documents start afresh, later tokens do not matter, RoPE is relative") {
    Parameters const p = with(giving(q, k, v), {{"beta.weight", told(wave(5, 1, 4))}});
    LinearAttention a{.beta = true, .delta = true, .unit = true, .rope = {100}};
    Sequence const y = output(a, p), x = identity(5);
    check_equal(linear_attention(a)(p, rows_between(x, 0, 3)).value, rows_between(y, 0, 3), 0);
    a.documents = {4, 4, 9, 9, 9};
    Sequence const apart = output(a, p);
    check_equal(rows_between(apart, 0, 2), rows_between(y, 0, 2), 0);
    a.documents = {};
    check_equal(rows_between(apart, 2, 5), linear_attention(a)(p, rows_between(x, 2, 5)).value);
    a.position = 40;
    check_equal(output(a, p), y);
    CHECK(linear_attention(a)(p, {}).value.empty());
}
