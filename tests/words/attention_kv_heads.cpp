// words: inlay: blocks do not fit
// words: SoftmaxAttn<>
// words: Got<.*KvHeads<4>
// words: what_divides<.*Heads<6>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, SoftmaxAttn<Heads<6>, KvHeads<4>>>;
#else
using M = Model<Sequence<16, 24>, SoftmaxAttn<Heads<6>, KvHeads<3>>>;
#endif

int main() { Network<M> net(Seed{1}); }
