// words: inlay: blocks do not fit
// words: doubled_policy<.*GatedDelta
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, LinearAttn<Heads<6>, GatedDelta, RetNet>>;
#else
using M = Model<Sequence<16, 24>, LinearAttn<Heads<6>, GatedDelta>>;
#endif

int main() { Network<M> net(Seed{1}); }
