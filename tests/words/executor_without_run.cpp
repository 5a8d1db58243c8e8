// words: inlay: a Trainer's last argument is an Executor
// words: Crowd
#include <inlay/parallel.hpp>
#include <inlay/train.hpp>

using namespace inlay;

using Line = Model<Vector<2>, Dense<1>>;

struct Crowd {
    int workers() const { return 4; }
};

#ifdef MISTAKE
using Fast = Trainer<Line, MeanSquaredError, Batch<16>, Sgd, Crowd>;
#else
using Fast = Trainer<Line, MeanSquaredError, Batch<16>, Sgd, Threads>;
#endif

double fit(Network<Line>& net, Rows<Vector<2>> const& rows);
double fit(Network<Line>& net, Rows<Vector<2>> const& rows) {
    Fast trainer(net);
    return trainer.fit(rows, {.epochs = 2}).loss;
}
