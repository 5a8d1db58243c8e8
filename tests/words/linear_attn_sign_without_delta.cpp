// words: inlay: blocks do not fit
// words: LinearAttn<>
// words: Got<.*NegativeEigenvalues
// words: the_delta_rule
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, LinearAttn<Gla, NegativeEigenvalues>>;
#else
using M = Model<Sequence<16, 24>, LinearAttn<Kda, NegativeEigenvalues>>;
#endif

int main() { Network<M> net(Seed{1}); }
