// SPDX-License-Identifier: BSD-3-Clause
// Functions applied to each number.
#pragma once

#include <inlay/core/block.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// A block y = f(x) for a Function with `value(x)` and `derivative(x)` on vectors; `at_zero` says that f(0)
/// is not 0, so that pads have to be cleared.
template <class Function> struct Activation {
    using Wanted = a_vector_or_a_sequence;
    static constexpr bool at_zero = false;

    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using T = typename R::type;
        using Output = I;
        using Spec = Function;
        static constexpr int W = R::lanes, stride = In<I, R>::stride;
        static constexpr bool streams = true;
        static constexpr bool elementwise = !Function::at_zero;
        static constexpr double flops = double(I::rows) * I::width;

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            apply(c.rows * I::rows, x.data, y.data);
        }
        template <class C>
        static void step(C const&, Params const&, State&, T const* x, T* y, Scratch) noexcept {
            apply(1, x, y);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            if constexpr (wants_grad<DX>) // pads of dy are zero, and the derivative there is finite
                kernels::zip<W>(std::ptrdiff_t(c.rows) * I::rows * stride, x.data, dy.data, dx.data,
                                [](auto v, auto d) noexcept { return d * Spec::derivative(v); });
        }

    private:
        static void apply(int m, T const* x, T* y) noexcept {
            kernels::map<W>(std::ptrdiff_t(m) * stride, x, y, [](auto v) noexcept { return Spec::value(v); });
            if constexpr (Spec::at_zero && stride != I::width)
                for (int r = 0; r < m; ++r)
                    kernels::clear_pads(y + std::ptrdiff_t(r) * stride, I::width, stride);
        }
    };
};
/// A constant in the scalar of a vector.
template <class V> V constant(double x) noexcept { return V(typename V::value_type(x)); }
} // namespace detail

/// y = x: a branch that leaves its input as it is. PyTorch: `nn.Identity()`.
struct Identity : detail::Activation<Identity> {
    template <class V> static V value(V x) noexcept { return x; }
    template <class V> static V derivative(V) noexcept { return V(1); }
};

/// y = max(x, 0); 0 has slope 0, NaN stays NaN. PyTorch: `nn.ReLU()`.
struct Relu : detail::Activation<Relu> {
    template <class V> static V value(V x) noexcept {
        V const zero(0);
        return simd::select_greater(zero, x, zero, x);
    }
    template <class V> static V derivative(V x) noexcept { return simd::select_greater(x, V(0), V(1), V(0)); }
};

/// The slope of LeakyRelu left of 0, in thousandths.
template <int Thousandths> struct Slope {
    static constexpr double value = Thousandths / 1000.0;
};
/// y = x for x > 0, slope * x otherwise. PyTorch: `nn.LeakyReLU(slope)`; `LeakyRelu` has its slope 0.01.
template <class S = Slope<10>> struct BasicLeakyRelu : detail::Activation<BasicLeakyRelu<S>> {
    template <class V> static V value(V x) noexcept {
        return simd::select_greater(x, V(0), x, detail::constant<V>(S::value) * x);
    }
    template <class V> static V derivative(V x) noexcept {
        return simd::select_greater(x, V(0), V(1), detail::constant<V>(S::value));
    }
};
using LeakyRelu = BasicLeakyRelu<>;

/// y = x Phi(x) = 0.5 x erfc(-x / sqrt 2), which keeps its digits where 1 + erf would cancel. PyTorch:
/// `nn.GELU()`.
struct Gelu : detail::Activation<Gelu> {
    template <class V> static V cdf(V x) noexcept {
        return detail::constant<V>(0.5) * simd::erfc(detail::constant<V>(-0.7071067811865476) * x);
    }
    template <class V> static V value(V x) noexcept { return x * cdf(x); }
    template <class V> static V derivative(V x) noexcept {
        V const density =
            detail::constant<V>(0.3989422804014327) * simd::exp(detail::constant<V>(-0.5) * x * x);
        return cdf(x) + x * density;
    }
    /// The second derivative.
    template <class V> static V second(V x) noexcept {
        V const square = x * x;
        return detail::constant<V>(0.3989422804014327) * simd::exp(detail::constant<V>(-0.5) * square) *
               (V(2) - square);
    }
};

/// y = 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). PyTorch: `nn.GELU(approximate="tanh")`.
struct GeluTanh : detail::Activation<GeluTanh> {
    static constexpr double root = 0.7978845608028654, cubic = 0.044715;
    template <class V> static V inner(V x) noexcept {
        return simd::tanh(detail::constant<V>(root) * x * (V(1) + detail::constant<V>(cubic) * x * x));
    }
    template <class V> static V value(V x) noexcept {
        return detail::constant<V>(0.5) * x * (V(1) + inner(x));
    }
    template <class V> static V derivative(V x) noexcept {
        V const t = inner(x), half = detail::constant<V>(0.5);
        V const slope = detail::constant<V>(root) * (V(1) + detail::constant<V>(3 * cubic) * x * x);
        return half * (V(1) + t) + half * x * (V(1) - t * t) * slope;
    }
};

/// y = x sigmoid(x). PyTorch: `nn.SiLU()`.
struct Silu : detail::Activation<Silu> {
    template <class V> static V value(V x) noexcept { return x * simd::sigmoid(x); }
    template <class V> static V derivative(V x) noexcept {
        V const s = simd::sigmoid(x);
        return s * (V(1) + x * (V(1) - s));
    }
    /// The second derivative.
    template <class V> static V second(V x) noexcept {
        V const s = simd::sigmoid(x), rest = V(1) - s;
        return s * rest * (V(2) + x * (rest - s));
    }
};

/// y = tanh x. PyTorch: `nn.Tanh()`.
struct Tanh : detail::Activation<Tanh> {
    template <class V> static V value(V x) noexcept { return simd::tanh(x); }
    template <class V> static V derivative(V x) noexcept {
        V const t = simd::tanh(x);
        return V(1) - t * t;
    }
};

/// y = 1 / (1 + e^-x). PyTorch: `nn.Sigmoid()`.
struct Sigmoid : detail::Activation<Sigmoid> {
    static constexpr bool at_zero = true;
    template <class V> static V value(V x) noexcept { return simd::sigmoid(x); }
    template <class V> static V derivative(V x) noexcept {
        V const s = simd::sigmoid(x);
        return s * (V(1) - s);
    }
};

/// y = log(1 + e^x), without overflow. PyTorch: `nn.Softplus()`.
struct Softplus : detail::Activation<Softplus> {
    static constexpr bool at_zero = true;
    template <class V> static V value(V x) noexcept { return simd::softplus(x); }
    template <class V> static V derivative(V x) noexcept { return simd::sigmoid(x); }
};

} // namespace inlay::inline INLAY_ISA
