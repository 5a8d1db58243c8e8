// SPDX-License-Identifier: BSD-3-Clause
// What Embed's policies make of a number: a few features of it, then Dense and Relu of its own (arXiv
// 2203.05556).
#pragma once

#include <inlay/blocks/activation.hpp>
#include <inlay/blocks/dense.hpp>
#include <inlay/simd/turns.hpp>

namespace inlay::inline INLAY_ISA {

/// How Embed turns a number into a vector.
struct NumberEmbedding;

/// Embed a number that has learned bins, b_0 < ... < b_T, by how far it fills each of them: with
/// v_t = (x - b_{t-1}) / (b_t - b_{t-1}) cut to [0, 1], but open below in the first bin and above in the
/// last, relu(W v + b). The Encoder finds the bin and the part of it; Embed sees no edges.
struct PiecewiseLinear {
    using PolicyKind = NumberEmbedding;
};
/// Embed a number by K waves with learned frequencies c, drawn from N(0, Spread^2):
/// relu(W [cos 2 pi c x, sin 2 pi c x] + b). A wide spread tells close numbers apart, a narrow one is smooth;
/// x is standardised, so 0.1 to 5 is usual.
template <int K, double Spread = 1.0> struct Periodic {
    static_assert(K > 0 && Spread > 0, "inlay: Periodic needs a wave, and a positive spread");
    using PolicyKind = NumberEmbedding;
};

namespace detail {
/// The number times a vector.
struct Proportional;

/// A number by itself, where no record says more of it.
struct BareNumber {
    static constexpr int ids = 0;
    static constexpr bool learned = false;
};

/// Whether a policy has an embedding of its own for a field.
template <class How, class Field> inline constexpr bool embeds_number = false;
template <class Field> inline constexpr bool embeds_number<PiecewiseLinear, Field> = Field::learned;
template <int K, double S, class Field> inline constexpr bool embeds_number<Periodic<K, S>, Field> = true;

template <class How, class Field>
inline constexpr bool embeds_field = [] {
    if constexpr (Field::kind == FieldKind::numeric) return embeds_number<How, Field>;
    else return false;
}();

/// The features of one number: `width` of them, the last being 1 for a missing number where the field has ids
/// and so can tell.
template <class How, class Field, class R> struct NumberFeatures;

template <class Field, class R> struct NumberFeatures<PiecewiseLinear, Field, R> {
    using T = typename R::type;
    static constexpr int bins = Field::ids - 1, width = Field::ids;
    static constexpr long long parameters = 0;
    struct Params {};
    template <class P, class F> static void visit(P&, F&&) {}
    static void initialize(Key, Params&) noexcept {}

    template <class V> static void fill(Params const&, V const& x, T* v) noexcept {
        kernels::clear(v, width);
        v[width - 1] = T(x.id == 0);
        for (int t = 0; t + 1 < x.id; ++t) v[t] = T(1);
        if (x.id > 0) v[x.id - 1] = T(x.part);
    }
    template <class V> static T slope(Params const&, V const&, T const*, T const*, Params&) noexcept {
        return 0; // a record wants no gradient, and a bare number has no bins
    }
};

template <int K, double S, class Field, class R> struct NumberFeatures<Periodic<K, S>, Field, R> {
    using T = typename R::type;
    using V = simd::vec<T, R::lanes>;
    static constexpr bool tells_missing = Field::ids > 0;
    static constexpr int W = R::lanes, width = 2 * K + tells_missing;
    static constexpr long long parameters = K;
    struct Params {
        Tensor<R, 1, K> frequency;
    };
    template <class P, class F> static void visit(P& p, F&& f) {
        f("frequency", Kind::vector, p.frequency.ref());
    }
    static void initialize(Key key, Params& p) noexcept {
        for (int j = 0; j < K; ++j) p.frequency[0][j] = T(S * key.normal(std::uint64_t(j)));
    }
    template <class X> static void fill(Params const& p, X const& x, T* v) noexcept {
        V const at(T(x.value));
        for (int j = 0; j < K; j += W) {
            auto const point = simd::circle(at * V::load(p.frequency[0] + j));
            int const n = std::min(W, K - j);
            point.cos.store_first(v + j, n);
            point.sin.store_first(v + K + j, n);
        }
        if constexpr (tells_missing) v[2 * K] = T(x.id == 0);
    }
    /// d/dx of <dv, v>; adds d/dc to g.
    template <class X>
    static T slope(Params const& p, X const& x, T const* v, T const* dv, Params& g) noexcept {
        V total(T(0));
        V const at(T(x.value) * T(6.283185307179586)), turn(T(6.283185307179586));
        for (int j = 0; j < K; j += W) {
            int const n = std::min(W, K - j);
            V const d = V::load_first(dv + K + j, n) * V::load_first(v + j, n) -
                        V::load_first(dv + j, n) * V::load_first(v + K + j, n);
            simd::fma(d, at, V::load(g.frequency[0] + j)).store(g.frequency[0] + j);
            total = simd::fma(d * turn, V::load(p.frequency[0] + j), total);
        }
        return simd::sum(total);
    }
};

/// Features, Dense and Relu for the numbers of a batch, which `x(b)` gives.
template <class How, class Field, int D, class R> struct NumberBlock {
    using T = typename R::type;
    using Features = NumberFeatures<How, Field, R>;
    using Inner = Shape<Features::width>;
    using Outer = Shape<D>;
    using Linear = typename Dense<D>::template Block<Inner, R>;
    static constexpr long long parameters = Features::parameters + Linear::parameters;
    static constexpr double flops = Linear::flops;
    static constexpr int vs = In<Inner, R>::stride, ys = In<Outer, R>::stride;

    struct Params {
        INLAY_EMPTY typename Features::Params features;
        typename Linear::Params linear;
    };
    /// The output, since y belongs to others when backward comes.
    template <int B> using Tape = Buffer<Outer, R, B>;
    static constexpr std::size_t scratch(int B) {
        return 2 * bytes<Inner, R>(B) + bytes<Outer, R>(B) + Linear::scratch(B);
    }

    template <class P, class F> static void visit(P& p, F&& f) {
        Features::visit(p.features, f);
        f("weight", Kind::matrix, p.linear.weight.ref());
        f("bias", Kind::vector, p.linear.bias.ref());
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        Features::initialize(c.key.fold(0), p.features);
        C inner = c;
        inner.key = c.key.fold(1);
        Linear::initialize(inner, p.linear);
    }
    /// Row b of y starts `step` after row b - 1.
    template <class C, class X, class Tp>
    static void forward(C const& c, Params const& p, X x, T* y, std::ptrdiff_t step, Tp& tape,
                        Scratch s) noexcept {
        auto const v = s.take<Inner, R>(c.capacity, {});
        auto const z = s.take<Outer, R>(c.capacity, {});
        fill(c, p, x, v);
        NoTape none;
        Linear::forward(c, p.linear, v, z, none, s);
        kernels::map<R::lanes>(std::ptrdiff_t(c.rows) * ys, z.data, z.data,
                               [](auto a) noexcept { return Relu::value(a); });
        for (int b = 0; b < c.rows; ++b) std::copy_n(z(b), ys, y + b * step);
        if constexpr (is_recording<Tp>) std::copy_n(z.data, std::ptrdiff_t(c.rows) * ys, tape.view({}).data);
    }
    /// Row b of dy starts `step` after row b - 1; dx(b, slope) takes what reaches the number.
    template <class C, class X, class Tp, class DX>
    static void backward(C const& c, Params const& p, X x, Tp const& tape, T const* dy, std::ptrdiff_t step,
                         DX dx, Params& g, Scratch s) noexcept {
        auto const v = s.take<Inner, R>(c.capacity, {}), dv = s.take<Inner, R>(c.capacity, {});
        auto const dz = s.take<Outer, R>(c.capacity, {});
        auto const active = tape.view({});
        fill(c, p, x, v);
        for (int b = 0; b < c.rows; ++b)
            kernels::zip<R::lanes>(ys, active(b), dy + b * step, dz(b),
                                   [](auto a, auto d) noexcept { return d * Relu::derivative(a); });
        NoTape none;
        if constexpr (Features::parameters > 0 || wants_grad<DX>) {
            Linear::backward(c, p.linear, v, none, dz, dv, g.linear, s);
            for (int b = 0; b < c.rows; ++b) {
                T const slope = Features::slope(p.features, x(b), v(b), dv(b), g.features);
                if constexpr (wants_grad<DX>) dx(b, slope);
            }
        } else Linear::backward(c, p.linear, v, none, dz, NoGrad{}, g.linear, s);
    }

private:
    template <class C, class X> static void fill(C const& c, Params const& p, X x, Out<Inner, R> v) noexcept {
        for (int b = 0; b < c.rows; ++b) {
            Features::fill(p.features, x(b), v(b));
            kernels::clear_pads(v(b), Features::width, vs);
        }
    }
};

/// Embed over a single number by a policy.
template <class Spec_, class How, int D, class R> struct NumberEmbedBlock : BlockDefaults {
    using Spec = Spec_;
    using T = typename R::type;
    using I = Shape<1>;
    using Output = Shape<1, D>;
    using Number = NumberBlock<How, BareNumber, D, R>;
    using Params = typename Number::Params;
    template <int> using Grads = Params;
    template <int B> using Tape = typename Number::template Tape<B>;
    static constexpr long long parameters = Number::parameters;
    static constexpr double flops = Number::flops;
    static constexpr std::size_t scratch(int B) { return Number::scratch(B); }

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        Number::visit(p, [&](char const* name, Kind kind, auto const& ref) {
            f(Tag<Spec>{}, Path{&at, name}, kind, ref);
        });
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept { Number::initialize(c, p); }

    template <class C, class Tp>
    static void forward(C const& c, Params const& p, In<I, R> x, Out<Output, R> y, Tp& tape,
                        Scratch s) noexcept {
        Number::forward(c, p, values(x), y(0), y.stride, tape, s);
    }
    template <class C, class Tp, class DX, class G>
    static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<Output, R> dy, DX dx,
                         G& g, Scratch s) noexcept {
        if constexpr (wants_grad<DX>) {
            auto const put = [dx](int b, T slope) noexcept {
                kernels::clear(dx(b), dx.stride);
                dx(b)[0] = slope;
            };
            Number::backward(c, p, values(x), tape, dy(0), dy.stride, put, g, s);
        } else Number::backward(c, p, values(x), tape, dy(0), dy.stride, dx, g, s);
    }

private:
    struct Value {
        T value;
    };
    static auto values(In<I, R> x) noexcept {
        return [x](int b) noexcept { return Value{x(b)[0]}; };
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
