// SPDX-License-Identifier: BSD-3-Clause
// Attention and a memory side by side, and one behind the other.
#pragma once

#include <inlay/combine/memory_gate.hpp>
#include <inlay/combine/named.hpp>
#include <inlay/combine/parallel.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class I, class... Specs> struct MemoryGateProblem;
} // namespace detail

/// o = RMSNorm(attention(x)) sigmoid(RMSNorm(memory(x))): attention, mostly over a window, is the short-term
/// memory, and a Memory the long-term one (MAG of arXiv 2501.00663).
///
/// Shapes: `Shape<T, D>`, to what both blocks give. Parameters: `attn`'s and `memory`'s under these names,
/// `attn_norm.weight [O]` and `memory_norm.weight [O]`, ones at first. Cost: both blocks and 20 O flops a
/// token. State: that of both. With learned tokens that all see: `Persistent<N, MemoryAsGate<SoftmaxAttn<...,
/// Window<W>, Sinks<N>>, Memory<...>>>`. PyTorch: `norm_a(attn(x)) * norm_m(memory(x)).sigmoid()`. Error:
/// what is no sequence of numbers, blocks that give different shapes.
template <class Attention, class LongTerm> struct MemoryAsGate {
    static constexpr int layers = detail::layers_of<Attention> + detail::layers_of<LongTerm>;
    template <class I> using Problem = typename detail::MemoryGateProblem<I, Attention, LongTerm>::type;
    template <class I> static Tag<typename detail::OutputOf<Attention, I>::type> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::Branches<std::index_sequence<0, 1>, I, R, Named<"attn", Attention>,
                                    Named<"memory", LongTerm>> {
        using Spec = MemoryAsGate;
        using Base = detail::Branches<std::index_sequence<0, 1>, I, R, Named<"attn", Attention>,
                                      Named<"memory", LongTerm>>;
        using T = typename R::type;
        using State = typename Base::State;
        using Output = typename detail::OutputOf<Attention, I>::type;
        using Opened = detail::MemoryGate<Output, R>;
        static constexpr long long parameters = Base::parameters + Opened::parameters;
        static constexpr double flops = Base::flops + 20.0 * Output::rows * Output::width;

        struct Params {
            INLAY_EMPTY typename Base::Params branches;
            typename Opened::Params norms;
        };
        template <int B> struct Grads {
            INLAY_EMPTY typename Base::template Grads<B> branches;
            typename Opened::Params norms;
        };
        template <int B> struct Tape {
            INLAY_EMPTY typename Base::template Tapes<B> tapes;
            detail::Buffer<Output, R, B> attention, memory;
        };
        static constexpr std::size_t scratch(int B) {
            return Base::scratch(B) + 2 * detail::bytes<Output, R>(B) + Base::input_bytes(B) +
                   Opened::scratch;
        }
        static constexpr std::size_t step_scratch() {
            return Base::step_scratch() + 2 * detail::token_bytes<Output, R>() + Opened::scratch;
        }

        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            Base::visit(p.branches, at, f);
            Opened::visit(p.norms, at, f);
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            Base::initialize(c, p.branches);
            Opened::initialize(p.norms);
        }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto const room = [&](auto j) noexcept {
                if constexpr (!is_recording<Tp>) return s.template take<Output, R>(c.capacity, y.lengths);
                else if constexpr (j == 0) return tape.attention.view(y.lengths);
                else return tape.memory.view(y.lengths);
            };
            auto const attention = room(std::integral_constant<int, 0>{}),
                       memory = room(std::integral_constant<int, 1>{});
            detail::each<2>([&](auto j) noexcept {
                auto const to = j == 0 ? attention : memory;
                auto const cc = c.template child<j, State>(Base::layers_before(j));
                [[maybe_unused]] auto const seen = Base::template observed<j>(c, p.branches, x, to);
                if constexpr (is_recording<Tp>)
                    Base::template child<j>::forward(cc, get<j>(p.branches), x, to, get<j>(tape.tapes), s);
                else Base::template child<j>::forward(cc, get<j>(p.branches), x, to, tape, s);
            });
            Opened::forward(c.rows * Output::rows, p.norms, attention.data, memory.data, y.data, s);
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const da = s.template take<Output, R>(c.capacity, dy.lengths),
                       dm = s.template take<Output, R>(c.capacity, dy.lengths);
            Opened::backward(c.rows * Output::rows, p.norms, g.norms, tape.attention.view({}).data,
                             tape.memory.view({}).data, dy.data, da.data, dm.data, s);
            auto const slope = [&](auto j) noexcept { return In<Output, R>(j == 0 ? da : dm); };
            Base::backward(c, p.branches, x, tape.tapes, slope, dx, g.branches, s);
        }
        template <class C>
        static void step(C const& c, Params const& p, State& state, T const* x, T* y, Scratch s) noexcept {
            auto const width = std::size_t(Out<Output, R>::stride);
            T *const attention = s.template take<T>(width), *const memory = s.template take<T>(width);
            detail::each<2>([&](auto j) noexcept {
                Base::template child<j>::step(c.template child<j, State>(Base::layers_before(j)),
                                              get<j>(p.branches), get<j>(state), x,
                                              j == 0 ? attention : memory, s);
            });
            Opened::forward(1, p.norms, attention, memory, y, s);
        }
    };
};

namespace detail {
template <class I, class... Specs> struct MemoryGateProblem {
    static consteval auto find() {
        if constexpr (!is_sequence<I>)
            return Tag<Misfit<MemoryAsGate<void, void>, Place<>, Got<Brief<I>>, Wants<a_sequence>>>{};
        else return Tag<typename MatchingBranches<MemoryAsGate<void, void>, SameShape, I, Specs...>::type>{};
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

/// Attention over what a memory gives (MAL of arXiv 2501.00663): a stack of `memory` and `attn`, under these
/// names. With learned tokens: `MemoryAsLayer<SoftmaxAttn<...>, Persistent<N, Memory<...>>>`.
template <class Attention, class LongTerm>
using MemoryAsLayer = Stack<Named<"memory", LongTerm>, Named<"attn", Attention>>;

} // namespace inlay::inline INLAY_ISA
