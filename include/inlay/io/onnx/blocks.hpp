// SPDX-License-Identifier: BSD-3-Clause
// Blocks in the words of ONNX, opset 17. A sequence is taken to be of full length.
#pragma once

#include <inlay/blocks/batch_norm.hpp>
#include <inlay/blocks/dice.hpp>
#include <inlay/blocks/dropout.hpp>
#include <inlay/blocks/flatten.hpp>
#include <inlay/blocks/norm.hpp>
#include <inlay/blocks/pool.hpp>
#include <inlay/blocks/position.hpp>
#include <inlay/blocks/prelu.hpp>
#include <inlay/blocks/softmax_attn.hpp>
#include <inlay/combine/gate.hpp>
#include <inlay/combine/mlp.hpp>
#include <inlay/combine/named.hpp>
#include <inlay/combine/parallel.hpp>
#include <inlay/combine/product.hpp>
#include <inlay/combine/repeat.hpp>
#include <inlay/combine/residual.hpp>
#include <inlay/combine/tied.hpp>
#include <inlay/io/onnx/graph.hpp>

#include <cmath>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// x W^T + b of the parameters at a place.
inline std::string emit_map(OnnxGraph& g, std::string const& at, std::string const& x, bool biased) {
    auto const y = g.node("MatMul", {x, g.turned(at + "weight")});
    return biased ? g.node("Add", {y, g.weight(at + "bias")}) : y;
}
template <int O, class... P> struct OnnxForm<Dense<O, P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_map(g, at, x, Dense<O, P...>::has_bias);
    }
};

/// A function of each number.
template <class F> struct OnnxFunction {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return F::of(g, x);
    }
};
template <> struct OnnxForm<Relu> : OnnxFunction<OnnxForm<Relu>> {
    static std::string of(OnnxGraph& g, std::string const& x) { return g.node("Relu", {x}); }
};
template <class S> struct OnnxForm<BasicLeakyRelu<S>> : OnnxFunction<OnnxForm<BasicLeakyRelu<S>>> {
    static std::string of(OnnxGraph& g, std::string const& x) {
        return g.node("LeakyRelu", {x}, {{"alpha", S::value}});
    }
};
template <> struct OnnxForm<Tanh> : OnnxFunction<OnnxForm<Tanh>> {
    static std::string of(OnnxGraph& g, std::string const& x) { return g.node("Tanh", {x}); }
};
template <> struct OnnxForm<Sigmoid> : OnnxFunction<OnnxForm<Sigmoid>> {
    static std::string of(OnnxGraph& g, std::string const& x) { return g.node("Sigmoid", {x}); }
};
template <> struct OnnxForm<Softplus> : OnnxFunction<OnnxForm<Softplus>> {
    static std::string of(OnnxGraph& g, std::string const& x) { return g.node("Softplus", {x}); }
};
template <> struct OnnxForm<Silu> : OnnxFunction<OnnxForm<Silu>> {
    static std::string of(OnnxGraph& g, std::string const& x) {
        return g.node("Mul", {x, g.node("Sigmoid", {x})});
    }
};
template <> struct OnnxForm<Gelu> : OnnxFunction<OnnxForm<Gelu>> {
    static std::string of(OnnxGraph& g, std::string const& x) {
        auto const erf = g.node("Erf", {g.node("Mul", {x, g.constant(0.7071067811865476)})});
        auto const twice = g.node("Add", {erf, g.constant(1)});
        return g.node("Mul", {g.node("Mul", {x, g.constant(0.5)}), twice});
    }
};
template <> struct OnnxForm<GeluTanh> : OnnxFunction<OnnxForm<GeluTanh>> {
    static std::string of(OnnxGraph& g, std::string const& x) {
        auto const square = g.node("Mul", {g.node("Mul", {x, x}), g.constant(GeluTanh::cubic)});
        auto const scaled = g.node("Mul", {x, g.constant(GeluTanh::root)});
        auto const inner = g.node("Mul", {scaled, g.node("Add", {square, g.constant(1)})});
        auto const twice = g.node("Add", {g.node("Tanh", {inner}), g.constant(1)});
        return g.node("Mul", {g.node("Mul", {x, g.constant(0.5)}), twice});
    }
};
template <> struct OnnxForm<Identity> : OnnxFunction<OnnxForm<Identity>> {
    static std::string of(OnnxGraph&, std::string const& x) { return x; }
};
template <double P> struct OnnxForm<Dropout<P>> {
    template <class I> static std::string emit(OnnxGraph&, std::string const&, std::string const& x) {
        return x;
    }
};

/// The sum of the last extent, which stays as 1.
inline std::string emit_sum_of_width(OnnxGraph& g, std::string const& x, int width) {
    return g.node("MatMul", {x, g.constant({width, 1}, std::vector<float>(std::size_t(width), 1.0F))});
}
inline std::string emit_rms_norm(OnnxGraph& g, std::string const& weight, std::string const& x, double eps) {
    auto const mean = g.node("ReduceMean", {g.node("Mul", {x, x})}, {{"axes", {-1}}, {"keepdims", 1}});
    auto const root = g.node("Sqrt", {g.node("Add", {mean, g.constant(eps)})});
    return g.node("Mul", {g.node("Div", {x, root}), g.weight(weight)});
}
template <class... P> struct OnnxForm<BasicRmsNorm<P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_rms_norm(g, at + "weight", x, BasicRmsNorm<P...>::eps);
    }
};
template <class... P> struct OnnxForm<BasicLayerNorm<P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return g.node("LayerNormalization", {x, g.weight(at + "weight"), g.weight(at + "bias")},
                      {{"axis", -1}, {"epsilon", BasicLayerNorm<P...>::eps}});
    }
};
/// Columns by their running statistics, and by weight and bias where there are any.
template <class Norm>
std::string emit_columns(OnnxGraph& g, std::string const& at, std::string const& x, int width) {
    auto const &mean = g.numbers(at + "running_mean"), &variance = g.numbers(at + "running_var");
    std::vector<float> scale(mean.size(), 1), shift(mean.size());
    if (Norm::affine) scale = g.numbers(at + "weight"), shift = g.numbers(at + "bias");
    for (std::size_t i = 0; i < scale.size(); ++i) {
        scale[i] = float(double(scale[i]) / std::sqrt(double(variance[i]) + Norm::eps));
        shift[i] -= scale[i] * mean[i];
    }
    return g.node("Add", {g.node("Mul", {x, g.constant({width}, scale)}), g.constant({width}, shift)});
}
template <class... P> struct OnnxForm<BasicBatchNorm<P...>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_columns<BasicBatchNorm<P...>>(g, at, x, I::width);
    }
};
template <> struct OnnxForm<PRelu> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return g.node("PRelu", {x, g.weight(at + "weight")});
    }
};
template <> struct OnnxForm<Dice> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const p = g.node("Sigmoid", {emit_columns<Dice::Norm>(g, at, x, I::width)});
        auto const slope = g.node("Mul", {g.node("Sub", {g.constant(1), p}), g.weight(at + "alpha")});
        return g.node("Mul", {x, g.node("Add", {p, slope})});
    }
};

template <> struct OnnxForm<LearnedPosition> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return g.node("Add", {x, g.weight(at + "weight")});
    }
};
template <auto Base> struct OnnxForm<BasicSinusoidal<Base>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        std::vector<float> all;
        for (int t = 0; t < I::rows; ++t)
            for (int i = 0; i < I::width; ++i) {
                double const angle = t * std::pow(double(Base), -2.0 * (i / 2) / I::width);
                all.push_back(float(i % 2 ? std::cos(angle) : std::sin(angle)));
            }
        return g.node("Add", {x, g.constant({I::rows, I::width}, all)});
    }
};

template <> struct OnnxForm<Flatten> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(g.whole(x), {0, I::rows * I::width});
    }
};
/// The mean of rows [B, n, D], [B, 1, D]; of those that a mask leaves, zeros where it leaves none.
inline std::string emit_mean(OnnxGraph& g, std::string const& x, std::string const& mask, int n) {
    if (mask.empty()) return g.node("ReduceMean", {x}, {{"axes", {1}}, {"keepdims", 1}});
    auto const count = g.node("Max", {g.summed(mask, n), g.constant(1)});
    return g.node("Div", {g.summed(g.node("Mul", {x, mask}), n), count});
}
inline std::string emit_most(OnnxGraph& g, std::string const& x, std::string const& mask) {
    auto const most = [&](std::string const& of) {
        return g.node("ReduceMax", {of}, {{"axes", {1}}, {"keepdims", 1}});
    };
    if (mask.empty()) return most(x);
    auto const unseen = g.scaled(g.node("Sub", {mask, g.constant(1)}), 1e30);
    return g.node("Mul", {most(g.node("Add", {x, unseen})), most(mask)});
}
template <> struct OnnxForm<MeanPool> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(emit_mean(g, x, g.mask(x), I::rows), {0, I::width});
    }
};
template <> struct OnnxForm<MaxPool> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        return g.reshape(emit_most(g, x, g.mask(x)), {0, I::width});
    }
};
template <> struct OnnxForm<Last> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const&, std::string const& x) {
        auto const mask = g.mask(x);
        if (mask.empty()) return g.reshape(g.part(x, I::rows - 1, I::rows, 1), {0, I::width});
        // A row is the last where it is there and the next is not.
        auto const next = g.part(g.node("Pad", {mask, g.sizes({0, 0, 0, 0, 1, 0})}), 1, I::rows + 1, 1);
        auto const chosen = g.node("Mul", {x, g.node("Sub", {mask, next})});
        return g.reshape(g.summed(chosen, I::rows), {0, I::width});
    }
};

template <int H> struct OnnxForm<SwiGlu<H>> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const gate = OnnxForm<Silu>::of(g, emit_map(g, at + "gate.", x, false));
        return emit_map(g, at + "down.", g.node("Mul", {gate, emit_map(g, at + "up.", x, false)}), false);
    }
};

template <class... S> struct OnnxForm<Stack<S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string x) {
        using Shapes = walk<I, S...>;
        each<sizeof...(S)>([&](auto j) {
            using Child = At<j, S...>;
            x = emit_onnx<Child, shape_at<j, Shapes>>(g, child_place<Child>(at, int(j)), x);
        });
        return x;
    }
};
template <class... S> struct OnnxForm<Residual<S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return g.node("Add", {x, emit_onnx<Stack<S...>, I>(g, at, x)});
    }
};
template <int N, class... S> struct OnnxForm<Repeat<N, S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string x) {
        for (int n = 0; n < N; ++n) x = emit_onnx<Stack<S...>, I>(g, at + std::to_string(n) + ".", x);
        return x;
    }
};
template <Name N, class S> struct OnnxForm<Named<N, S>> {
    using Inside = List<S>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_onnx<S, I>(g, at, x);
    }
};
/// Branches over one input, joined two by two: `join(y, next, number)`.
template <class I, class... Branches, class F>
std::string emit_branches(OnnxGraph& g, std::string const& at, std::string const& x, F const& join) {
    std::string y;
    each<sizeof...(Branches)>([&](auto j) {
        using Child = At<j, Branches...>;
        auto const next = emit_onnx<Child, I>(g, child_place<Child>(at, int(j)), x);
        y = join(y, next, int(j));
        if (g.mask(y).empty()) g.set_mask(y, g.mask(next));
    });
    return y;
}
/// Branches joined by an operator, the first as it is.
template <class... Branches> struct OnnxJoined {
    using Inside = List<Branches...>;
    template <class I>
    static std::string joined_by(std::string_view op, OnnxGraph& g, std::string const& at,
                                 std::string const& x) {
        return emit_branches<I, Branches...>(g, at, x, [&](auto const& y, auto const& next, int j) {
            return j == 0 ? next : g.node(op, {y, next});
        });
    }
};
template <class... S> struct OnnxForm<Sum<S...>> : OnnxJoined<S...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return OnnxJoined<S...>::template joined_by<I>("Add", g, at, x);
    }
};
template <class... S> struct OnnxForm<Product<S...>> : OnnxJoined<S...> {
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return OnnxJoined<S...>::template joined_by<I>("Mul", g, at, x);
    }
};
template <class... S> struct OnnxForm<Concat<S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        return emit_branches<I, S...>(g, at, x, [&](auto const& y, auto const& next, int j) {
            return j == 0 ? next : g.node("Concat", {y, next}, {{"axis", -1}});
        });
    }
};
template <class... S> struct OnnxForm<Gate<S...>> {
    using Inside = List<S...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const shares = g.node("Softmax", {emit_map(g, at + "gate.", x, true)}, {{"axis", -1}});
        return emit_branches<I, S...>(g, at, x, [&](auto const& y, auto const& next, int j) {
            auto const share = g.node("Slice", {shares, g.sizes({j}), g.sizes({j + 1}), g.sizes({-1})});
            auto const part = g.node("Mul", {next, share});
            return j == 0 ? part : g.node("Add", {y, part});
        });
    }
};
template <int D, class First, class... Rest> struct OnnxForm<Tied<Embed<D>, First, Rest...>> {
    using Inside = List<First, Rest...>;
    template <class I> static std::string emit(OnnxGraph& g, std::string const& at, std::string const& x) {
        auto const embedded = g.node("Gather", {g.weight(at + "embed.weight"), x});
        using Body = Stack<First, Rest...>;
        auto const hidden = emit_onnx<Body, Shape<I::rows, D>>(g, at, embedded);
        return g.node("MatMul", {hidden, g.turned(at + "embed.weight")});
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
