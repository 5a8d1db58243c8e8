// words: inlay: step writes one row of the output
// words: holds_one_token<|streams|3
// words: Flatten|4
#include <inlay/inlay.hpp>

using namespace inlay;

using M = Model<Sequence<16, 8>, Dense<4>>;

static M::Params params;
static M::State state;

#ifdef MISTAKE
float out[3];
#else
float out[4];
#endif

int main() {
    float const frame[8] = {};
    M::step(params, state, frame, out);
}
