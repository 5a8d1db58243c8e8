// words: inlay: a block has no streaming form
// words: SparseAttn
// words: FlexPrefill
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, FlexPrefill<0.65, 8>>>;
#else
using M = Model<Sequence<16, 8>, SparseAttn<Heads<2>, Quest<2, 4>>>;
#endif

int main() {
    Network<M> net(Seed{1});
    static M::State state{};
    float x[8] = {}, y[8];
    M::step(net.params(), state, x, y);
}
