// words: inlay: blocks do not fit
// words: ModelInput
// words: Got<.*Gru<4>
// words: Vector_Sequence_Tokens_or_a_Record
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Filter = Model<Gru<4>, Dense<1>>;
#else
using Filter = Model<Sequence<16, 1>, Gru<4>, Dense<1>>;
#endif

static Filter::Params params;
static Filter::State state;

int main() {
    float const in[1] = {};
    float out[1];
    Filter::step(params, state, in, out);
}
