// words: inlay: blocks do not fit
// words: AsNumbers
// words: Tokens<12, 20000000>
// words: ids_below_2_to_the_24th
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using When = Tokens<12, 20'000'000>; // seconds
#else
using When = Tokens<12, 300'000>; // minutes
#endif

using M = Model<When, AsNumbers, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
