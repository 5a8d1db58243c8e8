// words: inlay: blocks do not fit
// words: doubled_policy<.*Window<4>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SoftmaxAttn<Window<4>, BlockWindow<4, 1>>>;
#else
using M = Model<Sequence<16, 8>, SoftmaxAttn<Window<4>>>;
#endif

int main() { Network<M> net(Seed{1}); }
