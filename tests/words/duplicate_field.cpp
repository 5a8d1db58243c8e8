// words: inlay: two fields of a Record have the same name
// words: age|'a', 'g', 'e'
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Person = Record<Numeric<"age">, Categorical<"job", 32>, Numeric<"age">>;
#else
using Person = Record<Numeric<"age">, Categorical<"job", 32>, Numeric<"hours">>;
#endif

using M = Model<Person, Embed<4>, Flatten, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
