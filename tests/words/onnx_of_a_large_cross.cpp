// words: inlay: a block has no ONNX form
// words: has_an_onnx_form<.*Cross<>, .*Place<0, 1>, .*too_many_combinations
#include <inlay/inlay.hpp>
#include <inlay/io/onnx.hpp>

using namespace inlay;

#ifdef MISTAKE
constexpr int users = 4096;
#else
constexpr int users = 4;
#endif
using Row = Record<Categorical<"user", users>, Categorical<"item", 2048>>;
using M = Model<Row, Sum<Stack<Embed<1>, Flatten, Dense<1>>, Cross<Hashed<64>, Of<"user", "item">>>>;

int main() { save_onnx(Network<M>(Seed{1}), "model.onnx"); }
