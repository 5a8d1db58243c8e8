// words: inlay: the data set does not go with the model
// words: evaluate_of_a_network
// words: Got<.*vector<float
// words: Wants<.*Rows<.*Shape<16, 8>
#include <inlay/train.hpp>

using namespace inlay;

using Line = Model<Sequence<16, 8>, MeanPool, Dense<1>>;
#ifdef MISTAKE
using Data = std::vector<float>;
#else
using Data = Rows<Sequence<16, 8>>;
#endif

double loss(Network<Line> const& net, Data const& rows) { return get<Rmse>(evaluate<Rmse>(net, rows)); }
