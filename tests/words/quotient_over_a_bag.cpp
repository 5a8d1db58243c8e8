// words: inlay: blocks do not fit
// words: Embed<8, .*QuotientRemainder<16>
// words: Bag<4, 64>
#include <inlay/inlay.hpp>

using namespace inlay;

using Row = Record<Categorical<"item", 64>, MultiHot<"tags", 64, 4>>;

#ifdef MISTAKE
using M = Model<Row, Stack<Select<"tags">, Embed<8, QuotientRemainder<16>>>, Flatten>;
#else
using M = Model<Row, Stack<Select<"item">, Embed<8, QuotientRemainder<16>>>, Flatten>;
#endif

int main() { Network<M> net(Seed{1}); }
