// words: inlay: blocks do not fit
// words: MultiGate<
// words: Shape<2, 8>
// words: a_vector_or_a_sequence_of_rows<3>
#include <inlay/inlay.hpp>

using namespace inlay;

template <class... P> using Level = MultiGate<2, Dense<8>, SharedExperts<1>, OwnExperts<1>, P...>;

#ifdef MISTAKE
using M = Model<Vector<6>, Level<>, Level<>, Flatten>;
#else
using M = Model<Vector<6>, Level<SharedRow>, Level<>, Flatten>;
#endif

int main() { Network<M> net(Seed{1}); }
