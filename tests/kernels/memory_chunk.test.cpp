// SPDX-License-Identifier: BSD-3-Clause
// Chunks of a memory that learns, forward against the recursion of tests/reference, backward against its
// differences, in double; and what a memory of one layer degenerates to.
#include "../reference/checks.hpp"
#include "../reference/memory.hpp"

#include <inlay/blocks/activation.hpp>
#include <inlay/kernels/gated_chunk_backward.hpp>
#include <inlay/kernels/memory/chunk_backward.hpp>

#include <doctest/doctest.h>

#include <random>

using namespace inlay;

namespace {
using Numbers = std::vector<double>;
constexpr int W = native_lanes<double>;

struct Case {
    kernels::MemoryForm form;
    int tokens;
    bool forgets = true, momentum = true, gelu = false, at_start = true;
};
kernels::MemoryForm form_of(std::vector<int> const& widths) {
    kernels::MemoryForm f;
    f.layers = int(widths.size()) - 1;
    for (std::size_t l = 0; l < widths.size(); ++l)
        f.width[l] = widths[l], f.row[l] = kernels::whole<W>(widths[l]);
    return f;
}

struct Draw {
    std::mt19937 from{11};
    Numbers operator()(std::size_t n, double low, double high) {
        Numbers x(n);
        for (double& v : x) v = low + (high - low) * double(from()) / 4294967296.0;
        return x;
    }
};

// All that a chunk reads, without pads; memories layer by layer.
struct Given {
    Numbers q, k, v, alpha, eta, theta, first, memory, speed, weight, bias;
    template <class F> void each(F f) {
        f("q", q), f("k", k), f("v", v), f("alpha", alpha), f("eta", eta), f("theta", theta);
        f("first", first), f("memory", memory), f("speed", speed), f("weight", weight), f("bias", bias);
    }
};
// What comes out, or its gradient.
struct Answer {
    Numbers o, memory, speed;
};

std::size_t numbers_of(kernels::MemoryForm const& f) {
    std::size_t sum = 0;
    for (int l = 0; l < f.layers; ++l) sum += std::size_t(f.width[l] * f.width[l + 1]);
    return sum;
}
Given draw(Case const& c) {
    Draw any;
    auto const n = std::size_t(c.tokens), K = n * std::size_t(c.form.width[0]),
               V = n * std::size_t(c.form.width[c.form.layers]), M = numbers_of(c.form);
    Given g{any(K, -.8, .8), any(K, -.8, .8),     any(V, -1, 1),      any(n, .02, .6),
            any(n, .1, .9),  any(n, .05, .6),     any(M, -.7, .7),    any(M, -.7, .7),
            any(M, -.4, .4), any(V / n, .6, 1.4), any(V / n, -.3, .3)};
    if (c.at_start) g.memory = g.first;
    if (!c.forgets) g.alpha.assign(n, 0);
    if (!c.momentum) g.eta.assign(n, 0), g.speed.assign(M, 0);
    return g;
}

// Matrices of the reference and back.
std::vector<reference::Rows> layers_of(kernels::MemoryForm const& f, Numbers const& x) {
    std::vector<reference::Rows> all;
    std::size_t at = 0;
    for (int l = 0; l < f.layers; ++l) {
        reference::Rows rows;
        for (int i = 0; i < f.width[l]; ++i, at += std::size_t(f.width[l + 1])) {
            auto const from = x.begin() + std::ptrdiff_t(at);
            rows.push_back(reference::exactly(std::vector<double>(from, from + f.width[l + 1])));
        }
        all.push_back(rows);
    }
    return all;
}
Numbers flat(std::vector<reference::Rows> const& layers) {
    Numbers x;
    for (auto const& rows : layers)
        for (auto const& row : rows)
            for (auto const& v : row) x.push_back(v.value);
    return x;
}
Answer recursion(Case const& c, Given const& g) {
    reference::Memory m{.layers = c.form.layers,
                        .read = c.form.read == kernels::MemoryRead::post  ? reference::Read::post
                                : c.form.read == kernels::MemoryRead::pre ? reference::Read::pre
                                                                          : reference::Read::chunk,
                        .activation = c.gelu ? reference::Inner::gelu : reference::Inner::silu,
                        .residual = c.form.residual,
                        .layer_norm = c.form.norm,
                        .loss_scale = c.form.loss_scale,
                        .limit = c.form.limit,
                        .starts_at_zero = true,
                        .inner_width = 1};
    auto const dk = std::size_t(c.form.width[0]), dv = std::size_t(c.form.width[c.form.layers]);
    reference::Parameters const norm =
        reference::parameters({{"inner_norm.weight", {g.weight}}, {"inner_norm.bias", {g.bias}}});
    reference::HeadMemory memory(m, norm, 0, dk, dv);
    memory.start_of_chunk = layers_of(c.form, g.first);
    memory.M = layers_of(c.form, g.memory), memory.S = layers_of(c.form, g.speed);
    Answer a;
    for (std::size_t t = 0; t < std::size_t(c.tokens); ++t) {
        auto const row = [t](Numbers const& x, std::size_t width) {
            auto const from = x.begin() + std::ptrdiff_t(t * width);
            return reference::exactly(std::vector<double>(from, from + std::ptrdiff_t(width)));
        };
        auto const before = memory.M;
        memory.update(row(g.k, dk), row(g.v, dv), g.alpha[t], g.eta[t], g.theta[t]);
        for (auto const& o : memory.read(m.read == reference::Read::post  ? memory.M
                                         : m.read == reference::Read::pre ? before
                                                                          : memory.start_of_chunk,
                                         row(g.q, dk)))
            a.o.push_back(o.value);
    }
    a.memory = flat(memory.M), a.speed = flat(memory.S);
    return a;
}

// Rows of `width` numbers padded, and back.
Numbers padded(Numbers const& x, int width) {
    auto const w = std::size_t(width), row = std::size_t(kernels::whole<W>(width));
    Numbers y(x.size() / w * row);
    for (std::size_t i = 0; i < x.size(); ++i) y[i / w * row + i % w] = x[i];
    return y;
}
Numbers bare(Numbers const& y, int width) {
    auto const w = std::size_t(width), row = std::size_t(kernels::whole<W>(width));
    Numbers x(y.size() / row * w);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = y[i / w * row + i % w];
    return x;
}
Numbers padded_memory(kernels::MemoryForm const& f, Numbers const& x) {
    Numbers all;
    std::ptrdiff_t at = 0;
    for (int l = 0; l < f.layers; ++l) {
        std::ptrdiff_t const count = f.width[l] * f.width[l + 1];
        Numbers const one = padded(Numbers(x.begin() + at, x.begin() + at + count), f.width[l + 1]);
        all.insert(all.end(), one.begin(), one.end()), at += count;
    }
    return all;
}
Numbers bare_memory(kernels::MemoryForm const& f, Numbers const& y) {
    Numbers all;
    std::ptrdiff_t at = 0;
    for (int l = 0; l < f.layers; ++l) {
        std::ptrdiff_t const count = f.width[l] * f.row[l + 1];
        Numbers const one = bare(Numbers(y.begin() + at, y.begin() + at + count), f.width[l + 1]);
        all.insert(all.end(), one.begin(), one.end()), at += count;
    }
    return all;
}

// The kernel's answers, and the gradients of <d, answers> in all that is given.
std::pair<Answer, Given> kernel(Case const& c, Given const& g, Answer const& d) {
    auto const& f = c.form;
    int const n = c.tokens, dk = f.width[0], dv = f.width[f.layers];
    Numbers const q = padded(g.q, dk), k = padded(g.k, dk), v = padded(g.v, dv), dout = padded(d.o, dv),
                  first = padded_memory(f, g.first), start = padded_memory(f, g.memory),
                  start_speed = padded_memory(f, g.speed);
    Numbers memory = start, speed = start_speed, o(v.size()), dfirst(first.size()),
            dmemory = padded_memory(f, d.memory), dspeed = padded_memory(f, d.speed), dq(q.size()),
            dk_(k.size()), dv_(v.size()), dalpha(g.alpha.size()), deta(g.alpha.size()),
            dtheta(g.alpha.size());
    Numbers const weight = padded(g.weight, dv), bias = padded(g.bias, dv);
    Numbers dweight(weight.size()), dbias(bias.size());
    kernels::MemoryChunk<double> const chunk{.form = f,
                                             .tokens = n,
                                             .q = q.data(),
                                             .k = k.data(),
                                             .v = v.data(),
                                             .alpha = c.forgets ? g.alpha.data() : nullptr,
                                             .eta = c.momentum ? g.eta.data() : nullptr,
                                             .theta = g.theta.data(),
                                             .first = c.at_start ? memory.data() : first.data(),
                                             .weight = weight.data(),
                                             .bias = bias.data()};
    auto back = chunk;
    back.first = first.data();
    double const nan = std::numeric_limits<double>::quiet_NaN();
    Numbers room(kernels::memory_chunk_room<W>(n, f, false) + 1, nan);
    room.back() = 7;
    double* const moving = c.momentum ? speed.data() : nullptr;
    auto const forward = [&]<class F>(F) {
        kernels::memory_chunk<W, F>(chunk, memory.data(), moving, o.data(), room.data());
        CHECK(room.back() == 7);
        room.assign(kernels::memory_chunk_room<W>(n, f, true) + 1, nan);
        room.back() = 7;
        kernels::memory_chunk_backward<W, F>(
            back, start.data(), c.momentum ? start_speed.data() : nullptr, dout.data(), dfirst.data(),
            dmemory.data(), dspeed.data(),
            {dq.data(), dk_.data(), dv_.data(), c.forgets ? dalpha.data() : nullptr,
             c.momentum ? deta.data() : nullptr, dtheta.data(), dweight.data(), dbias.data()},
            room.data());
        CHECK(room.back() == 7);
    };
    if (c.gelu) forward(Gelu{});
    else forward(Silu{});
    Given slopes{bare(dq, dk),
                 bare(dk_, dk),
                 bare(dv_, dv),
                 dalpha,
                 deta,
                 dtheta,
                 bare_memory(f, dfirst),
                 bare_memory(f, dmemory),
                 bare_memory(f, dspeed),
                 bare(dweight, dv),
                 bare(dbias, dv)};
    if (!c.momentum) speed = padded_memory(f, g.speed);
    return {{bare(o, dv), bare_memory(f, memory), bare_memory(f, speed)}, slopes};
}

void close(char const* what, double got, double wanted, double tolerance) {
    if (!(std::abs(got - wanted) <= tolerance))
        FAIL_CHECK(std::string(what) << ": " << got << ", wanted " << wanted);
}

void check(Case const& c) {
    INFO(c.form.layers << " layers, " << c.tokens << " tokens, forgets " << c.forgets << ", momentum "
                       << c.momentum << ", read " << int(c.form.read) << ", residual " << c.form.residual
                       << ", limit " << c.form.limit << ", at start " << c.at_start);
    reference::ValuesOnly const guard;
    Given g = draw(c);
    Answer const want = recursion(c, g);
    Draw any;
    any.from.seed(12);
    Answer d{any(want.o.size(), -1, 1), any(want.memory.size(), -1, 1), any(want.speed.size(), -1, 1)};
    if (!c.momentum) d.speed.assign(d.speed.size(), 0);
    auto [got, slopes] = kernel(c, g, d);
    for (std::size_t i = 0; i < want.o.size(); ++i) close("o", got.o[i], want.o[i], 1e-12);
    for (std::size_t i = 0; i < want.memory.size(); ++i)
        close("memory", got.memory[i], want.memory[i], 1e-12);
    for (std::size_t i = 0; c.momentum && i < want.speed.size(); ++i)
        close("speed", got.speed[i], want.speed[i], 1e-12);

    auto const loss = [&] {
        Answer const a = recursion(c, g);
        double sum = 0;
        for (std::size_t i = 0; i < a.o.size(); ++i) sum += a.o[i] * d.o[i];
        for (std::size_t i = 0; i < a.memory.size(); ++i)
            sum += a.memory[i] * d.memory[i] + a.speed[i] * d.speed[i];
        return sum;
    };
    std::vector<std::pair<char const*, Numbers*>> inputs, found;
    g.each([&](char const* name, Numbers& x) { inputs.emplace_back(name, &x); });
    slopes.each([&](char const* name, Numbers& x) { found.emplace_back(name, &x); });
    double largest = 0;
    for (auto const& [name, x] : found)
        for (double v : *x) largest = std::max(largest, std::abs(v));
    for (std::size_t which = 0; which < inputs.size(); ++which) {
        std::string const name = inputs[which].first;
        if (!c.form.norm && (name == "weight" || name == "bias")) continue;
        if ((name == "alpha" && !c.forgets) || (!c.momentum && (name == "eta" || name == "speed"))) continue;
        Numbers& x = *inputs[which].second;
        for (std::size_t i = 0; i < x.size(); i += 1 + x.size() / 13) {
            double const at = x[i], h = 1e-5;
            x[i] = at + h;
            double const up = loss();
            x[i] = at - h;
            double const down = loss();
            x[i] = at;
            close(name.c_str(), (*found[which].second)[i], (up - down) / (2 * h), 1e-6 * largest);
        }
    }
}
} // namespace

TEST_CASE("a chunk of a memory is the recursion, and its way back the derivative") {
    for (auto const& widths :
         {std::vector<int>{3, 3}, std::vector<int>{3, 5, 3}, std::vector<int>{3, 4, 5, 3}})
        for (auto read :
             {kernels::MemoryRead::post, kernels::MemoryRead::pre, kernels::MemoryRead::previous_chunk})
            for (bool residual : {false, true})
                for (int gates : {0, 1, 2, 3}) {
                    Case c{form_of(widths), 5, (gates & 1) != 0, (gates & 2) != 0, residual, gates != 3};
                    c.form.read = read, c.form.residual = residual, c.form.loss_scale = 1.3;
                    c.form.limit = gates == 1 ? .7 : 0;
                    check(c);
                }
}
TEST_CASE("a chunk of a memory whose layers end in a norm") {
    for (auto const& widths : {std::vector<int>{3, 3}, std::vector<int>{19, 4, 19}})
        for (int other : {0, 1}) {
            Case c{form_of(widths), 5, true, true, other == 1, other == 0};
            c.form.residual = c.form.norm = true, c.form.loss_scale = 1.3;
            if (other) c.form.read = kernels::MemoryRead::pre, c.form.limit = 3;
            check(c);
        }
}
TEST_CASE("a chunk of a memory: many tokens, odd widths") {
    for (int tokens : {1, 2, 16, 17, 40}) {
        Case c{form_of({5, 19, 2}), tokens, true, true, false, false};
        c.form.read = tokens % 2 ? kernels::MemoryRead::pre : kernels::MemoryRead::post;
        c.form.loss_scale = .4;
        check(c);
    }
}

TEST_CASE("one token of one layer is walked through without products of matrices") {
    for (auto read :
         {kernels::MemoryRead::post, kernels::MemoryRead::pre, kernels::MemoryRead::previous_chunk})
        for (int gates : {0, 1, 2, 3}) {
            bool const residual = gates > 1;
            Case c{
                form_of({residual ? 19 : 5, 19}), 1, (gates & 1) != 0, (gates & 2) != 0, false, gates == 1};
            c.form.read = read, c.form.residual = residual, c.form.loss_scale = 1.3;
            c.form.limit = gates == 3 ? .7 : 0;
            check(c);
        }
}

TEST_CASE("first order: what is learned does not depend on the memory that it is learned from") {
    Case c{form_of({3, 5, 3}), 5, true, true, false, false};
    Given g = draw(c);
    Answer const zero{Numbers(15, 1), Numbers(30, 0), Numbers(30, 0)};
    auto const second = kernel(c, g, zero).second;
    c.form.first_order = true;
    auto const first = kernel(c, g, zero).second;
    for (double v : first.first) CHECK(v == 0);
    CHECK(first.k == second.k);
    CHECK(first.memory == second.memory);
    double most = 0;
    for (double v : second.first) most = std::max(most, std::abs(v));
    CHECK(most > 1e-3);
}
