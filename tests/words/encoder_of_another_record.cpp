// words: inlay: the encoder does not go with the model
// words: EncoderOfANetwork
// words: Got<.*RecordOf<1>
// words: Wants<.*RecordOf<2>
#include <inlay/data.hpp>

using namespace inlay;

using Visit = Record<Categorical<"user", 16>, Numeric<"age">>;
using Scorer = Model<Visit, Embed<4>, Flatten, Dense<1>>;
#ifdef MISTAKE
using Known = Record<Categorical<"user", 16>>;
#else
using Known = Visit;
#endif

void keep(Network<Scorer> const& net, Encoder<Known> const& encoder) {
    save(net, encoder, "scorer.safetensors");
}
