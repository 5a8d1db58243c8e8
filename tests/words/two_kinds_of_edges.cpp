// words: inlay: Numeric takes a name and at most one of Buckets and LogBuckets
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Gain = Numeric<"gain", Buckets<10, 20>, LogBuckets<8>>;
#else
using Gain = Numeric<"gain", LogBuckets<8>>;
#endif

using M = Model<Record<Gain, Categorical<"job", 32>>, Cross<Indexed, Each>>;
int main() { Network<M> net(Seed{1}); }
