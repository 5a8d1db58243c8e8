// words: inlay: blocks do not fit
// words: both<.*Alibi, .*Bidirectional
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SoftmaxAttn<Heads<2>, Bidirectional, Alibi>>;
#else
using M = Model<Sequence<16, 8>, SoftmaxAttn<Heads<2>, Causal, Alibi>>;
#endif

int main() { Network<M> net(Seed{1}); }
