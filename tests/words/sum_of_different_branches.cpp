// words: inlay: blocks do not fit
// words: Sum<void>
// words: Place<0, ?1>
// words: Got<.*Shape<2>
// words: Wants<.*Shape<1>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Sum<Dense<1>, Stack<Dense<4>, Relu, Dense<2>>>>;
#else
using M = Model<Vector<8>, Sum<Dense<1>, Stack<Dense<4>, Relu, Dense<1>>>>;
#endif

int main() { Network<M> net(Seed{1}); }
