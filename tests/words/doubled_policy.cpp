// words: inlay: blocks do not fit
// words: BasicRmsNorm<
// words: doubled_policy<.*Eps<
#include <inlay/inlay.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Vector<8>, BasicRmsNorm<Eps<1e-5>, Eps<1e-6>>>;
#else
using M = Model<Vector<8>, BasicRmsNorm<Eps<1e-5>>>;
#endif

int main() { Network<M> net(Seed{1}); }
