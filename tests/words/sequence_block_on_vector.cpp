// words: inlay: blocks do not fit
// words: MeanPool
// words: Place<1>
// words: Got<.*Shape<16>
// words: a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16>, MeanPool>;
#else
using M = Model<Sequence<4, 8>, Dense<16>, MeanPool>;
#endif

int main() { Network<M> net(Seed{1}); }
