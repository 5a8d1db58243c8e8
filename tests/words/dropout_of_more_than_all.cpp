// words: inlay: Dropout needs a probability in
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<8>, Dropout<1.5>>;
#else
using M = Model<Vector<4>, Dense<8>, Dropout<0.5>>;
#endif

int main() { Network<M> net(Seed{1}); }
