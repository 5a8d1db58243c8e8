// words: inlay: blocks do not fit
// words: Times<3
// words: Place<1>
// words: an_Interleave_around_it
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16>, Times<3, PreNorm<SwiGlu<32>>>>;
#else
using M = Model<Vector<8>, Dense<16>, Interleave<Times<3, PreNorm<SwiGlu<32>>>, Relu>>;
#endif

int main() { Network<M> net(Seed{1}); }
