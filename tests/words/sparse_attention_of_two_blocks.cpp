// words: inlay: blocks do not fit
// words: Misfit<.*Nsa<4, 2, 8>
// words: a_number_out_of_range
// words: three_blocks_and_a_window
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Nsa<4, 2, 8>>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Nsa<4, 3, 8>>>;
#endif

int main() { Network<M> net(Seed{1}); }
