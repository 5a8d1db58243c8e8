// words: inlay: blocks do not fit
// words: Persistent<4
// words: Got<.*Shape<24>
// words: a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Shape<24>, Persistent<4, Memory<>>>;
#else
using M = Model<Sequence<16, 24>, Persistent<4, Memory<>>>;
#endif

int main() { Network<M> net(Seed{1}); }
