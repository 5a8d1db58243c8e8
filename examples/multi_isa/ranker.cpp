// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for each instruction set, with RANKER the name of its one global symbol.
#include "ranker.hpp"

#include <inlay/inlay.hpp>

#include <algorithm>
#include <memory>

using namespace inlay;

namespace {
using Ranker = Model<Vector<12>, Dense<24>, Tanh, LayerNorm, Dense<20>, Gelu, Dense<1>>;

struct Server {
    Network<Ranker> net{Seed{7}};
    Workspace<Ranker, Batch<1>> workspace;
};
void score(float const* rows, int count, float* scores) {
    static thread_local auto const server = std::make_unique<Server>();
    alignas(64) float x[In<Vector<12>, Native>::stride] = {};
    for (int i = 0; i < count; ++i) {
        std::copy_n(rows + i * 12, 12, x);
        scores[i] = server->net.infer({x, {}}, 1, server->workspace)(0)[0];
    }
}
constexpr RankerCalls calls{INLAY_ISA_NAME, score};
} // namespace

extern "C" [[gnu::visibility("default")]] RankerCalls const* RANKER() noexcept { return &calls; }
