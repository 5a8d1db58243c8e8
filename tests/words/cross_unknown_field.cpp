// words: inlay: blocks do not fit
// words: Cross<
// words: unknown_field<.*(jobs|'j')
// words: age job hobbies town|'a', 'g', 'e'
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Cross<Indexed, Of<"age", "jobs">>>;
#else
using M = Model<Person, Cross<Indexed, Of<"age", "job">>>;
#endif

int main() { Network<M> net(Seed{1}); }
