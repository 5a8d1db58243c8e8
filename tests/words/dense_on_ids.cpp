// words: inlay: blocks do not fit
// words: Dense<16>
// words: Place<0>
// words: Tokens<32, ?100>
// words: a_vector_or_a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Tokens<32, 100>, Dense<16>>;
#else
using M = Model<Tokens<32, 100>, Embed<8>, Dense<16>>;
#endif

int main() { Network<M> net(Seed{1}); }
