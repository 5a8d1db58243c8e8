// words: inlay: Dense needs a positive width
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<0>>;
#else
using M = Model<Vector<4>, Dense<8>>;
#endif

int main() { Network<M> net(Seed{1}); }
