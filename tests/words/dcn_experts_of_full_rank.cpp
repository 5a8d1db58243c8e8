// words: inlay: blocks do not fit
// words: Cross<.*Dcn<3>.*Experts<4>
// words: experts_of_full_rank
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, Cross<Dcn<3>, Experts<4>>, Dense<1>>;
#else
using M = Model<Vector<8>, Cross<Dcn<3>, Experts<4>, Rank<2>>, Dense<1>>;
#endif

int main() { Network<M> net(Seed{1}); }
