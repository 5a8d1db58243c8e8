// SPDX-License-Identifier: BSD-3-Clause
// Branches side by side over one input.
#pragma once

#include <inlay/combine/stack.hpp>
#include <inlay/kernels/map.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// What branches have in common, whatever becomes of their outputs.
template <class Index, class I, class R, class... Specs> struct Branches;
template <std::size_t... K, class I, class R, class... Specs>
struct Branches<std::index_sequence<K...>, I, R, Specs...> {
    static constexpr std::size_t N = sizeof...(Specs);
    template <std::size_t J> using child = typename At<J, Specs...>::template Block<I, R>;
    using Blocker = typename FirstBlocker<child<K>...>::type;
    using Shared = SharedIn<child<K>...>;
    static constexpr long long parameters = (child<K>::parameters + ... + 0LL);
    static constexpr double flops = (child<K>::flops + ... + 0.0);
    using Params = Leaves<typename child<K>::Params...>;
    template <int B> using Grads = Leaves<typename child<K>::template Grads<B>...>;
    template <int B> using Tapes = Leaves<typename child<K>::template Tape<B>...>;
    using State = Leaves<typename child<K>::State...>;
    static constexpr std::size_t scratch(int B) { return std::max({child<K>::scratch(B)...}); }
    static constexpr std::size_t step_scratch() { return std::max({child<K>::step_scratch()...}); }
    /// Room for the cotangent of the input, where it is numbers.
    static constexpr std::size_t input_bytes(int B) {
        if constexpr (is_numbers<I>) return bytes<I, R>(B);
        else return 0;
    }
    static constexpr int layers_before(std::size_t j) {
        int n = 0;
        ((K < j ? n += layers_of<Specs> : 0), ...);
        return n;
    }
    /// Branches over a record may be of different lengths: the first one's are those of the result.
    static Lengths lengths(In<I, R> x) noexcept { return lengths_of<child<0>, I, R>(x); }
    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        (child<K>::visit(get<K>(p), child_path<Specs>(at, int(K)), f), ...);
    }
    template <class F> static constexpr void describe(Path const& at, int times, F const& f) {
        (describe_child<child<K>>(child_path<Specs>(at, int(K)), times, f), ...);
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        (child<K>::initialize(c.template child<K, State>(layers_before(K)), get<K>(p)), ...);
    }
    template <std::size_t J, class C, class Y>
    static auto observed(C const& c, Params const& p, In<I, R> x, Y y) noexcept {
        return observe<child<J>>(c, child_path<At<J, Specs...>>({}, int(J)), get<J>(p), x, y);
    }
    /// Runs every branch's backward with the cotangent that `dout(j)` gives it, and sums what reaches the
    /// input.
    template <class C, class Tp, class DX, class G, class D>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tapes, D dout, DX dx, G& g,
                         Scratch s) noexcept {
        if constexpr (wants_grad<DX>) {
            auto const part = s.template take<I, R>(c.capacity, x.lengths);
            each<N>([&](auto j) noexcept {
                auto const to = j == 0 ? dx : part;
                child<j>::backward(c.template child<j, State>(layers_before(j)), get<j>(p), x, get<j>(tapes),
                                   dout(j), to, get<j>(g), s);
                if constexpr (j > 0)
                    kernels::add<R::lanes>(std::ptrdiff_t(c.rows) * I::rows * DX::stride, part.data, dx.data);
            });
        } else
            each<N>([&](auto j) noexcept {
                child<j>::backward(c.template child<j, State>(layers_before(j)), get<j>(p), x, get<j>(tapes),
                                   dout(j), NoGrad{}, get<j>(g), s);
            });
    }
};

/// The first problem of a branch; the place is the branch.
template <class I, int At, class... Specs> struct FirstBranchProblem {
    using type = Fits;
};
template <class I, int At, class First, class... Rest> struct FirstBranchProblem<I, At, First, Rest...> {
    static consteval auto find() {
        using P = Inside<At, detail::Problem<First, I>>;
        if constexpr (fits<P>) return Tag<typename FirstBranchProblem<I, At + 1, Rest...>::type>{};
        else return Tag<P>{};
    }
    using type = typename decltype(find())::type;
};
/// The branches of a Sum give one shape.
template <class, class O> struct SameShape {
    using type = O;
};
/// The branches of a Concat give one shape but for the width.
template <class Own, class O> struct SameRows {
    using type = O;
};
template <int... N, class O> struct SameRows<Shape<N...>, O> {
    using type = typename WithWidth<O, Shape<N...>::width>::type;
};
/// The first branch whose output is not what branch 0, which gives O, asks of it.
template <class Combine, template <class, class> class Rule, class I, class O, int At, class... Specs>
struct FirstOddBranch {
    using type = Fits;
};
template <class Combine, template <class, class> class Rule, class I, class O, int At, class First,
          class... Rest>
struct FirstOddBranch<Combine, Rule, I, O, At, First, Rest...> {
    using Own = typename OutputOf<First, I>::type;
    using Wanted = typename Rule<Own, O>::type;
    using type =
        typename std::conditional_t<std::is_same_v<Own, Wanted>,
                                    FirstOddBranch<Combine, Rule, I, O, At + 1, Rest...>,
                                    Tag<Misfit<Combine, Place<At>, Got<Brief<Own>>, Wants<Wanted>>>>::type;
};
template <class Combine, template <class, class> class Rule, class I, class First, class... Rest>
struct MatchingBranches {
    static consteval auto find() {
        using P = typename FirstBranchProblem<I, 0, First, Rest...>::type;
        if constexpr (!fits<P>) return Tag<P>{};
        else {
            using O = typename OutputOf<First, I>::type;
            if constexpr (!is_numbers<O>)
                return Tag<Misfit<Combine, Place<0>, Got<Brief<O>>, Wants<a_vector_or_a_sequence>>>{};
            else return Tag<typename FirstOddBranch<Combine, Rule, I, O, 1, Rest...>::type>{};
        }
    }
    using type = typename decltype(find())::type;
};
} // namespace detail

/// y = A(x) + B(x) + ...: branches over one input, their outputs of one shape. Wide & Deep is
/// `Sum<Cross<...>, Stack<Embed<8>, ...>>`. Backward gives every branch the whole dy. Parameters are named by
/// branch: `1.0.weight`. Error: branches whose outputs differ. Cost: the branches and an addition each.
/// State: the branches'. PyTorch: `a(x) + b(x)`.
template <class First, class... Rest> struct Sum {
    static constexpr int layers = detail::layers_of<First> + (detail::layers_of<Rest> + ... + 0);
    template <class I>
    using Problem = typename detail::MatchingBranches<Sum<void>, detail::SameShape, I, First, Rest...>::type;
    template <class I> static Tag<typename detail::OutputOf<First, I>::type> out(Tag<I>);

    template <class I, class R>
    struct Block : detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...> {
        using Spec = Sum;
        using Base = detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...>;
        using T = typename R::type;
        using Params = typename Base::Params;
        using State = typename Base::State;
        using Output = typename detail::OutputOf<First, I>::type;
        static constexpr int W = R::lanes, stride = In<Output, R>::stride;
        template <int B> using Tape = typename Base::template Tapes<B>;
        static constexpr std::size_t scratch(int B) {
            return Base::scratch(B) + std::max(detail::bytes<Output, R>(B), Base::input_bytes(B));
        }
        static constexpr std::size_t step_scratch() {
            return Base::step_scratch() + detail::token_bytes<Output, R>();
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto part = s.template take<Output, R>(c.capacity, y.lengths);
            detail::each<Base::N>([&](auto j) noexcept {
                using Child = typename Base::template child<j>;
                part.lengths = detail::lengths_of<Child, I, R>(x);
                auto const own = j == 0 ? y : part;
                [[maybe_unused]] auto const seen = Base::template observed<j>(c, p, x, own);
                Child::forward(c.template child<j, State>(Base::layers_before(j)), get<j>(p), x, own,
                               detail::tape_of<j>(tape), s);
                if constexpr (j > 0)
                    kernels::add<W>(std::ptrdiff_t(c.rows) * Output::rows * stride, part.data, y.data);
            });
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto const same = [&](auto j) noexcept {
                return In<Output, R>{dy.data, detail::lengths_of<typename Base::template child<j>, I, R>(x)};
            };
            Base::backward(c, p, x, tape, same, dx, g, s);
        }
        template <class C, class X>
        static void step(C const& c, Params const& p, State& state, X const* x, T* y, Scratch s) noexcept {
            T* part = s.template take<T>(std::size_t(stride));
            detail::each<Base::N>([&](auto j) noexcept {
                Base::template child<j>::step(c.template child<j, State>(Base::layers_before(j)), get<j>(p),
                                              get<j>(state), x, j == 0 ? y : part, s);
                if constexpr (j > 0) kernels::add<W>(stride, part, y);
            });
        }
    };
};

/// y = [A(x), B(x), ...]: branches over one input, their widths side by side in order.
///
/// All outputs are vectors, or sequences of one length. Backward gives every branch its part of dy.
/// Parameters are named by branch: `1.0.weight`. Cost: the branches and one copy. PyTorch: `torch.cat([a(x),
/// b(x)], -1)`. Error: a branch that gives ids, or another length. State: the branches'.
template <class First, class... Rest> struct Concat {
    static constexpr int layers = detail::layers_of<First> + (detail::layers_of<Rest> + ... + 0);
    template <class I>
    using Problem =
        typename detail::MatchingBranches<Concat<void>, detail::SameRows, I, First, Rest...>::type;
    template <class I>
    static Tag<typename detail::WithWidth<typename detail::OutputOf<First, I>::type,
                                          (detail::OutputOf<First, I>::type::width + ... +
                                           detail::OutputOf<Rest, I>::type::width)>::type>
        out(Tag<I>);

    template <class I, class R>
    struct Block : detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...> {
        using Spec = Concat;
        using Base = detail::Branches<std::index_sequence_for<First, Rest...>, I, R, First, Rest...>;
        using T = typename R::type;
        using Params = typename Base::Params;
        using State = typename Base::State;
        using Output = typename decltype(Concat::out(Tag<I>{}))::type;
        template <int B> using Tape = typename Base::template Tapes<B>;
        template <std::size_t J> using part = typename Base::template child<J>::Output;

        static constexpr int width_before(std::size_t j) {
            int n = 0;
            detail::each<Base::N>([&](auto k) noexcept { n += k < j ? part<k>::width : 0; });
            return n;
        }
        static constexpr std::size_t widest(int B) {
            std::size_t m = 0;
            detail::each<Base::N>([&](auto j) noexcept { m = std::max(m, detail::bytes<part<j>, R>(B)); });
            return m;
        }
        static constexpr std::size_t scratch(int B) {
            return Base::scratch(B) + widest(B) + Base::input_bytes(B);
        }
        static constexpr std::size_t widest_token = detail::token_bytes<Output, R>();
        static constexpr std::size_t step_scratch() { return Base::step_scratch() + widest_token; }

        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                            Scratch s) noexcept {
            auto* room = s.template take<std::byte>(widest(c.capacity));
            detail::each<Base::N>([&](auto j) noexcept {
                using Child = typename Base::template child<j>;
                auto const own = detail::view_at<part<j>, R>(room, detail::lengths_of<Child, I, R>(x));
                [[maybe_unused]] auto const seen = Base::template observed<j>(c, p, x, own);
                Child::forward(c.template child<j, State>(Base::layers_before(j)), get<j>(p), x, own,
                               detail::tape_of<j>(tape), s);
                for (int r = 0; r < c.rows * Output::rows; ++r) put<j>(own(0, r), y(0, r));
            });
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                             G& g, Scratch s) noexcept {
            auto* room = s.template take<std::byte>(widest(c.capacity));
            auto const own_of = [&](auto j) noexcept {
                using Child = typename Base::template child<j>;
                auto const own = detail::view_at<part<j>, R>(room, detail::lengths_of<Child, I, R>(x));
                for (int r = 0; r < c.rows * Output::rows; ++r) {
                    std::copy_n(dy(0, r) + width_before(j), own.width, own(0, r));
                    kernels::clear_pads(own(0, r), own.width, own.stride);
                }
                return In<part<j>, R>(own);
            };
            Base::backward(c, p, x, tape, own_of, dx, g, s);
        }
        template <class C, class X>
        static void step(C const& c, Params const& p, State& state, X const* x, T* y, Scratch s) noexcept {
            T* own = reinterpret_cast<T*>(s.template take<std::byte>(widest_token));
            detail::each<Base::N>([&](auto j) noexcept {
                Base::template child<j>::step(c.template child<j, State>(Base::layers_before(j)), get<j>(p),
                                              get<j>(state), x, own, s);
                put<j>(own, y);
            });
        }

    private:
        /// Writes branch J's part of a token, and the pads behind the last one's.
        template <std::size_t J> static void put(T const* own, T* y) noexcept {
            std::copy_n(own, part<J>::width, y + width_before(J));
            if constexpr (J + 1 == Base::N) kernels::clear_pads(y, Output::width, Out<Output, R>::stride);
        }
    };
};

} // namespace inlay::inline INLAY_ISA
