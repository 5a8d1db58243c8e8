// words: inlay: blocks do not fit
// words: Cross<.*Dcn<2>
// words: RecordOf<2>
// words: a_vector_or_a_sequence
#include <inlay/inlay.hpp>

using namespace inlay;

using Row = Record<Categorical<"job", 32>, Categorical<"town", 64>>;

#ifdef MISTAKE
using M = Model<Row, Cross<Dcn<2>>, Dense<1>>;
#else
using M = Model<Row, Embed<4>, Flatten, Cross<Dcn<2>>, Dense<1>>;
#endif

int main() { Network<M> net(Seed{1}); }
