// SPDX-License-Identifier: BSD-3-Clause
// Compiled once for each instruction set, with RANKER the name of its one global symbol.
#include "ranker.hpp"

#include <inlay/inlay.hpp>

#include <memory>
#include <span>

using namespace inlay;

namespace {
using Ranker = Model<Vector<12>, Dense<24>, Tanh, LayerNorm, Dense<20>, Gelu, Dense<1>>;

struct Server {
    Network<Ranker> net{Seed{7}};
    Workspace<Ranker> workspace;
};
void score(float const* rows, int count, float* scores) {
    static thread_local auto const server = std::make_unique<Server>();
    for (int i = 0; i < count; ++i)
        scores[i] = server->net.infer(std::span(rows + i * 12, 12), server->workspace)(0)[0];
}
constexpr RankerCalls calls{INLAY_ISA_NAME, score};
} // namespace

extern "C" [[gnu::visibility("default")]] RankerCalls const* RANKER() noexcept { return &calls; }
