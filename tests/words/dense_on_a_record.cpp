// words: inlay: blocks do not fit
// words: Dense<16>
// words: Place<0>
// words: RecordOf<4>
// words: a_vector_or_a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Dense<16>>;
#else
using M = Model<Person, Embed<4>, Flatten, Dense<16>>;
#endif

int main() { Network<M> net(Seed{1}); }
