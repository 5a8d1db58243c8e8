// words: inlay: blocks do not fit
// words: Cross<
// words: field_without_one_id<.*(hobbies|'h')
// words: a_field_with_one_id
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Cross<Indexed, Of<"job", "hobbies">>>;
#else
using M = Model<Person, Cross<Indexed, Of<"job", "town">>>;
#endif

int main() { Network<M> net(Seed{1}); }
