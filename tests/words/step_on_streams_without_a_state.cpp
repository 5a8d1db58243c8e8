// words: inlay: the data set does not go with the model
// words: a_model_that_keeps_nothing_from_token_to_token
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Tokens<8, 32>, Embed<16>, Dense<32>>;
#else
using M = Model<Tokens<8, 32>, Embed<16>, Gru<16>, Dense<32>>;
#endif

double step(Network<M>& net, Rows<Tokens<8, 32>> const& text) {
    std::uint32_t const index[] = {0};
    Streams const streams(text);
    return Trainer<M, CrossEntropy, Batch<8>, Adam>(net).step(streams, index);
}
