// words: inlay: blocks do not fit
// words: Concat<void>
// words: Place<0, ?0>
// words: Tokens<1, ?32>
// words: a_vector_or_a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

using Person = Record<Numeric<"age", Buckets<20, 40, 60>>, Categorical<"job", 32>, MultiHot<"hobbies", 16, 4>,
                      Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Person, Concat<Select<"job">, Select<"town">>, Dense<1>>;
#else
using M = Model<Person, Concat<Stack<Select<"job">, Embed<4>>, Stack<Select<"town">, Embed<8>>>, Dense<1>>;
#endif

int main() { Network<M> net(Seed{1}); }
