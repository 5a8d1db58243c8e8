// A streaming model as plain static data: the object file of this program refers to mathematics and mem*
// only.
#include <inlay/inlay.hpp>

using namespace inlay;

using Filter =
    Model<Sequence<64, 8>, Dense<32>, Repeat<2, PreNorm<Dense<64>, Gelu, Dense<32>>, PreNorm<SwiGlu<48>>>,
          Let<"skip", Dense<8>, Gate<Dense<32>, Stack<Dense<16>, Silu, Dense<32>>>, LayerNorm>,
          Concat<Residual<RmsNorm, Dense<32>>, Stack<Tanh, Dense<4>>>,
          PreNorm<SoftmaxAttn<Heads<2>, Window<32>, Sinks<2>, Rope<>>>,
          PreNorm<LinearAttn<Heads<2>, GatedDelta>>, Gru<16>, Lstm<16>, Sum<Dense<16>, Mlp<16, 16>>,
          Named<"pool", MeanPool>, Dropout<0.1>, Dense<1>>;

static_assert(std::is_trivially_copyable_v<Filter::Params>);
static_assert(Filter::streams);

static Filter::Params params;
static Filter::State state;

float process(std::span<float const, 8> frame) noexcept;
float process(std::span<float const, 8> frame) noexcept {
    float out;
    Filter::step(params, state, frame, std::span<float, 1>(&out, 1));
    return out;
}

int main() {
    initialize<Filter>(params, Seed{42});
    reset<Filter>(state);
    float const frame[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float last = 0;
    for (int i = 0; i < 1000; ++i) last = process(frame);
    return last == last ? 0 : 1;
}
