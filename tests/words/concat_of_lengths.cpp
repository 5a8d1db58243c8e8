// words: inlay: blocks do not fit
// words: Concat<void>
// words: Place<0, ?1>
// words: Shape<4, ?8>
// words: Shape<8>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<4, 8>, Concat<MeanPool, Relu>>;
#else
using M = Model<Sequence<4, 8>, Concat<MeanPool, MaxPool>>;
#endif

int main() { Network<M> net(Seed{1}); }
