// words: inlay: -ffast-math
// words: INLAY_ALLOW_FAST_MATH
// flags: -ffast-math
#include <inlay/inlay.hpp>

using namespace inlay;

using M = Model<Vector<8>, Dense<16>>;
int main() { Network<M> net(Seed{1}); }
