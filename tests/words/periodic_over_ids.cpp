// words: inlay: blocks do not fit
// words: Embed<8, .*Periodic<16
// words: Tokens<1, 32>
// words: Wants<.*a_number
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using Part = Select<"job">;
#else
using Part = Select<"age">;
#endif

using M =
    Model<Record<Numeric<"age">, Categorical<"job", 32>>, Part, Embed<8, Periodic<16>>, Flatten, Dense<1>>;
int main() { Network<M> net(Seed{1}); }
