// words: inlay: blocks do not fit
// words: SparseAttn<>
// words: Got<.*no_pattern
// words: Wants<.*a_pattern_of_keys
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Causal>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Causal, TopBlocks<2, 8>>>;
#endif

int main() { Network<M> net(Seed{1}); }
