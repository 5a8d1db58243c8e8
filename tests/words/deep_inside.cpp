// words: inlay: blocks do not fit
// words: Misfit<.*Flatten
// words: Place<1, ?0, ?1, ?0>
// words: Got<.*Shape<16>
// words: a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16>, Repeat<2, Residual<Dense<16>, Stack<Flatten, Dense<16>>>>>;
#else
using M = Model<Vector<8>, Dense<16>, Repeat<2, Residual<Dense<16>, Stack<Relu, Dense<16>>>>>;
#endif

int main() { Network<M> net(Seed{1}); }
