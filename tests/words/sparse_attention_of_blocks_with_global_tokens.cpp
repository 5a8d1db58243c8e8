// words: inlay: blocks do not fit
// words: both<.*TopBlocks<2, 4>, .*GlobalTokens<2>|both<.*GlobalTokens<2>, .*TopBlocks<2, 4>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, TopBlocks<2, 4>, GlobalTokens<2>>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Strided<4>, GlobalTokens<2>>>;
#endif

int main() { Network<M> net(Seed{1}); }
