// words: inlay: a block has no streaming form
// words: Flatten
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<4, 8>, Dense<16>, Residual<RmsNorm, Dense<16>>, Flatten, Dense<1>>;
#else
using M = Model<Sequence<4, 8>, Dense<16>, Residual<RmsNorm, Dense<16>>, MeanPool, Dense<1>>;
#endif

static M::Params params;
static M::State state;

int main() {
    float frame[8] = {}, out[1];
    M::step(params, state, frame, out);
}
