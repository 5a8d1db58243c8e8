// SPDX-License-Identifier: BSD-3-Clause
// onnx_records FOLDER: models of records as ONNX.
#include "onnx_write.hpp"

using Row = Record<Categorical<"item", 13>, Numeric<"age", Buckets<18, 40>>, Numeric<"pay", Quantiles<4>>,
                   Numeric<"bare">, MultiHot<"tags", 9, 4>, MultiHot<"loud", 7, 3, Weighted>,
                   History<"seen", 5, SameAs<"item">>>;
using Few = Record<Categorical<"user", 11>, Categorical<"item", 13>, Categorical<"hour", 5>,
                   Numeric<"age", Buckets<18, 40>>, MultiHot<"tags", 9, 4>>;
using Loudly = Record<Categorical<"item", 13>, MultiHot<"loud", 7, 3, Weighted>>;
using Bare = Record<Categorical<"item", 13>, MultiHot<"tags", 9, 4>>;
using Visit = Record<Categorical<"user", 11>, Categorical<"item", 13>, History<"seen", 5, SameAs<"item">>,
                     History<"hour", 5, Ids<900>>>;

int main(int, char** argv) {
    std::string const folder = argv[1];
    using Tags = Select<"tags">;
    using Loud = Select<"loud">;
    using Seen = Select<"seen">;
    write<
        Model<Row, Concat<Stack<Embed<4>, Flatten>, Stack<Embed<3, PiecewiseLinear>, Flatten>,
                          Stack<Embed<3, Periodic<2>>, Flatten>, Stack<Embed<3, BagSqrtN>, Flatten>,
                          Stack<Embed<3, BagWeightedMean>, Flatten>,
                          EmbedEach<Width<"item", 4, QuotientRemainder<4>>, Width<"seen", 3, HashedRows<5>>,
                                    Width<"tags", 2, BagMax>, Width<"bare", 2, Periodic<3>>, Width<"age", 2>>,
                          Stack<Loud, Embed<3, BagSum>, Flatten>, Stack<Tags, Embed<3>, MaxPool>>>>(folder,
                                                                                                    "fields");
    write<Model<Few,
                Concat<Cross<Hashed<40>, Each, Of<"user", "item">, Of<"hour", "item", "user">>,
                       Cross<Indexed, Of<"item", "hour">, Each>,
                       Cross<Hashed<40>, Each, Of<"user", "hour">, Gated<Embed<3>, Flatten>>,
                       Cross<Indexed, Each, Gated<Embed<3>, Flatten>, SoftmaxGate>,
                       Cross<Indexed, Each, Of<"user", "hour">, Gated<Embed<3>, Flatten>, SparsemaxGate>>>>(
        folder, "exact");
    write<Model<Loudly, Concat<Cross<Hashed<40>, Each>, Cross<Indexed, Each>,
                               Cross<Indexed, Each, Gated<Embed<3>, Flatten>>>>>(folder, "weighted");
    using Pairs = Stack<Cross<Bilinear>, Flatten>;
    write<Model<Few, Embed<8>,
                Concat<Cross<Fm>, Cross<BiInteraction>, Stack<Cross<PowerSums<4>>, Flatten>, Cross<Ffm>,
                       Cross<Dot>, Cross<Dot, Diagonal>, Pairs, Stack<Cross<Bilinear, PerField>, Flatten>,
                       Stack<Cross<Bilinear, PerPair>, Flatten>, Cross<Cin<3, 2>>, Stack<Senet<2>, Pairs>>>>(
        folder, "products");
    write<Model<Vector<8>, LayerNorm,
                Concat<Cross<Dcn<2>>, Cross<Dcn<1>, Rank<3>>, Cross<Dcn<1>, Rank<3>, Experts<2>>,
                       Cross<Gdcn<1>>, Cross<Gdcn<1>, Rank<2>>, Cross<DcnV1<2>>, Cross<Fusion<2>>>>>(
        folder, "layers");
    using Catalogue = Embed<8, Share<"items">>;
    using Item = Stack<Select<"item">, Catalogue>;
    using Hours = Stack<Select<"hour">, AsNumbers>;
    using Din = Let<"item", Item, Seen, Catalogue, TargetAttn<"item", Dense<6>, Dice, Dense<1>>>;
    using Bst = Let<"item", Item, Seen, Catalogue,
                    TargetFirst<"item", LearnedPosition, Residual<SoftmaxAttn<Heads<2>, Bidirectional>>,
                                LayerNorm, Flatten>>;
    using Timed = Let<"hour", Hours, Seen, Catalogue, Residual<Hstu<Heads<2>, TimeBuckets<"hour">>>, Last>;
    using Recurrent =
        Stack<Seen, Embed<4>, LinearAttn<Heads<2>>, Gru<3>, CausalConv1d<2>, Concat<Last, MaxPool, MeanPool>>;
    using Product = Stack<Seen, Embed<4>, Concat<Cross<Fm>, Cross<Cin<2>>, Stack<Senet<2>, Flatten>>>;
    write<Model<Visit, Concat<Din, Bst, Timed, Recurrent, Product,
                              Stack<Keep<"u", Stack<Select<"user">, Embed<3>>, Flatten>>>>>(folder,
                                                                                            "histories");
    using Towers =
        Stack<MultiGate<2, Mlp<6, 5>, SharedExperts<2>, OwnExperts<1>, SharedRow>,
              MultiGate<2, Dense<4>, SharedExperts<1>, OwnExperts<2>>, PerRow<Mlp<3, 1>, Dense<1>>, Esmm>;
    write<Model<Bare, Embed<4>, Flatten, Concat<Towers, Stack<MultiGate<2, Dense<3>>, Flatten>, ItemToItem>>>(
        folder, "tasks");
    write<Model<Tokens<4, 8>, Concat<AlignedCodes<3, 4>, Embed<2, HashedRows<3>>>>>(folder, "codes");
}
