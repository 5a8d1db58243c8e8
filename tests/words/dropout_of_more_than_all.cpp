// words: inlay: blocks do not fit
// words: Misfit<.*Dropout<.*1\.5
// words: Place<1>
// words: a_number_out_of_range
// words: a_probability_below_1
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<8>, Dropout<1.5>>;
#else
using M = Model<Vector<4>, Dense<8>, Dropout<0.5>>;
#endif

int main() { Network<M> net(Seed{1}); }
