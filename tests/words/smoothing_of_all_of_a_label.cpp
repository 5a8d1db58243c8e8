// words: inlay: the loss does not fit
// words: Misfit<.*LabelSmoothing<1
// words: a_number_out_of_range
// words: a_probability_below_1
#include <inlay/train.hpp>

using namespace inlay;

using M = Model<Vector<4>, Dense<3>>;

#ifdef MISTAKE
using Loss = BasicCrossEntropy<LabelSmoothing<1.0>>;
#else
using Loss = BasicCrossEntropy<LabelSmoothing<0.1>>;
#endif

void fit(Network<M>& net) { Trainer<M, Loss, Batch<8>, Adam> trainer(net); }
