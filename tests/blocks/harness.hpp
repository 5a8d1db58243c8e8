// SPDX-License-Identifier: BSD-3-Clause
// One block with everything around it: buffers with dirty pads, random numbers, a loss <dy, y>, its gradient
// by central differences, and its parameters as the references want them.
#pragma once

#include "../reference/reference.hpp"

#include <inlay/inlay.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <random>
#include <string>

namespace test {

using namespace inlay;

inline std::string text(Path const& path) {
    std::string const own = path.name ? path.name : std::to_string(path.index);
    return path.outer && (path.outer->name || path.outer->outer) ? text(*path.outer) + "." + own : own;
}

template <class Spec_, class I_, class T_, int W_ = native_lanes<T_>, int B_ = 3> struct Harness {
    using Spec = Spec_;
    using I = I_;
    using T = T_;
    static constexpr int B = B_, W = W_;
    static constexpr auto count = std::size_t(B_);
    using R = Real<T, W>;
    using Block = typename Spec::template Block<I, R>;
    using O = typename Block::Output;
    using State = typename Block::State;
    static_assert(inlay::Block<Block, I, R>);

    Context<> c{.rows = B, .capacity = B};
    std::int32_t length[count];
    typename Block::Params params{};
    typename Block::template Grads<B> grads{};
    typename Block::template Tape<B> tape;
    State in[count]{}, out[count]{}, d_out[count]{}, d_in[count]{};
    detail::Buffer<I, R, B> x_, dx_;
    detail::Buffer<O, R, B> y_, dy_;
    alignas(64) std::byte scratch_[Block::scratch(B) + 64];
    std::mt19937_64 engine{7};

    Harness() {
        for (auto& l : length) l = I::rows;
        Block::initialize(Context<>{.key = Key{1}}, params);
        each_parameter(params, [&](std::string const&, auto ref) {
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0; i < ref.width; ++i) ref(r, i) += T(0.3) * normal();
        });
        randomize();
    }
    T normal() { return T(std::normal_distribution<double>{}(engine)); }

    Lengths lengths() const { return is_sequence<I> ? Lengths{length, sizeof(std::int32_t)} : Lengths{}; }
    Lengths out_lengths() const { return keeps_rows<I, O> ? lengths() : Lengths{}; }
    auto x() { return x_.view(lengths()); }
    auto dx() { return dx_.view(lengths()); }
    auto y() { return y_.view(out_lengths()); }
    auto dy() { return dy_.view(out_lengths()); }
    Scratch scratch() { return {scratch_}; }

    /// New x and dy: zero in pads and past the lengths; y and dx are dirty.
    void randomize() {
        fill(x());
        fill(dy());
        dirty(y());
        dirty(dx());
    }
    void forward() { Block::forward(c, params, x(), y(), tape, scratch()); }
    void infer() {
        NoTape none;
        Block::forward(c, params, x(), y(), none, scratch());
    }
    void backward() { Block::backward(c, params, x(), tape, dy(), dx(), grads, scratch()); }

    double loss() {
        forward();
        double sum = 0;
        for (int b = 0; b < B; ++b)
            for (int t = 0; t < y().length(b); ++t)
                for (int i = 0; i < O::width; ++i) sum += double(dy()(b, t)[i]) * double(y()(b, t)[i]);
        return sum;
    }
    double difference(T& at) {
        T const was = at, h = T(1e-6);
        at = was + h;
        double const above = loss();
        at = was - h;
        double const below = loss();
        at = was;
        return (above - below) / (2 * double(h));
    }
    /// Gradients against central differences; they are added to what is there, and dx is overwritten.
    void check_gradients() {
        std::vector<TensorRef<T>> p, g;
        each_parameter(params, [&](std::string const&, auto ref) { p.push_back(ref); });
        each_parameter(grads, [&](std::string const&, auto ref) { g.push_back(ref); });
        for (auto& ref : g)
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0; i < ref.width; ++i) ref(r, i) = T(2);
        dirty(dx());
        forward();
        dirty(y()); // backward does not read it
        backward();
        auto close = [](double got, double want) {
            CHECK(std::abs(got - want) <= 2e-8 * (1 + std::abs(want)));
        };
        for (std::size_t k = 0; k < p.size(); ++k)
            for (int r = 0; r < p[k].rows; ++r)
                for (int i = 0; i < p[k].width; ++i) close(double(g[k](r, i)) - 2, difference(p[k](r, i)));
        for (int b = 0; b < B; ++b)
            for (int t = 0; t < I::rows; ++t)
                for (int i = 0; i < I::width; ++i)
                    close(double(dx()(b, t)[i]), t < x().length(b) ? difference(x()(b, t)[i]) : 0);
        CHECK(clean(dx()));
        for (auto const& ref : g)
            for (int r = 0; r < ref.stored_rows(); ++r) {
                int const width = ref.layout == Layout::transposed ? ref.rows : ref.width;
                for (int i = width; i < ref.stride; ++i) CHECK(ref.data[r * ref.stride + i] == 0);
            }
    }
    /// One slope along a random direction through all parameters and inputs, against central differences: for
    /// blocks with too many of them.
    void check_slope() {
        std::vector<T*> places;
        std::vector<double> moves;
        double slope = 0;
        auto const take = [&](T& at, T gradient) {
            places.push_back(&at);
            moves.push_back(double(normal()));
            slope += double(gradient) * moves.back();
        };
        forward();
        backward();
        std::vector<TensorRef<T>> p, g;
        each_parameter(params, [&](std::string const&, auto ref) { p.push_back(ref); });
        each_parameter(grads, [&](std::string const&, auto ref) { g.push_back(ref); });
        for (std::size_t k = 0; k < p.size(); ++k)
            for (int r = 0; r < p[k].rows; ++r)
                for (int i = 0; i < p[k].width; ++i) take(p[k](r, i), g[k](r, i));
        for (int b = 0; b < B; ++b)
            for (int t = 0; t < x().length(b); ++t)
                for (int i = 0; i < I::width; ++i) take(x()(b, t)[i], dx()(b, t)[i]);
        auto const at = [&](double by) {
            for (std::size_t k = 0; k < places.size(); ++k) *places[k] += T(by * moves[k]);
            double const sum = loss();
            for (std::size_t k = 0; k < places.size(); ++k) *places[k] -= T(by * moves[k]);
            return sum;
        };
        double const step = 1e-6, want = (at(step) - at(-step)) / (2 * step);
        CHECK(std::abs(slope - want) <= 1e-6 * (1 + std::abs(want)));
    }
    /// Forward against a reference, with and without a tape.
    template <class F> void check_forward(F reference) {
        for (bool record : {true, false}) {
            dirty(y());
            if (record) forward();
            else infer();
            CHECK(clean(y()));
            for (int b = 0; b < B; ++b) {
                auto const want = reference(parameters(), sequence(x(), b));
                for (int t = 0; t < y().length(b); ++t)
                    for (int i = 0; i < O::width; ++i) near(y()(b, t)[i], want, t, i);
            }
        }
    }
    static void near(T got, reference::Result const& want, int t, int i) {
        auto const at = std::size_t(t), e = std::size_t(i);
        double const bound = 16 * double(std::numeric_limits<T>::epsilon()) * want.magnitude[at][e];
        CHECK(std::abs(double(got) - want.value[at][e]) <= bound + 1e-300);
    }
    template <class View> static reference::Sequence sequence(View v, int b) {
        reference::Sequence s;
        for (int t = 0; t < v.length(b); ++t) s.emplace_back(v(b, t), v(b, t) + View::width);
        return s;
    }
    reference::Parameters parameters() {
        reference::Parameters all;
        each_parameter(params, [&](std::string const& name, auto ref) {
            reference::Matrix m{ref.rows, ref.width, {}};
            for (int r = 0; r < ref.rows; ++r)
                for (int i = 0; i < ref.width; ++i) m.data.push_back(double(ref(r, i)));
            all.by_name[name] = m;
        });
        return all;
    }
    template <class P, class F> static void each_parameter(P& p, F f) {
        Block::visit(p, Path{}, [&](auto, Path const& path, Kind, auto ref) { f(text(path), ref); });
    }
    template <class View> void fill(View v) {
        for (int b = 0; b < B; ++b)
            for (int t = 0; t < View::rows; ++t)
                for (int i = 0; i < View::stride; ++i)
                    v(b, t)[i] = i < View::width && t < v.length(b) ? normal() : T(0);
    }
    template <class View> static void dirty(View v) {
        std::fill_n(v.data, std::ptrdiff_t(B) * View::rows * View::stride, T(7));
    }
    /// Whether pads are zero.
    template <class View> static bool clean(View v) {
        for (int b = 0; b < B; ++b)
            for (int t = 0; t < View::rows; ++t)
                for (int i = View::width; i < View::stride; ++i)
                    if (v(b, t)[i] != 0) return false;
        return true;
    }
    void carry() {
        auto at = [](State* s) { return reinterpret_cast<std::byte*>(s); };
        c.carry = {at(in), at(out), at(d_out), at(d_in), sizeof(State)};
    }
};

template <class... A> auto harness() { return std::make_unique<Harness<A...>>(); }

/// Calls f with each width at an edge of the vector registers of T, as a constant.
template <class T, class F> void each_width(F f) {
    constexpr int W = native_lanes<T>;
    auto one = [&]<int D>(std::integral_constant<int, D> d) { f(d); };
    one(std::integral_constant<int, 1>{});
    one(std::integral_constant<int, (W > 1 ? W - 1 : 2)>{});
    one(std::integral_constant<int, W>{});
    one(std::integral_constant<int, W + 1>{});
    one(std::integral_constant<int, 13>{});
}

} // namespace test
