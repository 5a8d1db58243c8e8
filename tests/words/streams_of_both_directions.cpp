// words: inlay: the data set does not go with the model
// words: fit_of_a_trainer
// words: a_block_without_a_streaming_form
// words: SoftmaxAttn<.*Bidirectional
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<Bidirectional>>, Dense<32>>;
#else
using M = Model<Tokens<8, 32>, Embed<16>, PreNorm<SoftmaxAttn<Causal>>, Dense<32>>;
#endif

void fit(Network<M>& net, Rows<Tokens<8, 32>> const& text) {
    Trainer<M, CrossEntropy, Batch<8>, Adam>(net).fit(Streams(text));
}
