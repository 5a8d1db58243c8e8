// words: inlay: step reads one row of the input
// words: Shape<16, ?8>|span<const float, ?8>|float \[7\]|7
#include <inlay/inlay.hpp>

using namespace inlay;

using M = Model<Sequence<16, 8>, Dense<4>>;

static M::Params params;
static M::State state;

#ifdef MISTAKE
float const frame[7] = {};
#else
float const frame[8] = {};
#endif

int main() {
    float out[4];
    M::step(params, state, std::span(frame), out);
}
