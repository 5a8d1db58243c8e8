// words: inlay: blocks do not fit
// words: Misfit<.*Share<.*items
// words: Got<.*Table<50, ?8>
#include <inlay/inlay.hpp>

using namespace inlay;

using Visit = Record<Categorical<"item", 50>, Categorical<"last", 50>>;

#ifdef MISTAKE
using M = Model<Visit, Concat<Stack<Select<"item">, Embed<16, Share<"items">>>,
                              Stack<Select<"last">, Embed<8, Share<"items">>>>>;
#else
using M = Model<Visit, Concat<Stack<Select<"item">, Embed<16, Share<"items">>>,
                              Stack<Select<"last">, Embed<16, Share<"items">>>>>;
#endif

int main() { Network<M> net(Seed{1}); }
