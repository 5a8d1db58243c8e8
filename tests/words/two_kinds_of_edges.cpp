// words: inlay: blocks do not fit
// words: RecordOf<2>
// words: two_kinds_of_edges_for<.*(gain|'g', 'a')
// words: one_of_Buckets_LogBuckets_Quantiles_TargetBins
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Gain = Numeric<"gain", Buckets<10, 20>, LogBuckets<8>>;
#else
using Gain = Numeric<"gain", LogBuckets<8>>;
#endif

using M = Model<Record<Gain, Categorical<"job", 32>>, Cross<Indexed, Each>>;
int main() { Network<M> net(Seed{1}); }
