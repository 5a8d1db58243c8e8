// words: inlay: blocks do not fit
// words: Repeat<3
// words: Place<1>
// words: Got<.*Shape<32>
// words: Wants<.*Shape<16>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16>, Repeat<3, RmsNorm, Dense<32>>>;
#else
using M = Model<Vector<8>, Dense<16>, Repeat<3, RmsNorm, Dense<32>, Relu, Dense<16>>>;
#endif

int main() { Network<M> net(Seed{1}); }
