// words: inlay: blocks do not fit
// words: Tied<
// words: Place<0>
// words: Shape<8>
// words: tokens
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Tied<Embed<16>, Dense<16>>>;
#else
using M = Model<Tokens<8, 100>, Tied<Embed<16>, Dense<16>>>;
#endif

int main() { Network<M> net(Seed{1}); }
