// words: inlay: a block has no streaming form
// words: SoftmaxAttn<.*Bidirectional
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SoftmaxAttn<Bidirectional>>;
#else
using M = Model<Sequence<16, 8>, SoftmaxAttn<Causal>>;
#endif

int main() {
    Network<M> net(Seed{1});
    M::State state{};
    float x[8]{}, y[8];
    M::step(net.params(), state, x, y);
}
