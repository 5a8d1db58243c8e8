// words: inlay: the loss does not fit
// words: Misfit<.*BasicInfoNce
// words: Shape<5>
// words: a_vector_of_even_width
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<5>>;
#else
using M = Model<Vector<4>, Dense<6>>;
#endif

void fit(Network<M>& net) { Trainer<M, InfoNce, Batch<8>, Adam> trainer(net); }
