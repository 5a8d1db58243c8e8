// words: inlay: blocks do not fit
// words: TargetFirst<
// words: Shape<13, 8>
// words: a_vector
#include <inlay/inlay.hpp>

using namespace inlay;

using Visit = Record<Categorical<"item", 128>, History<"watched", 12, SameAs<"item">>>;
using Item = Stack<Select<"item">, Embed<8, Share<"items">>>;
template <class A>
using Asked = Model<Visit, Let<"item", Item, Select<"watched">, Embed<8, Share<"items">>, A>, Dense<1>>;

#ifdef MISTAKE
using M = Asked<TargetFirst<"item", LearnedPosition>>;
#else
using M = Asked<TargetFirst<"item", LearnedPosition, Flatten>>;
#endif

int main() { Network<M> net(Seed{1}); }
