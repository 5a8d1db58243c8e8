// words: inlay: blocks do not fit
// words: RecordOf<2>
// words: unknown_policy_of<.*(gain|'g', 'a')
// words: edges_or_Log_or_both
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Gain = Numeric<"gain", Quantiles<8>, Relu>;
#else
using Gain = Numeric<"gain", Quantiles<8>, Log>;
#endif

using M = Model<Record<Gain, Categorical<"job", 32>>, Cross<Indexed, Each>>;
int main() { Network<M> net(Seed{1}); }
