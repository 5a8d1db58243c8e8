// words: inlay: blocks do not fit
// words: Memory<>
// words: Got<.*Depth<2>
// words: a_memory_that_is_learned
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, Memory<Heads<2>, Depth<2>, ZeroStart>>;
#else
using M = Model<Sequence<16, 24>, Memory<Heads<2>, Depth<1>, ZeroStart>>;
#endif

int main() { Network<M> net(Seed{1}); }
