// What of history_ranker.cpp exists so far, in the same words: the blocks that are missing are left out of
// each branch.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

using namespace inlay;

using Visit = Record<Categorical<"user", 1024>, Categorical<"item", 2048>, Categorical<"hour", 24>,
                     Numeric<"age">, MultiHot<"genres", 19, 6>, History<"watched", 32, SameAs<"item">>>;

using Exact = Cross<Hashed<1 << 16>, Of<"user", "hour">, Of<"item", "hour">>;
using Bounded = Stack<Embed<16>, Flatten, Cross<Dcn<3>, Rank<16>>, Dense<1>>;
using Fields = Stack<Embed<16>, PreNorm<SoftmaxAttn<Heads<2>, Bidirectional>>, Flatten, Dense<1>>;
using Recent = Stack<Select<"watched">, Embed<16>, PreNorm<SparseAttn<Heads<2>, Causal, TopBlocks<2, 8>>>,
                     Last, Dense<1>>;
using Ranker = Model<Visit, Sum<Exact, Bounded, Fields, Recent>>;

int main() {
    auto net = Network<Ranker>(Seed{5});
    auto rows = Rows<Visit>::random(4096, Seed{6});
    auto trainer = Trainer<Ranker, BinaryCrossEntropy, Batch<64>, AdaGrad>(net);
    trainer.fit(rows, {.epochs = 1});
    auto ws = Workspace<Ranker, Batch<1>>{};
    float const p = sigmoid(net.infer(rows[0], ws)[0]);
    return p > 0 && p < 1 ? 0 : 1;
}
