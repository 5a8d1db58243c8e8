// words: inlay: blocks do not fit
// words: Cross<
// words: too_many_combinations
// words: Hashed_slots
#include <inlay/inlay.hpp>

using namespace inlay;

using Visit = Record<Categorical<"user", 100'000>, Categorical<"item", 100'000>>;

#ifdef MISTAKE
using M = Model<Visit, Cross<Indexed, Of<"user", "item">>>;
#else
using M = Model<Visit, Cross<Hashed<4096>, Of<"user", "item">>>;
#endif

int main() { Network<M> net(Seed{1}); }
