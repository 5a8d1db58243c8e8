// words: inlay: blocks do not fit
// words: Misfit<.*Shape<0>
// words: a_number_out_of_range
// words: a_positive_length_and_width
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<0>, Dense<8>>;
#else
using M = Model<Vector<4>, Dense<8>>;
#endif

int main() { Network<M> net(Seed{1}); }
