// SPDX-License-Identifier: BSD-3-Clause
// The elementary functions against the C library one precision up, over dense grids: the bounds are those of
// the docstrings.
#include <inlay/simd/math.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

using namespace inlay;

namespace {

template <class T> struct Wider;
template <> struct Wider<float> {
    using type = double;
};
template <> struct Wider<double> {
    using type = long double;
};
template <class T> using wider = typename Wider<T>::type;
template <class T> constexpr int native = INLAY_VECTOR_BYTES ? INLAY_VECTOR_BYTES / int(sizeof(T)) : 1;

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
constexpr bool fused = true;
#else
constexpr bool fused = false;
#endif

/// How far y is from the true value, in units of the last digit of T at that value.
template <class T> double ulps(T y, wider<T> truth) {
    T const rounded = T(truth);
    if (std::isnan(truth) || std::isnan(y)) return std::isnan(truth) == std::isnan(y) ? 0 : 1e30;
    if (std::isinf(rounded) || std::isinf(y)) return y == rounded ? 0 : 1e30;
    T const size = std::max(std::abs(rounded), std::numeric_limits<T>::min());
    T const ulp = std::ldexp(std::numeric_limits<T>::epsilon(), std::ilogb(size));
    return double(std::abs(wider<T>(y) - truth) / wider<T>(ulp));
}

/// Every exponent and both signs with `each` mantissas, then `dense` numbers spread over [low, high].
template <class T> std::vector<T> grid(int each, int dense, double low, double high) {
    using F = simd::format<T>;
    using U = simd::bits_of<T>;
    std::vector<T> x;
    U const step = (U(1) << F::mantissa) / U(each);
    for (U e = 0; e < U(2 * F::bias + 1); ++e)
        for (int i = 0; i < each; ++i) {
            // An odd stride over a scrambled start visits all digits.
            U const digits = (U(i) * step + (e * 2654435761u + U(i) * 40503u) % step);
            x.push_back(std::bit_cast<T>((e << F::mantissa) | digits));
            x.push_back(-x.back());
        }
    for (int i = 0; i < dense; ++i) x.push_back(T(low + (high - low) * i / dense));
    while (x.size() % 64) x.push_back(T(low));
    return x;
}

template <class T, int W, class F> std::vector<T> apply(std::vector<T> const& x, F f) {
    std::vector<T> y(x.size());
    for (std::size_t i = 0; i < x.size(); i += std::size_t(W))
        f(simd::vec<T, W>::load(x.data() + i)).store(y.data() + i);
    return y;
}

template <class T, int W, class F>
void check_width(char const* name, std::vector<T> const& x, std::vector<wider<T>> const& truth, double bound,
                 F f) {
    std::vector<T> const y = apply<T, W>(x, f);
    double worst = 0;
    T at = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        if (double const u = ulps(y[i], truth[i]); u > worst) worst = u, at = x[i];
    if (std::getenv("INLAY_PRINT_ULPS"))
        std::printf("%-9s %s W=%-2d %.3f ulp at %.9g\n", name, sizeof(T) == 4 ? "float " : "double", W, worst,
                    double(at));
    CAPTURE(name);
    CAPTURE(W);
    CAPTURE(at);
    CHECK(worst <= bound);
}

/// Checks f at every width against `exact`.
template <class T, class F, class E>
void check(char const* name, double bound, double low, double high, F f, E exact) {
    auto const against = [&]<int... W>(int each, int dense, std::integer_sequence<int, W...>) {
        std::vector<T> const x = grid<T>(each, dense, low, high);
        std::vector<wider<T>> truth(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) truth[i] = exact(wider<T>(x[i]));
        (check_width<T, W>(name, x, truth, bound, f), ...);
    };
    if constexpr (sizeof(T) == 4) {
        against(4096, 1 << 20, std::integer_sequence<int, native<T>>{});
        against(64, 1 << 15, std::integer_sequence<int, 1, 4, 8, 16>{});
    } else {
        against(8, 1 << 17, std::integer_sequence<int, native<T>>{});
        against(2, 1 << 13, std::integer_sequence<int, 1, 2, 4, 8>{});
    }
}

/// f at one number, at every width the same.
template <class T, class F> T at(F f, T x) {
    std::vector<T> const in(64, x);
    T const one = apply<T, 1>(in, f)[0];
    auto const same = [&](T y) {
        CHECK(((std::isnan(y) && std::isnan(one)) || (y == one && std::signbit(y) == std::signbit(one))));
    };
    same(apply<T, 2>(in, f)[0]);
    same(apply<T, 4>(in, f)[0]);
    same(apply<T, 8>(in, f)[0]);
    same(apply<T, 16>(in, f)[0]);
    return one;
}
template <class T> constexpr T inf = std::numeric_limits<T>::infinity();
template <class T> constexpr T quiet = std::numeric_limits<T>::quiet_NaN();
template <class T> bool negative_zero(T x) { return x == 0 && std::signbit(x); }

constexpr auto exp_ = [](auto x) { return simd::exp(x); };
constexpr auto exp2_ = [](auto x) { return simd::exp2(x); };
constexpr auto tanh_ = [](auto x) { return simd::tanh(x); };
constexpr auto sigmoid_ = [](auto x) { return simd::sigmoid(x); };
constexpr auto softplus_ = [](auto x) { return simd::softplus(x); };
constexpr auto log_ = [](auto x) { return simd::log(x); };
constexpr auto log1p_ = [](auto x) { return simd::log1p(x); };
constexpr auto erfc_ = [](auto x) { return simd::erfc(x); };
constexpr auto sin_ = [](auto x) { return simd::circle(x).sin; };
constexpr auto cos_ = [](auto x) { return simd::circle(x).cos; };
constexpr auto sqrt_ = [](auto x) { return simd::sqrt(x); };
constexpr auto abs_ = [](auto x) { return simd::abs(x); };

} // namespace

TEST_CASE_TEMPLATE("exp is within its bound", T, float, double) {
    bool const f = sizeof(T) == 4;
    check<T>("exp", 1, f ? -104 : -746, f ? 89 : 710, exp_, [](auto x) { return std::exp(x); });
    CHECK(std::isnan(at(exp_, quiet<T>)));
    CHECK(at(exp_, inf<T>) == inf<T>);
    CHECK(at(exp_, -inf<T>) == 0);
    CHECK(at(exp_, T(0)) == 1);
    CHECK(at(exp_, T(-0.0)) == 1);
    CHECK(at(exp_, std::numeric_limits<T>::max()) == inf<T>);
    CHECK(at(exp_, std::numeric_limits<T>::lowest()) == 0);
    CHECK(at(exp_, std::numeric_limits<T>::denorm_min()) == 1);
}

TEST_CASE_TEMPLATE("exp2 is within its bound, and exact at whole numbers", T, float, double) {
    using L = std::numeric_limits<T>;
    check<T>("exp2", fused ? 1 : 1.1, L::min_exponent - L::digits - 2, L::max_exponent + 2, exp2_,
             [](auto x) { return std::exp2(x); });
    for (int n = L::min_exponent - L::digits; n <= L::max_exponent; ++n)
        CHECK(at(exp2_, T(n)) == std::ldexp(T(1), n));
    CHECK(std::isnan(at(exp2_, quiet<T>)));
    CHECK(at(exp2_, inf<T>) == inf<T>);
    CHECK(at(exp2_, -inf<T>) == 0);
}

TEST_CASE_TEMPLATE("tanh is within its bound", T, float, double) {
    check<T>("tanh", 1.5, -20, 20, tanh_, [](auto x) { return std::tanh(x); });
    CHECK(std::isnan(at(tanh_, quiet<T>)));
    CHECK(at(tanh_, inf<T>) == 1);
    CHECK(at(tanh_, -inf<T>) == -1);
    CHECK(negative_zero(at(tanh_, T(-0.0))));
}

TEST_CASE_TEMPLATE("sigmoid is within its bound", T, float, double) {
    bool const f = sizeof(T) == 4;
    check<T>("sigmoid", 2.5, f ? -104 : -746, f ? 20 : 40, sigmoid_,
             [](auto x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); });
    CHECK(std::isnan(at(sigmoid_, quiet<T>)));
    CHECK(at(sigmoid_, inf<T>) == 1);
    CHECK(at(sigmoid_, -inf<T>) == 0);
    CHECK(at(sigmoid_, T(0)) == T(0.5));
}

TEST_CASE_TEMPLATE("softplus is within its bound", T, float, double) {
    bool const f = sizeof(T) == 4;
    check<T>("softplus", 2, f ? -104 : -746, f ? 20 : 40, softplus_,
             [](auto x) { return std::max(x, decltype(x)(0)) + std::log1p(std::exp(-std::abs(x))); });
    CHECK(std::isnan(at(softplus_, quiet<T>)));
    CHECK(at(softplus_, inf<T>) == inf<T>);
    CHECK(at(softplus_, -inf<T>) == 0);
}

TEST_CASE_TEMPLATE("log is within its bound", T, float, double) {
    check<T>("log", 1, 0.25, 4, log_, [](auto x) { return std::log(x); });
    CHECK(std::isnan(at(log_, quiet<T>)));
    CHECK(std::isnan(at(log_, T(-1))));
    CHECK(std::isnan(at(log_, -inf<T>)));
    CHECK(at(log_, inf<T>) == inf<T>);
    CHECK(at(log_, T(0)) == -inf<T>);
    CHECK(at(log_, T(-0.0)) == -inf<T>);
    CHECK(at(log_, T(1)) == 0);
}

TEST_CASE_TEMPLATE("log1p is within its bound", T, float, double) {
    check<T>("log1p", 1, -1, 4, log1p_, [](auto x) { return std::log1p(x); });
    CHECK(std::isnan(at(log1p_, quiet<T>)));
    CHECK(std::isnan(at(log1p_, T(-2))));
    CHECK(at(log1p_, inf<T>) == inf<T>);
    CHECK(at(log1p_, T(-1)) == -inf<T>);
    CHECK(negative_zero(at(log1p_, T(-0.0))));
    CHECK(at(log1p_, std::numeric_limits<T>::denorm_min()) == std::numeric_limits<T>::denorm_min());
}

TEST_CASE_TEMPLATE("erfc is within its bound down to its underflow", T, float, double) {
    bool const f = sizeof(T) == 4;
    check<T>("erfc", 4, f ? -6 : -8, f ? 10.5 : 27.5, erfc_, [](auto x) { return std::erfc(x); });
    CHECK(std::isnan(at(erfc_, quiet<T>)));
    CHECK(at(erfc_, inf<T>) == 0);
    CHECK(at(erfc_, -inf<T>) == 2);
    CHECK(at(erfc_, T(0)) == 1);
    CHECK(at(erfc_, T(-0.0)) == 1);
}

TEST_CASE_TEMPLATE("sine and cosine of turns are within their bound, however many turns there are", T, float,
                   double) {
    using F = wider<T>;
    auto const counted = [](auto f) { // 0 where x is beyond what is promised
        return [f](auto x) {
            using V = decltype(x);
            return f(simd::select_greater(V(T(1 << 21)), simd::abs(x), x, V(T(0))));
        };
    };
    // Whole turns are taken off exactly, and so is what is left from a half and from a quarter of one.
    auto const sine = [](F x) { return std::sin(F(6.283185307179586476925286766559005768L) * x); };
    auto const left = [](F x) { return std::abs(x) < F(1 << 21) ? x - std::nearbyint(x) : F(0); };
    auto const fold = [&](F x) { return std::abs(x) < F(0.25) ? x : std::copysign(F(0.5), x) - x; };
    check<T>("sin", 3, -3, 3, counted(sin_), [&](F x) { return sine(fold(left(x))); });
    check<T>("cos", 3, -3, 3, counted(cos_), [&](F x) { return sine(F(0.25) - std::abs(left(x))); });
    CHECK(std::isnan(at(sin_, quiet<T>)));
    CHECK(std::isnan(at(cos_, inf<T>)));
    for (T x : {T(1e10), T(-1e30), std::numeric_limits<T>::max()}) CHECK(std::abs(at(cos_, x)) <= 1);
    for (int n = -5; n <= 5; ++n) {
        CHECK(at(sin_, T(n)) == 0);
        CHECK(at(cos_, T(n)) == 1);
        CHECK(at(sin_, T(n) + T(0.5)) == 0);
        CHECK(at(cos_, T(n) + T(0.5)) == -1);
        CHECK(at(sin_, T(n) + T(0.25)) == 1);
        CHECK(at(cos_, T(n) + T(0.25)) == 0);
    }
}

TEST_CASE_TEMPLATE("sqrt and abs are exact", T, float, double) {
    check<T>("sqrt", 0.5001, 0, 4, sqrt_, [](auto x) { return std::sqrt(x); });
    check<T>("abs", 0, -4, 4, abs_, [](auto x) { return std::abs(x); });
    CHECK(at(sqrt_, inf<T>) == inf<T>);
    CHECK(std::isnan(at(sqrt_, T(-1))));
    CHECK(!std::signbit(at(abs_, T(-0.0))));
    CHECK(at(abs_, -inf<T>) == inf<T>);
}
