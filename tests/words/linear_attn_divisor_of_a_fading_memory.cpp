// words: inlay: blocks do not fit
// words: LinearAttn<>
// words: Got<.*Normalised
// words: a_memory_that_only_adds
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, LinearAttn<Heads<6>, RetNet, Normalised>>;
#else
using M = Model<Sequence<16, 24>, LinearAttn<Heads<6>, RetNet, NormHeads>>;
#endif

int main() { Network<M> net(Seed{1}); }
