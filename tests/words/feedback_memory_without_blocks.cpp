// words: inlay: blocks do not fit
// words: FeedbackMemory<>
// words: Got<.*NoWindow
// words: a_block_window
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<16, 24>, FeedbackMemory<Heads<2>>>;
#else
using M = Model<Sequence<16, 24>, FeedbackMemory<Heads<2>, BlockWindow<4, 1>>>;
#endif

int main() { Network<M> net(Seed{1}); }
