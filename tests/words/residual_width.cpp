// words: inlay: blocks do not fit
// words: Residual<
// words: Place<1>
// words: Got<.*Shape<16>
// words: Wants<.*Shape<32>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<32>, Residual<Dense<16>>>;
#else
using M = Model<Vector<8>, Dense<32>, Residual<Dense<32>>>;
#endif

int main() { Network<M> net(Seed{1}); }
