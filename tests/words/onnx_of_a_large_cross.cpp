// words: inlay: a Cross has an ONNX form for at most 2\^22 combinations of ids
// words: has_a_table_in_onnx<.*Cross
#include <inlay/inlay.hpp>
#include <inlay/io/onnx.hpp>

using namespace inlay;

#ifdef MISTAKE
constexpr int users = 4096;
#else
constexpr int users = 4;
#endif
using Row = Record<Categorical<"user", users>, Categorical<"item", 2048>>;
using M = Model<Row, Cross<Hashed<64>, Of<"user", "item">>>;

int main() { save_onnx(Network<M>(Seed{1}), "model.onnx"); }
