// words: inlay: blocks do not fit
// words: Misfit<.*FlexPrefill<1\.5.*, 8
// words: a_number_out_of_range
// words: a_probability_below_1
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, FlexPrefill<1.5, 8>>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, FlexPrefill<0.65, 8>>>;
#endif

int main() { Network<M> net(Seed{1}); }
