// words: inlay: blocks do not fit
// words: Cross<
// words: no_indexing
// words: Hashed_or_Indexed
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Cross<Each>>;
#else
using M = Model<Person, Cross<Hashed<1024>, Each>>;
#endif

int main() { Network<M> net(Seed{1}); }
