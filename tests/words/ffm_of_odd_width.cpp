// words: inlay: blocks do not fit
// words: Cross<.*Ffm>
// words: Shape<3, 5>
// words: a_part_for_each_other
#include <inlay/inlay.hpp>

using namespace inlay;

using Row = Record<Categorical<"job", 32>, Categorical<"town", 64>, Categorical<"street", 96>>;

#ifdef MISTAKE
using M = Model<Row, Embed<5>, Cross<Ffm>>;
#else
using M = Model<Row, Embed<6>, Cross<Ffm>>;
#endif

int main() { Network<M> net(Seed{1}); }
