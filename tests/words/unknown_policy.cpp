// words: inlay: blocks do not fit
// words: Dense<16
// words: unknown_policy<.*Each
// words: one_each_of<.*NoBias
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16, Each>>;
#else
using M = Model<Vector<8>, Dense<16, NoBias>>;
#endif

int main() { Network<M> net(Seed{1}); }
