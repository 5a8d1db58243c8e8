// words: inlay: blocks do not fit
// words: RecordOf<2>
// words: unknown_policy_of<.*(tags|'t', 'a')
// words: Weighted
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Tags = MultiHot<"tags", 12, 3, Log>;
#else
using Tags = MultiHot<"tags", 12, 3, Weighted>;
#endif

using M = Model<Record<Tags, Categorical<"job", 32>>, Embed<4>, Flatten, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
