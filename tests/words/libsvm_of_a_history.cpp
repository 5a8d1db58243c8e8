// words: inlay: read_libsvm wants Shape<D>, or a Record without a History and learned edges
#include <inlay/data.hpp>

using namespace inlay;

#ifdef MISTAKE
using Visit = Record<Categorical<"item", 8>, History<"watched", 4, SameAs<"item">>>;
#else
using Visit = Record<Categorical<"item", 8>, MultiHot<"watched", 8, 4>>;
#endif

int main(int, char** argv) { return read_libsvm<Visit>(LibSvm{argv[1]}).size() == 0; }
