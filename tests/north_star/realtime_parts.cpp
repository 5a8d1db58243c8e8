// What of realtime.cpp exists so far, in the same words.
#include <inlay/inlay.hpp>

#include <span>
#include <type_traits>

using namespace inlay;

using Filter = Model<Sequence<64, 8>, Dense<32>, PreNorm<SwiGlu<64>>, Repeat<2, PreNorm<Dense<32>, Tanh>>,
                     PreNorm<LinearAttn<Heads<2>, RetNet>>,
                     PreNorm<SoftmaxAttn<Heads<2>, Causal, Window<32>>>, Dense<1>>;

static_assert(std::is_trivially_copyable_v<Filter::Params>);

static Filter::Params params;
static Filter::State state;

float process(std::span<float const, 8> frame) noexcept {
    float out;
    Filter::step(params, state, frame, std::span<float, 1>(&out, 1));
    return out;
}

int main() {
    initialize<Filter>(params, Seed{42});
    reset<Filter>(state);
    float frame[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float last = 0;
    for (int i = 0; i < 1000; ++i) last = process(frame);
    return last == last ? 0 : 1;
}
