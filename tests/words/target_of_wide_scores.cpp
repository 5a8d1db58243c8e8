// words: inlay: blocks do not fit
// words: TargetAttn<
// words: Shape<12, 3>
// words: one_number_for_each_row
#include <inlay/inlay.hpp>

using namespace inlay;

using Visit = Record<Categorical<"item", 128>, History<"watched", 12, SameAs<"item">>>;
using Item = Stack<Select<"item">, Embed<8, Share<"items">>>;
template <class A>
using DinWith = Model<Visit, Let<"item", Item, Select<"watched">, Embed<8, Share<"items">>, A>, Dense<1>>;

#ifdef MISTAKE
using M = DinWith<TargetAttn<"item", Dense<3>>>;
#else
using M = DinWith<TargetAttn<"item", Dense<1>>>;
#endif

int main() { Network<M> net(Seed{1}); }
