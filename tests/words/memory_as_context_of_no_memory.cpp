// words: inlay: blocks do not fit
// words: MemoryAsContext<
// words: Got<.*Dense<24>
// words: a_block_of_memory
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, MemoryAsContext<4, 2, SoftmaxAttn<>, Dense<24>>>;
#else
using M = Model<Sequence<16, 24>, MemoryAsContext<4, 2, SoftmaxAttn<>, Memory<>>>;
#endif

int main() { Network<M> net(Seed{1}); }
