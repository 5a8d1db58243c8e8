// words: inlay: the loss does not fit
// words: Misfit<.*Losses
// words: Shape<5>
// words: an_output_of_width<4>
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<4>, Dense<5>>;
#else
using M = Model<Vector<4>, Dense<4>>;
#endif

void fit(Network<M>& net) {
    Trainer<M, Losses<BinaryCrossEntropy, Columns<3, CrossEntropy>>, Batch<8>, Adam> trainer(net);
}
