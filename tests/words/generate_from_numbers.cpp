// words: inlay: generate wants a model from Tokens<T, V> to scores \[T, V\]
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<>>, Dense<31>>;
#else
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<>>, Dense<32>>;
#endif

int main() {
    Network<M> net(Seed{1});
    Generator<M> generator(net);
}
