// words: inlay: blocks do not fit
// words: both<.*TopBlocks<2, 4>, .*Bidirectional
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<TopBlocks<2, 4>, Bidirectional>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<TopBlocks<2, 4>, Causal>>;
#endif

int main() { Network<M> net(Seed{1}); }
