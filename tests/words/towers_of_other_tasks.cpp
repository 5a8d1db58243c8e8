// words: inlay: blocks do not fit
// words: PerRow<
// words: Shape<3, 8>
// words: a_sequence_of_rows<2>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, MultiGate<3, Dense<8>>, PerRow<Dense<1>, Dense<1>>>;
#else
using M = Model<Vector<4>, MultiGate<2, Dense<8>>, PerRow<Dense<1>, Dense<1>>>;
#endif

int main() { Network<M> net(Seed{1}); }
