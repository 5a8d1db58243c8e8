// words: inlay: a block has no ONNX form
// words: has_an_onnx_form<.*Memory<.*Place<0, 1>
#include <inlay/inlay.hpp>
#include <inlay/io/onnx.hpp>

using namespace inlay;

#ifdef MISTAKE
using M = Model<Sequence<4, 8>, Residual<LayerNorm, Memory<Heads<2>>>, Dense<2>>;
#else
using M = Model<Sequence<4, 8>, Residual<LayerNorm, Tanh>, Dense<2>>;
#endif

int main() { save_onnx(Network<M>(Seed{1}), "model.onnx"); }
