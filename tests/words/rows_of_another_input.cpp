// words: inlay: the data set does not go with the model
// words: fit_of_a_trainer
// words: Got<.*Rows<.*Shape<9>
// words: Wants<.*Rows<.*Shape<8>
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using Input = Vector<9>;
#else
using Input = Vector<8>;
#endif
using Line = Model<Vector<8>, Dense<1>>;

double fit(Network<Line>& net, Rows<Input> const& rows) {
    return Trainer<Line, MeanSquaredError, Batch<8>, Adam>(net).fit(rows, {.epochs = 1}).loss;
}
