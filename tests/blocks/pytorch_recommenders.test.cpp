// SPDX-License-Identifier: BSD-3-Clause
// Whole recommenders against PyTorch, put together there as public implementations put them together
// (tests/vectors/make_recommender_vectors.py).
#include "pytorch.hpp"

using namespace pytorch;

namespace {
/// y = sqrt(D) x, for tokens that are D wide.
struct TimesRootOfWidth {
    using Wanted = a_sequence;
    template <int L, int D> static Tag<Shape<L, D>> out(Tag<Shape<L, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = TimesRootOfWidth;
        using Output = I;
        using T = typename R::type;
        static constexpr int stride = In<I, R>::stride;

        static void scale(int rows, T const* x, T* y) {
            for (int i = 0; i < rows * I::rows * stride; ++i) y[i] = std::sqrt(T(I::width)) * x[i];
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            scale(c.rows, x.data, y.data);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>) scale(c.rows, dy.data, dx.data);
        }
    };
};

template <class Spec, class I, int B> void agrees(char const* path, std::string const& at) {
    CAPTURE(at);
    auto const file = vectors(path);
    Call c;
    c.x = numbers(file, at + "x");
    compare(bind<Spec, I, NativeDouble, B>(), file, c, at);
}

using Row =
    Record<Categorical<"user", 5>, Categorical<"item", 7>, Categorical<"hour", 4>, Categorical<"place", 6>>;
using Linear = Cross<Indexed, Each>;
} // namespace

TEST_CASE("rankers of fields agree with PyTorch") {
    agrees<Sum<Linear, Stack<Embed<6>, Cross<Fm>>>, Row, 4>("field_models", "fm.");

    using Deep = Stack<Dense<7>, Relu, Dense<5>, Relu>;
    agrees<Stack<Embed<6>, Flatten, Concat<Cross<Dcn<2>>, Deep>, Dense<1>>, Row, 4>("field_models",
                                                                                    "dcn_v2.");

    using Attention = SoftmaxAttn<Heads<2>, Bidirectional, Bias>;
    using Fields = Stack<Sum<Stack<Dense<8>, Attention, Attention>, Dense<8>>, Relu, Flatten, Dense<1>>;
    using AutoInt = Sum<Linear, Stack<Embed<6>, Sum<Fields, Stack<Flatten, Mlp<7, 1>>>>>;
    agrees<AutoInt, Row, 4>("field_models", "autoint.");
}

TEST_CASE("SASRec agrees with PyTorch, its norms first or last") {
    using Norm = BasicLayerNorm<Eps<1e-8>>;
    using Past = SoftmaxAttn<Heads<2>, Causal, Bias>;
    using Think = Mlp<6, 6>;
    using A = Residual<Norm, Past>;
    using B = Residual<Norm, Think>;
    using First = Tied<Embed<6>, TimesRootOfWidth, LearnedPosition, A, B, A, B, Norm>;
    agrees<First, Tokens<5, 11>, 3>("sasrec", "norm_first.");

    using C = Residual<Past>;
    using D = Residual<Think>;
    using Last = Tied<Embed<6>, TimesRootOfWidth, LearnedPosition, C, Norm, D, Norm, C, Norm, D, Norm, Norm>;
    agrees<Last, Tokens<5, 11>, 3>("sasrec", "norm_last.");
}
