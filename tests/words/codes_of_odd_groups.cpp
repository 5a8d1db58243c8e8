// words: inlay: blocks do not fit
// words: AlignedCodes<8, 16
// words: Tokens<4, 60>
// words: groups_of<16>
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Codes = Tokens<4, 60>;
#else
using Codes = Tokens<4, 64>;
#endif

using M = Model<Codes, AlignedCodes<8, 16>, MeanPool>;
int main() { Network<M> net(Seed{1}); }
