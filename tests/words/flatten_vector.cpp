// words: inlay: blocks do not fit
// words: Misfit<.*Flatten
// words: Place<0>
// words: Got<.*Shape<8>
// words: a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Flatten, Dense<1>>;
#else
using M = Model<Sequence<4, 8>, Flatten, Dense<1>>;
#endif

int main() { Network<M> net(Seed{1}); }
