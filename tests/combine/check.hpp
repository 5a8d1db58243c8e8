// SPDX-License-Identifier: BSD-3-Clause
// A small model in double, filled with random numbers, next to its reference.
#pragma once

#include "../reference/all.hpp"

#include <doctest/doctest.h>
#include <inlay/inlay.hpp>

#include <memory>
#include <string>
#include <vector>

namespace combine {

using namespace inlay;

inline std::string text(Path const& path) {
    std::string const own = path.name ? path.name : std::to_string(path.index);
    return path.outer ? text(*path.outer) + (own.empty() ? "" : "." + own) : own;
}

/// y = x times the side tensor N.
template <Name N> struct TimesSide {
    template <int... D> static Tag<Shape<D...>> out(Tag<Shape<D...>>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = TimesSide;
        using T = typename R::type;
        using Output = I;
        static constexpr bool streams = true;
        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<I, R> y, Tp&, Scratch) noexcept {
            static_assert(HasSide<N, decltype(c.extras)>, "inlay: TimesSide is outside of its Keep or Let");
            for (int r = 0; r < c.rows * I::rows; ++r)
                for (int i = 0; i < x.stride; ++i) y(0, r)[i] = x(0, r)[i] * side<N>(c.extras).value(0, r)[i];
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const&, In<I, R> x, Tp const&, In<I, R> dy, DX dx, G&,
                             Scratch) noexcept {
            auto const& s = side<N>(c.extras);
            for (int r = 0; r < c.rows * I::rows; ++r)
                for (int i = 0; i < x.stride; ++i) {
                    if constexpr (wants_grad<DX>) dx(0, r)[i] = dy(0, r)[i] * s.value(0, r)[i];
                    s.cotangent(0, r)[i] += dy(0, r)[i] * x(0, r)[i];
                }
        }
        template <class C>
        static void step(C const& c, Params const&, State&, T const* x, T* y, Scratch) noexcept {
            for (int i = 0; i < In<I, R>::stride; ++i) y[i] = x[i] * side<N>(c.extras).value(0)[i];
        }
    };
};

/// Two rows of a model with all that a run needs. Input: numbers or tokens, given row by row.
template <class M> struct Case {
    static constexpr int B = 3, rows = 2;
    using Block = typename M::Block;
    using Input = typename M::Input;
    using Output = typename M::Output;
    using R = typename M::Scalar;
    using Grads = typename Block::template Grads<B>;

    struct Memory {
        typename M::Params params{};
        Grads grads{};
        typename Block::template Tape<B> tape{};
        detail::Buffer<Output, R, B> y{}, dy{};
        alignas(64) std::byte scratch[Block::scratch(B) + 64];
        std::int32_t length[B] = {};
    };
    std::unique_ptr<Memory> m = std::make_unique<Memory>();
    Context<> c{.rows = rows, .capacity = B, .depth = M::depth};
    In<Input, R> x{};
    reference::Parameters reference;

    explicit Case(In<Input, R> input) : x(input) {
        std::fill_n(m->scratch, sizeof m->scratch, std::byte{0xff}); // NaN: nobody may count on zeros
        initialize<M>(m->params, Seed{1});
        int t = 0;
        Block::visit(m->params, Path{nullptr, "", 0}, [&](auto, Path const& path, Kind, auto ref) {
            reference::Matrix w{ref.rows, ref.width, {}};
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0; i < ref.width; ++i) {
                    ref(r, i) = 0.5 * Key{7}.normal(std::uint64_t(t++));
                    w.data.push_back(ref(r, i));
                }
            reference.by_name[text(path).substr(1)] = w;
        });
        auto const lengths = detail::lengths_of<Block, Input, R>(x);
        auto const dy = m->dy.view(lengths);
        for (int b = 0; b < rows; ++b)
            for (int r = 0; r < dy.length(b); ++r)
                for (int i = 0; i < Output::width; ++i) dy(b, r)[i] = Key{8}.normal(std::uint64_t(t++));
    }
    In<Output, R> y() const { return std::as_const(m->y).view(detail::lengths_of<Block, Input, R>(x)); }
    In<Output, R> dy() const { return std::as_const(m->dy).view(detail::lengths_of<Block, Input, R>(x)); }

    /// The cotangent of the output times the output.
    double loss() {
        Block::forward(c, m->params, x, m->y.view(detail::lengths_of<Block, Input, R>(x)), m->tape,
                       Scratch{m->scratch});
        double sum = 0;
        for (int b = 0; b < rows; ++b)
            for (int r = 0; r < y().length(b); ++r)
                for (int i = 0; i < Output::width; ++i) sum += dy()(b, r)[i] * y()(b, r)[i];
        return sum;
    }
    double slope(double& w) {
        double const before = w;
        w = before + 1e-5;
        double const above = loss();
        w = before - 1e-5;
        double const below = loss();
        w = before;
        return (above - below) / 2e-5;
    }
    /// All parameters, and the input if it has a gradient, against central differences.
    void check_gradient() {
        Block::visit(m->grads, Path{}, [](auto, Path const&, Kind, auto ref) { clear(ref); });
        loss();
        detail::Buffer<std::conditional_t<is_numbers<Input>, Input, Shape<1>>, R, B> dx;
        auto const backward = [&](auto to) {
            Block::backward(c, m->params, x, m->tape, dy(), to, m->grads, Scratch{m->scratch});
        };
        if constexpr (is_numbers<Input>) backward(dx.view(x.lengths));
        else backward(NoGrad{});
        std::vector<double> found, expected;
        std::vector<std::size_t> start;
        Block::visit(m->params, Path{}, [&](auto, Path const&, Kind, auto ref) {
            start.push_back(found.size());
            found.resize(found.size() + std::size_t(ref.rows * ref.width));
        });
        std::size_t which = 0;
        Block::visit(m->grads, Path{}, [&](auto, Path const&, Kind, auto ref) {
            double* to = found.data() + start.at(which++);
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0, row = ref.id ? ref.id[r] : r; i < ref.width && row >= 0; ++i)
                    to[row * ref.width + i] += ref(r, i);
        });
        Block::visit(m->params, Path{}, [&](auto, Path const&, Kind, auto ref) {
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0; i < ref.width; ++i) expected.push_back(slope(ref(r, i)));
        });
        if constexpr (is_numbers<Input>)
            for (int b = 0; b < rows; ++b)
                for (int t = 0; t < x.length(b); ++t)
                    for (int i = 0; i < x.stride; ++i) {
                        found.push_back(dx.view({})(b, t)[i]);
                        expected.push_back(i < x.width ? slope(const_cast<double&>(x(b, t)[i])) : 0);
                    }
        REQUIRE(found.size() == expected.size());
        double worst = 0, largest = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            REQUIRE(std::isfinite(found[i])); // a NaN is not the greater of two
            worst = std::max(worst, std::abs(found[i] - expected[i]));
            largest = std::max(largest, std::abs(expected[i]));
        }
        CHECK(largest > 0);
        CHECK(worst < 1e-7 * (1 + largest));
    }
    /// Row b of the output, of forward with a tape and of inference, against a sequence.
    void check_row(int b, reference::Sequence const& expected) {
        loss();
        auto kept = std::make_unique<Memory>(*m);
        NoTape none;
        Block::forward(c, m->params, x, kept->y.view(y().lengths), none, Scratch{kept->scratch});
        REQUIRE(int(expected.size()) == y().length(b));
        for (int t = 0; t < y().length(b); ++t) {
            REQUIRE(int(expected[std::size_t(t)].size()) == Output::width);
            for (int i = 0; i < Output::width; ++i) {
                CHECK(std::abs(y()(b, t)[i] - expected[std::size_t(t)][std::size_t(i)]) < 1e-12);
                CHECK(kept->y.view({})(b, t)[i] == y()(b, t)[i]);
            }
            for (int i = Output::width; i < y().stride; ++i) CHECK(y()(b, t)[i] == 0);
        }
    }
    /// Token by token, row b gives what forward gave.
    void check_step(int b) {
        loss();
        auto state = std::make_unique<typename M::State>();
        reset<M>(*state);
        for (int t = 0; t < y().length(b); ++t) {
            double out[std::size_t(Output::width)];
            if constexpr (is_numbers<Input>)
                M::step(
                    m->params, *state,
                    std::span<double const, std::size_t(Input::width)>(x(b, t), std::size_t(Input::width)),
                    out);
            else M::step(m->params, *state, x(b)[t], out);
            for (int i = 0; i < Output::width; ++i) CHECK(std::abs(out[i] - y()(b, t)[i]) < 1e-12);
        }
    }
};

/// A batch of numbers with lengths.
template <class S, class R> struct Numbers {
    detail::Buffer<S, R, 3> at{};
    std::int32_t length[3] = {S::rows, (S::rows + 1) / 2, S::rows};
    Numbers() {
        for (int b = 0; b < 3; ++b)
            for (int t = 0; t < view().length(b); ++t)
                for (int i = 0; i < S::width; ++i)
                    at.view({})(b, t)[i] = Key{5}.normal(std::uint64_t(b * S::rows + t), std::uint64_t(i));
    }
    In<S, R> view() const { return std::as_const(at).view(Lengths{length, sizeof(std::int32_t)}); }
    reference::Sequence row(int b) const {
        reference::Sequence x;
        for (int t = 0; t < view().length(b); ++t) x.emplace_back(view()(b, t), view()(b, t) + S::width);
        return x;
    }
};

/// A batch of tokens with lengths.
template <class S, class R> struct TokenRows {
    detail::Buffer<S, R, 3> at{};
    std::int32_t length[3] = {S::rows, (S::rows + 1) / 2, S::rows};
    TokenRows() {
        for (int b = 0; b < 3; ++b) {
            for (int t = 0; t < S::rows; ++t)
                at.view({})(b)[t] =
                    std::int32_t(Key{6}.below(S::vocabulary, std::uint64_t(b), std::uint64_t(t)));
        }
    }
    In<S, R> view() const { return std::as_const(at).view(Lengths{length, sizeof(std::int32_t)}); }
    reference::Sequence row(int b) const {
        std::vector<int> ids(view()(b), view()(b) + view().length(b));
        return reference::tokens(ids);
    }
};

inline reference::Block dense() { return reference::dense; }

template <class Input, class... Specs>
using Small = typename Model<Input, Specs...>::template as<double, Lanes<4>>;

template <class Input, class Spec> using ProblemOf = detail::Problem<Spec, Input>;

} // namespace combine
