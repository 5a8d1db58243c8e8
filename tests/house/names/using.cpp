// Every umbrella, `using namespace inlay`, and the names that programs give to their own things.
#include <inlay/data.hpp>
#include <inlay/inlay.hpp>
#include <inlay/parallel.hpp>
#include <inlay/testing.hpp>
#include <inlay/train.hpp>

using namespace inlay;

constexpr int T = 16, V = 100, D = 8;
using Layer = PreNorm<Dense<D>>;
using Local = Dense<D>;
using Global = Residual<Local>;
using Hybrid = Model<Sequence<T, D>, Layer, Global>;
using Person = Record<Numeric<"age">, Categorical<"job", 32>>;
using Visit = Record<Categorical<"item", 50>, History<"watched", 20, SameAs<"item">>>;
using Fields = Of<"job">;
using Wide = Cross<Indexed, Each>;
using Exact = Cross<Indexed, Fields>;
using Bounded = Cross<Hashed<64>, Fields>;
using Deep = Stack<Embed<D>, Flatten, Dense<1>>;
using WideDeep = Model<Person, Sum<Wide, Exact, Bounded, Deep>>;
using Recent = Stack<Select<"watched">, Embed<D>, MeanPool>;
using Ranker = Model<Visit, Recent, Dense<1>>;
using Filter = Model<Sequence<T, D>, Local, Dense<1>>;

static Filter::Params params;
static Filter::State state;

static float process(std::span<float const, D> frame) noexcept {
    float out[1];
    Filter::step(params, state, frame, out);
    return out[0];
}

int main() {
    initialize<Filter>(params, Seed{1});
    reset<Filter>(state);
    float const frame[D] = {};
    static_assert(WideDeep::parameters > V && Ranker::parameters > V && Hybrid::streams);
    return process(frame) == process(frame) ? 0 : 1;
}
