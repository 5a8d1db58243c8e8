// words: inlay: a metric has
// words: BinaryCrossEntropy
#include <inlay/train.hpp>

using namespace inlay;

using Line = Model<Vector<2>, Dense<1>>;

double judge(Network<Line>& net, Rows<Vector<2>> const& rows);
double judge(Network<Line>& net, Rows<Vector<2>> const& rows) {
    Trainer<Line, BinaryCrossEntropy, Batch<16>, Sgd> trainer(net);
#ifdef MISTAKE
    return trainer.fit(rows, {.validate = &rows, .metrics = metrics<BinaryCrossEntropy>}).validation;
#else
    return trainer.fit(rows, {.validate = &rows, .metrics = metrics<LogLoss>}).validation;
#endif
}
