// words: inlay: blocks do not fit
// words: SinusoidalPositions
// words: Shape<7, 5>
// words: a_sequence_of_even_width
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<7, 5>, SinusoidalPositions, Dense<2>>;
#else
using M = Model<Sequence<7, 5>, Dense<6>, SinusoidalPositions, Dense<2>>;
#endif

int main() { Network<M> net(Seed{1}); }
