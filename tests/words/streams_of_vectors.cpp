// words: inlay: Streams are of sequences
#include <inlay/train.hpp>

using namespace inlay;

#ifdef MISTAKE
using Input = Vector<4>;
#else
using Input = Sequence<8, 4>;
#endif

std::size_t count(Rows<Input> const& rows) { return Streams(rows).size(); }
