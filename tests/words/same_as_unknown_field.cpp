// words: inlay: blocks do not fit
// words: RecordOf<3>
// words: SameAs_of<.*(movie|'m', 'o', 'v')
// words: user item watched|'u', 's', 'e', 'r'
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Visit =
    Record<Categorical<"user", 99>, Categorical<"item", 50>, History<"watched", 20, SameAs<"movie">>>;
#else
using Visit =
    Record<Categorical<"user", 99>, Categorical<"item", 50>, History<"watched", 20, SameAs<"item">>>;
#endif

using M = Model<Visit, Embed<4>, Flatten, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
