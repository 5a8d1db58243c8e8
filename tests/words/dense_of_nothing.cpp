// words: inlay: blocks do not fit
// words: Misfit<.*Dense<0>
// words: Place<0>
// words: a_number_out_of_range
// words: a_positive_width
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<0>>;
#else
using M = Model<Vector<4>, Dense<8>>;
#endif

int main() { Network<M> net(Seed{1}); }
