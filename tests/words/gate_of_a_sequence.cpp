// words: inlay: blocks do not fit
// words: Cross<
// words: Shape<2, 4>
// words: a_vector
#include <inlay/inlay.hpp>

using namespace inlay;

using Row = Record<Categorical<"job", 32>, Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Row, Cross<Hashed<64>, Each, Gated<Embed<4>>>>;
#else
using M = Model<Row, Cross<Hashed<64>, Each, Gated<Embed<4>, Flatten>>>;
#endif

int main() { Network<M> net(Seed{1}); }
