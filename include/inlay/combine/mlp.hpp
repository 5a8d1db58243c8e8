// SPDX-License-Identifier: BSD-3-Clause
// Feed-forward networks made of dense layers.
#pragma once

#include <inlay/blocks/activation.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/combine/stack.hpp>
#include <inlay/kernels/glu.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Dense layers with an activation behind each but the last.
template <class Activation, class Done, int... Widths> struct MlpOf;
template <class Activation, class... Done, int Last> struct MlpOf<Activation, List<Done...>, Last> {
    using type = Stack<Done..., Dense<Last>>;
};
template <class Activation, class... Done, int Next, int... Rest>
    requires(sizeof...(Rest) > 0)
struct MlpOf<Activation, List<Done...>, Next, Rest...>
    : MlpOf<Activation, List<Done..., Dense<Next>, Activation>, Rest...> {};
} // namespace detail

/// A stack of dense layers with `Activation` between them and nothing behind the last:
/// `BasicMlp<Gelu, 64, 1>` is `Stack<Dense<64>, Gelu, Dense<1>>`.
template <class Activation, int First, int... Widths>
using BasicMlp = typename detail::MlpOf<Activation, List<>, First, Widths...>::type;

/// A multi-layer perceptron: `Mlp<64, 32, 1>` is `Stack<Dense<64>, Relu, Dense<32>, Relu, Dense<1>>`. Shapes,
/// cost, initialisation and errors are those of the stack; parameters are `0.weight`, `0.bias`, `2.weight`
/// and so on. PyTorch: `nn.Sequential(nn.Linear(D, 64), nn.ReLU(), ...)`. No state. Backward: the stack's.
/// Error: as Dense's.
template <int First, int... Widths> using Mlp = BasicMlp<Relu, First, Widths...>;

/// y = down(silu(gate x) * (up x)): the gated feed-forward layer of transformers (arXiv 2002.05202), token by
/// token and without bias.
///
/// Shapes: `Shape<D>` or `Shape<T, D>`, kept. Parameters: `gate.weight [H, D]`, `up.weight [H, D]`,
/// `down.weight [D, H]`, each drawn as a Dense draws its own. Cost: 6 H D + 6 H flops a token; backward twice
/// that. No state. Tape: gate x and up x; backward recomputes their product. PyTorch:
/// `down(F.silu(gate(x)) * up(x))` of three `nn.Linear(..., bias=False)`. Error: ids or a record as input.
template <int H> struct SwiGlu {
    using Must = detail::Must<(H > 0), a_positive_width>;
    using Wanted = a_vector_or_a_sequence;
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = SwiGlu;
        using T = typename R::type;
        using Output = I;
        using Hidden = typename detail::WithWidth<I, H>::type;
        using Widen = typename Dense<H, NoBias>::template Block<I, R>;
        using Narrow = typename Dense<I::width, NoBias>::template Block<Hidden, R>;
        static constexpr int W = R::lanes, stride = In<I, R>::stride, hidden_stride = In<Hidden, R>::stride;
        static constexpr bool streams = true;
        static constexpr long long parameters = 2 * Widen::parameters + Narrow::parameters;
        static constexpr double flops = 2 * Widen::flops + Narrow::flops + 6.0 * H * I::rows;

        struct Params {
            typename Widen::Params gate, up;
            typename Narrow::Params down;
        };
        template <int> using Grads = Params;
        template <int B> struct Tape {
            detail::Buffer<Hidden, R, B> gate, up;
        };
        static constexpr std::size_t scratch(int B) {
            return 2 * detail::bytes<Hidden, R>(B) + detail::bytes<I, R>(B);
        }
        static constexpr std::size_t step_scratch() { return 2 * detail::token_bytes<Hidden, R>(); }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            // What is asked of SwiGlu is asked of its matrices, so they answer in its name.
            auto own = [&](auto, Path const& path, Kind kind, auto ref) {
                f(Tag<SwiGlu>{}, path, kind, ref);
            };
            Widen::visit(p.gate, Path{&at, "gate"}, own);
            Widen::visit(p.up, Path{&at, "up"}, own);
            Narrow::visit(p.down, Path{&at, "down"}, own);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            C part = c;
            part.key = c.key.fold(0);
            Widen::initialize(part, p.gate);
            part.key = c.key.fold(1);
            Widen::initialize(part, p.up);
            part.key = c.key.fold(2);
            Narrow::initialize(part, p.down);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const h = s.template take<Hidden, R>(c.capacity, x.lengths);
            auto [gate, up] = [&] {
                if constexpr (is_recording<Tp>)
                    return std::pair(tape.gate.view(x.lengths), tape.up.view(x.lengths));
                else return std::pair(h, s.template take<Hidden, R>(c.capacity, x.lengths));
            }();
            Widen::forward(c, p.gate, x, gate, tape, s);
            Widen::forward(c, p.up, x, up, tape, s);
            kernels::swiglu<W>(std::ptrdiff_t(c.rows) * I::rows * hidden_stride, gate.data, up.data, h.data);
            Narrow::forward(c, p.down, h, y, tape, s);
        }
        template <class C>
        static void step(C const& c, Params const& p, State&, T const* x, T* y, Scratch s) noexcept {
            T* gate = s.take<T>(std::size_t(hidden_stride));
            T* up = s.take<T>(std::size_t(hidden_stride));
            typename Widen::State none;
            typename Narrow::State nothing;
            Widen::step(c, p.gate, none, x, gate, s);
            Widen::step(c, p.up, none, x, up, s);
            kernels::swiglu<W>(hidden_stride, gate, up, gate);
            Narrow::step(c, p.down, nothing, gate, y, s);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            std::ptrdiff_t const n = std::ptrdiff_t(c.rows) * I::rows * hidden_stride;
            auto const gate = tape.gate.view(x.lengths), up = tape.up.view(x.lengths);
            auto const h = s.template take<Hidden, R>(c.capacity, x.lengths);
            auto const dh = s.template take<Hidden, R>(c.capacity, x.lengths);
            kernels::swiglu<W>(n, gate.data, up.data, h.data);
            Narrow::backward(c, p.down, h, tape, dy, dh, g.down, s);
            // h has been used: its room takes dgate, and dup replaces dh.
            kernels::swiglu_backward<W>(n, gate.data, up.data, dh.data, h.data, dh.data);
            Widen::backward(c, p.gate, x, tape, h, dx, g.gate, s);
            if constexpr (wants_grad<DX>) {
                auto const part = s.template take<I, R>(c.capacity, x.lengths);
                Widen::backward(c, p.up, x, tape, dh, part, g.up, s);
                kernels::add<W>(std::ptrdiff_t(c.rows) * I::rows * stride, part.data, dx.data);
            } else Widen::backward(c, p.up, x, tape, dh, dx, g.up, s);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
