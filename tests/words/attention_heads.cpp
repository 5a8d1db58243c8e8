// words: inlay: blocks do not fit
// words: Place<1>
// words: Got<.*Shape<16, 30>
// words: a_width_for<.*Heads<4>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, Dense<30>, SoftmaxAttn<Heads<4>>>;
#else
using M = Model<Sequence<16, 8>, Dense<30>, SoftmaxAttn<Heads<4>, HeadDim<8>>>;
#endif

int main() { Network<M> net(Seed{1}); }
