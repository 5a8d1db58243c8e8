// words: inlay: blocks do not fit
// words: Cross<
// words: Place<0>
// words: Sequence<4, ?8>|Shape<4, ?8>
// words: a_record
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Sequence<4, 8>, Cross<Indexed, Each>>;
#else
using M = Model<Person, Cross<Indexed, Each>>;
#endif

int main() { Network<M> net(Seed{1}); }
