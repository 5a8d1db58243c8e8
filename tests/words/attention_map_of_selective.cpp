// words: inlay: an attention map cannot be read off a SoftmaxAttn with Selective
#include <inlay/inlay.hpp>
#include <inlay/probe.hpp>

using namespace inlay;

#ifdef MISTAKE
using Mixer = SoftmaxAttn<Heads<2>, Selective>;
#else
using Mixer = SoftmaxAttn<Heads<2>>;
#endif
using M = Model<Sequence<9, 6>, Mixer>;

int main() {
    Network<M> net(Seed{1});
    alignas(64) float x[9 * 16] = {};
    int layers = 0;
    each_attention_map(net, In<Sequence<9, 6>, Native>{x}, [&](AttentionMap const&) { ++layers; });
    return layers == 1 ? 0 : 1;
}
