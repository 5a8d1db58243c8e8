// words: inlay: blocks do not fit
// words: Embed<4>
// words: Place<1>
// words: Shape<16>
// words: ids_or_a_record
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Vector<8>, Dense<16>, Embed<4>>;
#else
using M = Model<Person, Embed<4>, Flatten, Dense<16>>;
#endif

int main() { Network<M> net(Seed{1}); }
