// words: inlay: blocks do not fit
// words: Select<.*(jobs|'j')
// words: Place<0>
// words: an_unknown_field
// words: age job hobbies town|'a', 'g', 'e'
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Select<"jobs">, Embed<4>>;
#else
using M = Model<Person, Select<"job">, Embed<4>>;
#endif

int main() { Network<M> net(Seed{1}); }
