// SPDX-License-Identifier: BSD-3-Clause
// The reference of memories against the worked numbers of the mathematics pages, numbers computed in numpy
// from the same waves, and what they degenerate to.
#include "checks.hpp"
#include "memory_layouts.hpp"

using namespace reference;

namespace {

struct Worked {
    Sequence o, M, S;
};
// The worked q, k, v through a linear memory that starts at zero.
Worked worked(int chunk, double alpha, double eta, double theta) {
    Memory const m{.chunk = chunk, .starts_at_zero = true, .unit = false};
    HeadMemory memory(m, {}, 0, 2, 2);
    Worked w;
    for (std::size_t t = 0; t < 3; ++t) {
        if (t % static_cast<std::size_t>(chunk) == 0) memory.start_of_chunk = memory.M;
        memory.update(exactly(worked_k[t]), exactly(worked_v[t]), alpha, eta, theta);
        w.o.push_back(result_of({memory.read(memory.M, exactly(worked_q[t]))}).value[0]);
    }
    w.M = result_of(memory.M[0]).value;
    w.S = result_of(memory.S[0]).value;
    return w;
}

Sequence const q = wave(5, 3, 1), k = wave(5, 3, 2), v = wave(5, 3, 3);
Parameters const gates = with(giving(q, k, v), {{"alpha.weight", transposed(wave(5, 1, 4))},
                                                {"alpha.bias", {{-1}}},
                                                {"eta.weight", transposed(wave(5, 1, 5))},
                                                {"theta.weight", transposed(wave(5, 1, 6))}});
Parameters const deep =
    with(gates, {{"memory.0", times(.5, wave(3, 4, 7))}, {"memory.1", times(.5, wave(4, 3, 8))}});

Sequence output(Memory const& m, Parameters const& p) { return memory(m)(p, identity(5)).value; }

double largest_difference(Sequence const& a, Sequence const& b) {
    double most = 0;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t i = 0; i < a[t].size(); ++i) most = std::fmax(most, std::abs(a[t][i] - b[t][i]));
    return most;
}

// Attention and memory of a width of 4, two persistent tokens.
Parameters layout() {
    Parameters p;
    std::uint32_t key = 20;
    for (std::string const child : {"attn.", "memory."})
        for (std::string const name : {"q.weight", "k.weight", "v.weight", "o.weight"})
            p.by_name[child + name] = matrix_of(numbers(4, 4, key++));
    for (std::string const name : {"memory.alpha.weight", "memory.eta.weight", "memory.theta.weight"})
        p.by_name[name] = matrix_of(numbers(2, 4, key++));
    return with(p, {{"memory.memory.0", numbers(4, 2, 40)},
                    {"attn_norm.weight", times(.2, numbers(1, 4, 41), 1)},
                    {"memory_norm.weight", times(.2, numbers(1, 4, 42), 1)},
                    {"persistent", numbers(2, 4, 43)}});
}
MemoryLayout const two{.memory = {.heads = 2, .chunk = 3, .theta_max = .5},
                       .attention = {.heads = 2},
                       .persistent = 2,
                       .segment = 3};

// Tokens after t do not matter to the outputs up to t.
void check_causal(Block const& block, Parameters const& p) {
    Sequence const x = numbers(8, 4, 50), y = block(p, x).value;
    for (std::size_t t = 1; t < 8; ++t) {
        Sequence other = x;
        for (std::size_t s = t; s < 8; ++s) other[s] = numbers(1, 4, std::uint32_t(60 + s))[0];
        check_equal(rows_between(block(p, other).value, 0, t), rows_between(y, 0, t), 0);
        CHECK(largest_difference({block(p, other).value[t]}, {y[t]}) > 1e-6);
    }
    check_equal(block(p, rows_between(x, 0, 4)).value, rows_between(y, 0, 4), 0);
    CHECK(block(p, {}).value.empty());
}

} // namespace

TEST_CASE("memory: worked numbers of 6.5") {
    Worked const online = worked(1, .1, .5, .5), chunked = worked(3, .1, .5, .5);
    check_equal(online.o, {{.5, 1}, {1.5, 2}, {5.221, 6.802}});
    check_equal(online.M, {{1.769, 2.578}, {3.452, 4.224}});
    check_equal(online.S, {{1.139, 1.318}, {2.102, 2.424}});
    check_equal({chunked.o[2]}, {{6.355, 8.51}});
    check_equal(chunked.M, {{2.255, 3.31}, {4.1, 5.2}});
    check_equal(chunked.S, {{1.625, 2.05}, {2.75, 3.4}});
    // G: what gradient j is worth in M_t. f: what S_0 is. Keys are 1, values are unit vectors, from zero.
    Memory const m{.chunk = 3, .starts_at_zero = true};
    HeadMemory memory(m, {}, 0, 1, 3);
    Sequence G, f;
    HeadMemory carried = memory;
    carried.S[0][0][0] = 1;
    for (std::size_t t = 0; t < 3; ++t) {
        memory.update({1.0}, exactly(identity(3)[t]), .1, .5, 1.0);
        carried.update({0.0}, {0.0, 0.0, 0.0}, .1, .5, 1.0);
        G.push_back(result_of(memory.M[0]).value[0]);
        f.push_back({carried.M[0][0][0].value});
    }
    check_equal(G, {{1, 0, 0}, {1.4, 1, 0}, {1.51, 1.4, 1}});
    check_equal(f, {{.5}, {.7}, {.755}});
}

TEST_CASE("memory: as others compute it") {
    Memory m{.layers = 2, .chunk = 3, .loss_scale = 1.3, .theta_max = .3, .unit = false};
    SUBCASE("deep") {
        check_equal(output(m, deep),
                    {{0.1017345401, -0.0444636737, -0.0519072416},
                     {-0.0895999462, -0.2581946512, 0.4398672364},
                     {0.0079214077, 0.0397369225, -0.0535554855},
                     {-0.0112509689, 0.0105777901, 0.0008388339},
                     {-0.0006223113, -0.0012165637, 0.0003451828}},
                    1e-9);
        m.read = Read::pre;
        check_equal(output(m, deep),
                    {{0.1386139483, -0.0550977177, -0.0828110556},
                     {-0.0819190481, -0.3679694626, 0.6215852723},
                     {-0.0405157285, 0.2071935944, -0.2974413426},
                     {-0.0465643754, 0.0510467817, -0.0202111781},
                     {-0.0036961005, -0.0030274421, 0.0036314496}},
                    1e-9);
        m.read = Read::chunk;
        check_equal(output(m, deep),
                    {{0.1386139483, -0.0550977177, -0.0828110556},
                     {-0.1499984841, -0.3938041900, 0.7770500264},
                     {-0.1678510258, 0.3870013500, -0.5536328671},
                     {-0.0465643754, 0.0510467817, -0.0202111781},
                     {-0.0189148811, -0.0140224335, 0.0363370645}},
                    1e-9);
    }
    SUBCASE("deep, with a residual") {
        m.residual = true;
        check_equal(output(m, deep),
                    {{0.9300166057, 0.0044456206, -0.9337741794},
                     {0.5537938876, -1.0750429885, 1.4152289082},
                     {-0.3283036365, 0.6952753033, -0.9859506234},
                     {-0.9788339614, 0.3336016544, 0.6430334249},
                     {-0.0721845583, -1.0189064083, -0.2531722085}},
                    1e-9);
        m.read = Read::pre;
        check_equal(output(m, deep),
                    {{0.9800849331, -0.0135170552, -0.9662657113},
                     {0.5610449093, -1.2113209254, 1.6342061282},
                     {-0.4101688608, 0.8605410581, -1.2016343831},
                     {-0.9535290270, 0.3190650242, 0.6509195608},
                     {-0.0806400819, -1.0176018653, -0.2463965462}},
                    1e-9);
        m.read = Read::chunk;
        check_equal(output(m, deep),
                    {{0.9800849331, -0.0135170552, -0.9662657113},
                     {0.5957067281, -1.3196188723, 1.7759913683},
                     {-0.6103714691, 1.1159703901, -1.4764082887},
                     {-0.9535290270, 0.3190650242, 0.6509195608},
                     {-0.1564657145, -0.9673548061, -0.2561665856}},
                    1e-9);
    }
    SUBCASE("linear") {
        check_equal(output({.chunk = 2, .theta_max = .3, .unit = false},
                           with(gates, {{"memory.0", times(.5, wave(3, 3, 7))}})),
                    {{0.3386292555, -0.2461454468, 0.1258319974},
                     {-0.2277845768, 0.3270957526, -0.5311352196},
                     {-0.0876059650, 0.0339464666, 0.0693562277},
                     {-0.1919753584, 0.1769867562, -0.1545456403},
                     {0.1192093075, -0.1226723128, 0.0930057654}},
                    1e-9);
    }
}

TEST_CASE("memory: its inner gradient is that of its loss") {
    Parameters const p = with(deep, {{"memory.2", wave(3, 3, 9)},
                                     {"inner_norm.weight", wave(1, 3, 10)},
                                     {"inner_norm.bias", wave(1, 3, 11)}});
    for (Inner activation : {Inner::silu, Inner::gelu})
        for (int layers : {1, 2, 3})
            for (int form : {0, 1, 2}) {
                Memory const m{.layers = layers,
                               .activation = activation,
                               .residual = form == 1,
                               .layer_norm = form == 2,
                               .loss_scale = 1.7};
                Parameters const one = layers == 1 ? with(p, {{"memory.0", wave(3, 3, 9)}}) : p;
                HeadMemory memory(m, one, 0, 3, 3);
                Row const key = exactly(k[0]), value = exactly(v[0]);
                auto const loss = [&] {
                    Row const y = memory.read(memory.start_of_chunk, key);
                    double sum = 0;
                    for (std::size_t c = 0; c < 3; ++c) sum += std::pow(y[c].value - value[c].value, 2);
                    return 1.7 / 2 * sum;
                };
                std::vector<Rows> const g = memory.gradient(key, value);
                for (std::size_t l = 0; l < g.size(); ++l)
                    for (std::size_t i = 0; i < g[l].size(); ++i)
                        for (std::size_t j = 0; j < g[l][i].size(); ++j) {
                            double& w = memory.start_of_chunk[l][i][j].value;
                            double const before = w;
                            w = before + 1e-6;
                            double const up = loss();
                            w = before - 1e-6;
                            double const slope = (up - loss()) / 2e-6;
                            w = before;
                            CHECK(std::abs(slope - g[l][i][j].value) < 1e-8);
                        }
            }
}

TEST_CASE("memory: what it degenerates to, 6.5") {
    Memory const whole{.chunk = 5, .forgets = false, .momentum = false, .starts_at_zero = true};
    Parameters const always_on = with(gates, {{"theta.weight", {{0, 0, 0, 0, 0}}}, {"theta.bias", {{60}}}});
    LinearAttention plain{.scale = 1, .unit = true};
    check_equal(output(whole, always_on), linear_attention(plain)(always_on, identity(5)).value);

    Memory decaying = whole;
    decaying.forgets = true;
    plain.decay = Decay::retention;
    check_equal(output(decaying, with(always_on, {{"alpha.weight", {{0, 0, 0, 0, 0}}},
                                                  {"alpha.bias", {{-std::log(31.0)}}}})),
                linear_attention(plain)(always_on, identity(5)).value);

    Memory online = whole;
    online.chunk = 1;
    Parameters const named = with(gates, {{"beta.weight", rows_of(gates["theta.weight"])}});
    check_equal(
        output(online, gates),
        linear_attention({.scale = 1, .beta = true, .delta = true, .unit = true})(named, identity(5)).value);
    CHECK(largest_difference(output(whole, gates), output(online, gates)) >
          1e-3); // mini-batches are not the delta rule

    // no step: the start, forgotten
    Parameters const frozen = with(
        deep, {{"theta.weight", {{0, 0, 0, 0, 0}}}, {"theta.bias", {{-800}}}, {"memory.0", wave(3, 3, 7)}});
    Sequence const y = output({.unit = false}, frozen);
    double beta = 1;
    for (std::size_t t = 0; t < 5; ++t) {
        beta *= 1 - sigmoid_of(wave(5, 1, 4)[t][0] - 1);
        for (std::size_t c = 0; c < 3; ++c) {
            double sum = 0;
            for (std::size_t d = 0; d < 3; ++d) sum += q[t][d] * wave(3, 3, 7)[d][c];
            CHECK(y[t][c] == doctest::Approx(beta * sum));
        }
    }
}

TEST_CASE("memory: heads, chunks, persistent tokens, the block around it") {
    // two heads are two memories side by side
    auto const single = [&](std::size_t h) {
        return with(gates, {{"memory.0", times(.5, wave(3, 3, 7 + double(h)))},
                            {"alpha.weight", transposed(wave(5, 1, 4 + double(h)))}});
    };
    Parameters both = with(giving(beside(q, q), beside(k, k), beside(v, v)), {});
    for (std::string const name : {"alpha", "eta", "theta"}) {
        Sequence const a = rows_of(single(0)[name + ".weight"]), b = rows_of(single(1)[name + ".weight"]);
        both.by_name[name + ".weight"] = matrix_of({a[0], b[0]});
    }
    both = with(both, {{"alpha.bias", {{-1, -1}}}});
    Sequence start = times(.5, wave(3, 3, 7));
    for (auto const& row : times(.5, wave(3, 3, 8))) start.push_back(row);
    Memory m{.chunk = 2};
    Memory two_heads = m;
    two_heads.heads = 2;
    check_equal(output(two_heads, with(both, {{"memory.0", start}})),
                beside(output(m, single(0)), output(m, single(1))));

    // 5 tokens, of which the first 2 are persistent: the chunks are the same
    Sequence const all = output(m, single(0));
    m.persistent = 2;
    check_equal(memory(m)(with(single(0), {{"persistent", rows_between(identity(5), 0, 2)}}),
                          rows_between(identity(5), 2, 5))
                    .value,
                rows_between(all, 2, 5), 0);
    m.persistent = 0;

    // norm and gate behind the read
    Parameters const more =
        with(single(0), {{"norm.weight", {{1, 2, .5}}}, {"gate.weight", transposed(wave(5, 3, 18))}});
    Memory gated = m;
    gated.norm = HeadNorm::rms, gated.gate = GateBy::sigmoid;
    Sequence const y = output(gated, more);
    double const r =
        1 / std::sqrt((all[3][0] * all[3][0] + all[3][1] * all[3][1] + all[3][2] * all[3][2]) / 3 + 1e-6);
    CHECK(y[3][1] == doctest::Approx(2 * all[3][1] * r * sigmoid_of(wave(5, 3, 18)[3][1])));

    // the convolution: of width 1 it is a factor
    Memory convolved = m;
    convolved.conv = 1, convolved.conv_silu = false, convolved.unit = false,
    convolved.taps = Taps::newest_first;
    m.unit = false;
    Parameters const factors = with(
        single(0),
        {{"q_conv.weight", {{1, 2, 3}}}, {"k_conv.weight", {{.5, 1, -1}}}, {"v_conv.weight", {{1, -2, 1}}}});
    auto const scaled = [](Sequence x, std::vector<double> const& by) {
        for (auto& row : x)
            for (std::size_t i = 0; i < 3; ++i) row[i] *= by[i];
        return transposed(x);
    };
    check_equal(output(convolved, factors),
                output(m, with(single(0), {{"q.weight", scaled(q, {1, 2, 3})},
                                           {"k.weight", scaled(k, {.5, 1, -1})},
                                           {"v.weight", scaled(v, {1, -2, 1})}})));
}

TEST_CASE("memory layouts: nothing looks ahead") {
    Parameters const p = layout();
    check_causal(memory_as_context(two), p);
    MemoryLayout windowed = two;
    windowed.attention.mask.window = 3;
    check_causal(memory_as_gate(windowed), p);
    check_causal(memory_as_layer(windowed), p);
}

TEST_CASE("memory layouts: their parts") {
    Parameters const p = layout();
    Sequence const x = numbers(7, 4, 50);
    MemoryLayout l = two;
    l.persistent = 0;
    l.attention.mask.window = 2;
    Sequence const m = memory(l.memory)(p.child("memory"), x).value,
                   y = attention(l.attention)(p.child("attn"), x).value;
    check_equal(memory_as_layer(l)(p, x).value, attention(l.attention)(p.child("attn"), m).value);
    Sequence gated;
    for (std::size_t t = 0; t < 7; ++t)
        gated.push_back(result_of({gated_by_memory(l, p, exactly(y[t]), exactly(m[t]))}).value[0]);
    check_equal(memory_as_gate(l)(p, x).value, gated);
    auto const rms = [](std::vector<double> const& z, std::size_t i) {
        double sum = 0;
        for (double a : z) sum += a * a;
        return z[i] / std::sqrt(sum / 4 + 1e-6);
    };
    CHECK(gated[2][1] == doctest::Approx(p["attn_norm.weight"](0, 1) * rms(y[2], 1) *
                                         sigmoid_of(p["memory_norm.weight"](0, 1) * rms(m[2], 1))));

    // persistent tokens are seen past the window
    l.persistent = 2;
    Rows const all = with_persistent(p, 2, exactly(x));
    Attention a = l.attention;
    a.mask = {.window = 2, .sinks = 2};
    Sequence const with_them = attention(a)(p.child("attn"), result_of(all).value).value;
    Sequence const by_memory = memory(l.memory)(p.child("memory"), result_of(all).value).value;
    check_equal({memory_as_gate(l)(p, x).value[4]},
                {result_of({gated_by_memory(l, p, exactly(with_them[6]), exactly(by_memory[6]))}).value[0]});
}

TEST_CASE("memory as context: without a memory it is attention within segments, with one more key a token") {
    Parameters p =
        with(layout(), {{"memory.memory.0", Sequence(4, {0, 0})}, {"memory.theta.bias", {{-800, -800}}}});
    MemoryLayout l = two;
    l.persistent = 0;
    l.attention.heads = 1;
    Sequence const x = numbers(7, 4, 50);
    Parameters const attn = p.child("attn");
    for (std::size_t t = 0; t < 7; ++t) {
        std::size_t const start = t / 3 * 3;
        Row const query = linear(attn.child("q"), exactly(x[t]));
        double sum = double(t - start + 1);
        std::vector<double> o(4);
        for (std::size_t j = start; j <= t; ++j) {
            double const e = std::exp(dot(query, linear(attn.child("k"), exactly(x[j]))).value / 2);
            Row const value = linear(attn.child("v"), exactly(x[j]));
            sum += e;
            for (std::size_t c = 0; c < 4; ++c) o[c] += e * value[c].value;
        }
        Row const y = linear(attn.child("o"), exactly(times(1 / sum, {o})[0]));
        Sequence const expected = result_of({gated_by_memory(l, p, y, Row(4))}).value; // half the norm
        check_equal({memory_as_context(l)(p, x).value[t]}, expected);
    }
    // and with one, the first segment asks it as it starts
    p = layout();
    Sequence const m = memory_as_context(two)(p, x).value;
    p.by_name["memory.memory.0"] = matrix_of(Sequence(4, {0, 0}));
    CHECK(largest_difference({memory_as_context(two)(p, x).value[0]}, {m[0]}) > 1e-6);
}
