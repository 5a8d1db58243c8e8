// words: inlay: the loss does not fit
// words: BasicCrossEntropy
// words: unknown_policy<.*Temperature
#include <inlay/train.hpp>

using namespace inlay;

using M = Model<Vector<4>, Dense<3>>;

#ifdef MISTAKE
using Loss = BasicCrossEntropy<Temperature<0.5>>;
#else
using Loss = CrossEntropy;
#endif

void fit(Network<M>& net) { Trainer<M, Loss, Batch<8>, Adam> trainer(net); }
