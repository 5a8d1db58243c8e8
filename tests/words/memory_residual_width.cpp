// words: inlay: blocks do not fit
// words: Memory<>
// words: Got<.*KeyDim<4>
// words: keys_as_wide_as_values
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, Memory<KeyDim<4>, ValueDim<6>, InnerResidual>>;
#else
using M = Model<Sequence<16, 24>, Memory<KeyDim<4>, ValueDim<6>>>;
#endif

int main() { Network<M> net(Seed{1}); }
