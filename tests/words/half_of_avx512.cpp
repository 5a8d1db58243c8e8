// words: inlay: half of AVX-512
// words: -march=native
// flags: -mavx512f -mavx512bw -mavx512dq -mavx512vl
#include <inlay/inlay.hpp>

using namespace inlay;

using M = Model<Vector<8>, Dense<16>>;
int main() { Network<M> net(Seed{1}); }
