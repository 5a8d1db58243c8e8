// words: inlay: blocks do not fit
// words: RecordOf<3>
// words: two_fields_named<.*(age|'a', ?'g', ?'e')
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Person = Record<Numeric<"age">, Categorical<"job", 32>, Numeric<"age">>;
#else
using Person = Record<Numeric<"age">, Categorical<"job", 32>, Numeric<"hours">>;
#endif

using M = Model<Person, Embed<4>, Flatten, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
