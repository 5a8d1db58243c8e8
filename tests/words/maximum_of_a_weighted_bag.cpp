// words: inlay: blocks do not fit
// words: Embed<4, .*BagMax
// words: RecordOf<2>
// words: bags_without_weights
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Pool = BagMax;
#else
using Pool = BagWeightedMean;
#endif

using M = Model<Record<MultiHot<"tags", 12, 3, Weighted>, Categorical<"job", 32>>, Embed<4, Pool>, Flatten,
                Dense<1>>;
int main() { Network<M> net(Seed{1}); }
