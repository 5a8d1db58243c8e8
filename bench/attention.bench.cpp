// SPDX-License-Identifier: BSD-3-Clause
// Causal attention of four heads, forward and back, in percent of an FMA loop that runs between. Operations
// are counted as a causal mask leaves them: 2 T (T + 1) d a head forward, 5 T (T + 1) d back.
#include "harness.hpp"

#include <inlay/blocks/attention/rows.hpp>
#include <inlay/kernels/attention.hpp>
#include <inlay/kernels/attention/backward.hpp>

namespace {

using namespace bench;
using namespace inlay;

/// Buffers in one piece, apart as a block lays them out.
class Arena {
public:
    Arena(int buffers, std::size_t floats)
        : step_(detail::apart(4 * floats) / 4), all_(std::size_t(buffers) * step_) {
        for (std::size_t i = 0; i < all_.size(); ++i) all_[std::ptrdiff_t(i)] = draw();
    }
    float* operator[](int i) const { return all_ + std::ptrdiff_t(std::size_t(i) * step_); }

private:
    std::size_t step_;
    Floats all_;
};

template <int n, int d> void causal() {
    constexpr int H = 4;
    Floats const always(n), first(n), last(n);
    kernels::KeySpans<float> const spans{always, first, last};
    for (int i = 0; i < n; ++i) spans.set(i, 0, 0, i + 1);
    Arena const arena(8, std::size_t(H * n * d));
    float *const q = arena[0], *const k = arena[1], *const v = arena[2], *const out = arena[3],
                 *const dout = arena[4], *const dq = arena[5], *const dk = arena[6], *const dv = arena[7];
    Floats const log_sum(H * n), mean(H * n), room(kernels::attention_room<W, float>(d, d)),
        back_room(kernels::attention_backward_room<W, float>(d, d));
    auto const head = [&](int h) {
        int const at = h * n * d;
        return kernels::AttentionHead<float>{n, d, d,    1 / std::sqrt(float(d)), q + at, k + at, v + at, d,
                                             d, d, spans};
    };
    auto const forward = [&] {
        for (int h = 0; h < H; ++h)
            kernels::attend<W>(head(h), kernels::Scores<>{}, static_cast<float const*>(nullptr),
                               out + h * n * d, d, log_sum + h * n, static_cast<float*>(room));
    };
    auto const backward = [&] {
        for (int h = 0; h < H; ++h) {
            int const at = h * n * d;
            kernels::row_products<W>(n, d, out + at, d, dout + at, d, mean + h * n);
            kernels::clear(dk + at, n * d);
            kernels::clear(dv + at, n * d);
            kernels::attend_backward<kernels::SoftmaxWeights, W>(
                head(h), kernels::Scores<>{}, static_cast<float const*>(dout + at), d,
                static_cast<float const*>(log_sum + h * n), static_cast<float const*>(mean + h * n), dq + at,
                dk + at, dv + at, static_cast<float*>(back_room));
        }
    };
    char name[64];
    std::snprintf(name, sizeof name, "forward %d,%d", n, d);
    race(name, 2.0 * n * (n + 1) * d * H, {{"inlay", forward}});
    std::snprintf(name, sizeof name, "backward %d,%d", n, d);
    race(name, 5.0 * n * (n + 1) * d * H, {{"inlay", backward}});
}

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    heading("causal attention, four heads (T,d)", true);
    causal<16, 32>();
    causal<64, 32>();
    causal<64, 64>();
    causal<256, 64>();
    causal<1024, 32>();
    causal<1024, 64>();
}
