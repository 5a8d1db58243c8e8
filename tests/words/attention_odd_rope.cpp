// words: inlay: blocks do not fit
// words: Got<.*HeadDim<5>
// words: pairs_to_turn
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 10>, SoftmaxAttn<Heads<2>, Rope<>>>;
#else
using M = Model<Sequence<16, 10>, SoftmaxAttn<Heads<2>, Rope<10'000, Rotates<4>>>>;
#endif

int main() { Network<M> net(Seed{1}); }
