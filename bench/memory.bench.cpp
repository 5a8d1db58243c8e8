// SPDX-License-Identifier: BSD-3-Clause
// A chunk of a memory that learns, with momentum and forgetting, forward and back, in percent of an FMA loop
// that runs between. Operations are those of the products of matrices alone, triangles as triangles.
#include "harness.hpp"

#include <inlay/blocks/activation.hpp>
#include <inlay/kernels/memory/chunk_backward.hpp>

namespace {

using namespace bench;
using namespace inlay;

template <int L, int n, int d> void chunk() {
    constexpr int H = 4;
    kernels::MemoryForm form{.layers = L};
    for (int l = 0; l <= L; ++l) {
        int const width = l == 0 || l == L ? d : 2 * d;
        form.width[l] = form.row[l] = width;
    }
    std::size_t const numbers = std::size_t(form.numbers());
    int const rows = n * d;
    Floats const q(H * rows), k(H * rows), v(H * rows), o(H * rows), dout(H * rows), alpha(H * n), eta(H * n),
        theta(H * n), start(H * numbers), memory(H * numbers), speed(H * numbers), dfirst(H * numbers),
        dmemory(H * numbers), dspeed(H * numbers), dq(rows), dk(rows), dv(rows), dalpha(n), deta(n),
        dtheta(n), room(kernels::memory_chunk_room<W>(n, form, true));
    auto const fill = [](Floats const& x, float scale, float shift = 0) {
        for (std::size_t i = 0; i < x.size(); ++i) x[std::ptrdiff_t(i)] = scale * draw() + shift;
    };
    fill(q, .2f), fill(k, .2f), fill(v, 1), fill(dout, 1), fill(start, .2f);
    fill(alpha, .02f, .02f), fill(eta, .2f, .5f), fill(theta, .01f, .02f);
    auto const head = [&](int h) {
        kernels::MemoryChunk<float> c{.form = form, .tokens = n};
        c.q = q + h * rows, c.k = k + h * rows, c.v = v + h * rows;
        c.alpha = alpha + h * n, c.eta = eta + h * n, c.theta = theta + h * n;
        return c;
    };
    // The state and its gradients move on; gates keep them in bounds.
    auto const forward = [&] {
        for (int h = 0; h < H; ++h) {
            auto c = head(h);
            std::ptrdiff_t const at = h * std::ptrdiff_t(numbers);
            c.first = memory + at;
            kernels::memory_chunk<W, Silu>(c, memory + at, speed + at, o + h * rows,
                                           static_cast<float*>(room));
        }
    };
    auto const backward = [&] {
        for (int h = 0; h < H; ++h) {
            auto c = head(h);
            std::ptrdiff_t const at = h * std::ptrdiff_t(numbers);
            c.first = start + at;
            kernels::memory_chunk_backward<W, Silu>(
                c, static_cast<float const*>(start + at), static_cast<float const*>(start + at),
                static_cast<float const*>(dout + h * rows), dfirst + at, dmemory + at, dspeed + at,
                {dq, dk, dv, dalpha, deta, dtheta}, static_cast<float*>(room));
        }
    };
    // Keys, both reads, both updates: 5 products; the triangle's two count half. Between layers, the errors.
    double products = 0, triangles = 0, back = 0;
    for (int l = 0; l < L; ++l) {
        double const size = double(form.width[l]) * form.width[l + 1];
        products += 2.0 * n * size * (l > 0 ? 6 : 5);
        triangles += double(n) * (n + 1) * (form.width[l] + form.width[l + 1]);
        back += 2.0 * n * size * (l > 0 ? 14 : 11);
    }
    char name[64];
    std::snprintf(name, sizeof name, "forward %d layers, %d,%d", L, n, d);
    race(name, H * (products + triangles), {{"inlay", forward}});
    std::snprintf(name, sizeof name, "backward %d layers, %d,%d", L, n, d);
    race(name, H * (back + 2.5 * triangles), {{"inlay", backward}});
}

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    heading("a chunk of a memory, four heads (tokens,d)", true);
    chunk<1, 16, 32>();
    chunk<1, 32, 64>();
    chunk<1, 64, 64>();
    chunk<1, 64, 128>();
    chunk<2, 64, 64>();
}
