// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/combine/parallel.hpp>
#include <inlay/kernels/hadamard.hpp>

#include <array>

namespace inlay::inline INLAY_ISA {

/// y = A(x) B(x) ..., element by element: branches over one input, their outputs of one shape. A branch that
/// ends in Sigmoid is a gate on the others; a mask of MaskNet (arXiv 2102.07619) is an `Mlp` beside
/// `Identity`.
///
/// Parameters are named by branch: `1.0.weight`. Cost: the branches and one product a number. Tape: the
/// branches' outputs. Backward: a branch gets dy times the other branches' outputs. PyTorch: `a(x) * b(x)`.
/// Error: branches whose outputs differ. State: the branches'.
template <class First, class... Rest> struct Product {
    static constexpr int layers = detail::layers_of<First> + (detail::layers_of<Rest> + ... + 0);
    template <class I>
    using Problem =
        typename detail::MatchingBranches<Product<void>, detail::SameShape, I, First, Rest...>::type;
    template <class I> static Tag<typename detail::OutputOf<First, I>::type> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...> {
        using Spec = Product;
        using Base = detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...>;
        using T = typename R::type;
        using Params = typename Base::Params;
        using State = typename Base::State;
        using Output = typename detail::OutputOf<First, I>::type;
        static constexpr int W = R::lanes, stride = In<Output, R>::stride;
        template <int B> struct Tape {
            INLAY_EMPTY typename Base::template Tapes<B> tapes;
            std::array<detail::Buffer<Output, R, B>, Base::N> outputs;
        };
        static constexpr std::size_t scratch(int B) {
            return Base::scratch(B) + std::max(detail::bytes<Output, R>(B), Base::input_bytes(B)) +
                   detail::bytes<Output, R>(B);
        }
        static constexpr std::size_t step_scratch() {
            return Base::step_scratch() + detail::token_bytes<Output, R>();
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            std::ptrdiff_t const count = std::ptrdiff_t(c.rows) * Output::rows * stride;
            auto const room = s.template take<Output, R>(c.capacity, y.lengths);
            detail::each<Base::N>([&](auto j) noexcept {
                using Child = typename Base::template child<j>;
                auto own = room;
                if constexpr (is_recording<Tp>) own = tape.outputs[j].view({});
                own.lengths = detail::lengths_of<Child, I, R>(x);
                auto const cc = c.template child<j, State>(Base::layers_before(j));
                [[maybe_unused]] auto const seen = Base::template observed<j>(c, p, x, own);
                if constexpr (is_recording<Tp>) Child::forward(cc, get<j>(p), x, own, get<j>(tape.tapes), s);
                else Child::forward(cc, get<j>(p), x, own, tape, s);
                if constexpr (j == 0) std::copy_n(own.data, count, y.data);
                else kernels::multiply<W>(count, own.data, y.data, y.data);
            });
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            std::ptrdiff_t const count = std::ptrdiff_t(c.rows) * Output::rows * stride;
            auto const room = s.template take<Output, R>(c.capacity, dy.lengths);
            auto const own = [&](auto j) noexcept {
                std::copy_n(dy.data, count, room.data);
                for (std::size_t k = 0; k < Base::N; ++k)
                    if (k != j)
                        kernels::multiply<W>(count, tape.outputs[k].view({}).data, room.data, room.data);
                return In<Output, R>{room.data,
                                     detail::lengths_of<typename Base::template child<j>, I, R>(x)};
            };
            Base::backward(c, p, x, tape.tapes, own, dx, g, s);
        }
        template <class C, class X>
        static void step(C const& c, Params const& p, State& state, X const* x, T* y, Scratch s) noexcept {
            T* part = s.template take<T>(std::size_t(stride));
            detail::each<Base::N>([&](auto j) noexcept {
                Base::template child<j>::step(c.template child<j, State>(Base::layers_before(j)), get<j>(p),
                                              get<j>(state), x, j == 0 ? y : part, s);
                if constexpr (j > 0) kernels::multiply<W>(stride, part, y, y);
            });
        }
    };
};

} // namespace inlay::inline INLAY_ISA
