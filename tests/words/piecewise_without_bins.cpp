// words: inlay: blocks do not fit
// words: Embed<8, .*PiecewiseLinear
// words: Place<0, 0>
// words: a_number_with_learned_bins
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Gain = Numeric<"gain", Buckets<10, 20>>;
#else
using Gain = Numeric<"gain", Quantiles<8>>;
#endif

using M = Model<Record<Gain, Categorical<"job", 32>>, Stack<Embed<8, PiecewiseLinear>, Flatten, Dense<1>>>;
int main() { Network<M> net(Seed{1}); }
