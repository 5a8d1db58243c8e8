// words: inlay: a block has no streaming form
// words: SoftmaxAttn<.*Bidirectional
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<Bidirectional>>, Dense<32>>;
#else
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<Causal>>, Dense<32>>;
#endif

int main() {
    Network<M> net(Seed{1});
    auto const state = std::make_unique<M::State>();
    return int(generate(net, *state, std::vector<std::int32_t>{1, 2}, {.tokens = 3}).size()) - 3;
}
