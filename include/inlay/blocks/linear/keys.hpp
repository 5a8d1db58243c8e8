// SPDX-License-Identifier: BSD-3-Clause
// From the projections of a LinearAttn to the heads that its memory meets, and back: the short convolution,
// keys of length 1, places, features.
#pragma once

#include <inlay/blocks/draw.hpp>
#include <inlay/blocks/linear/work.hpp>
#include <inlay/kernels/norm.hpp>
#include <inlay/kernels/short_conv.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class S, class Conv, class Places> struct LinearKeys {
    using T = typename S::T;
    using R = typename S::Real;
    using Work = LinearWork<S>;
    using Map = typename S::Map;
    using Turn = Rotation<R, Places, S::d>;
    static constexpr int W = S::W, H = S::H, width = std::max(Conv::width, 1);

    struct NoMaps {};
    struct TwoMaps {
        typename Map::Params q, k;
    };
    struct NoTaps {};
    struct Taps { // [channel, tap] as Conv1d has it, stored with a row for each tap
        Tensor<R, H * S::d, width, Layout::transposed> q, k;
        Tensor<R, H * S::dv, width, Layout::transposed> v;
    };
    struct Params {
        INLAY_EMPTY std::conditional_t<(Map::parameters > 0), TwoMaps, NoMaps> maps;
        INLAY_EMPTY std::conditional_t<S::convolves, Taps, NoTaps> taps;
    };
    static constexpr long long parameters = 2 * Map::parameters + 1LL * Conv::width * H * (2 * S::d + S::dv);
    static constexpr std::size_t scratch() { return Turn::scratch + 2 * lines(sizeof(T) * S::key_row); }

    template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
        if constexpr (Map::parameters > 0) {
            Map::visit(p.maps.q, Path{&at, "q_map"}, f);
            Map::visit(p.maps.k, Path{&at, "k_map"}, f);
        }
        if constexpr (S::convolves) {
            auto const taps = [&](char const* name, auto& tensor) {
                Path const here{&at, name};
                f(Tag<Conv>{}, Path{&here, "weight"}, Kind::matrix, tensor.ref());
            };
            taps("q_conv", p.taps.q), taps("k_conv", p.taps.k), taps("v_conv", p.taps.v);
        }
    }
    template <class C> static void initialize(C const& c, Params& p) noexcept {
        if constexpr (Map::parameters > 0) Map::initialize(c, p.maps.q), Map::initialize(c, p.maps.k);
        if constexpr (S::convolves) {
            double const bound = 1 / std::sqrt(double(width));
            draw_uniform(c.key.fold(0), bound, p.taps.q.ref());
            draw_uniform(c.key.fold(1), bound, p.taps.k.ref());
            draw_uniform(c.key.fold(2), bound, p.taps.v.ref());
        }
    }

    /// Queries, keys and values, or queries alone.
    template <bool All = true>
    static void forward(int n, std::int64_t position, Params const& p, Work const& w, Scratch s) noexcept {
        if constexpr (S::convolves) {
            auto const conv = [&](auto const& c, T const* from, T* to, int row) noexcept {
                kernels::short_conv<W>(n, padded(c.rows, W), width, c.data, c.stride, from, to, row);
            };
            conv(p.taps.q, w.fresh_q(), w.cq, S::keys_row);
            if constexpr (All) {
                conv(p.taps.k, w.fresh_k(), w.ck, S::keys_row);
                conv(p.taps.v, w.fresh_v(), w.cv, S::values_row);
            }
        }
        split_heads<W>(n, H, S::d, w.cq, S::keys_row, w.keys(w.hq));
        if constexpr (All) {
            split_heads<W>(n, H, S::d, w.ck, S::keys_row, w.keys(w.hk));
            split_heads<W>(n, H, S::dv, w.cv, S::values_row, w.values(w.hv));
        }
        if constexpr (S::unit) {
            Scratch own = s;
            T const* const weight = unit_weight(own);
            for (int h = 0; h < H; ++h) {
                kernels::rms_norm<W>(n, S::d, eps, w.keys(w.hq)(h), weight, w.keys(w.uq)(h), S::key_row);
                if constexpr (All)
                    kernels::rms_norm<W>(n, S::d, eps, w.keys(w.hk)(h), weight, w.keys(w.uk)(h), S::key_row);
            }
        }
        Turn::turn(position, n, H, w.keys(w.uq), All ? H : 0, w.keys(w.uk), T(1), s);
        with_maps(p, [&](auto const& of_q, auto const& of_k) noexcept {
            for (int h = 0; h < H; ++h) {
                T* const q = w.features(w.fq)(h);
                Map::forward(of_q, h, n, position, w.keys(w.uq)(h), q);
                if constexpr (All) Map::forward(of_k, h, n, position, w.keys(w.uk)(h), w.features(w.fk)(h));
                kernels::scale<W>(n * S::feature_row, scale(), q, q);
            }
        });
        if constexpr (S::divides && All)
            for (int h = 0; h < H; ++h)
                for (int t = 0; t < n; ++t) {
                    T* const v = w.values(w.hv)(h, t);
                    v[S::dv] = T(1);
                    kernels::clear_pads(v, S::held, S::value_row);
                }
    }
    /// From gradients of heads to those of projections; dstate holds those of the tokens before, and gets
    /// them.
    template <bool All = true, class G, class State>
    static void backward(int n, std::int64_t position, Params const& p, G& g, Work const& w, Work const& d,
                         State& dstate, Scratch s) noexcept {
        with_maps(p, [&](auto const& of_q, auto const& of_k) noexcept {
            with_maps(g, [&](auto& slope_q, auto& slope_k) noexcept {
                for (int h = 0; h < H; ++h) {
                    T* const dq = d.features(d.fq)(h);
                    kernels::scale<W>(n * S::feature_row, scale(), dq, dq);
                    Map::backward(of_q, slope_q, h, n, position, w.keys(w.uq)(h), w.features(w.fq)(h),
                                  scale(), dq, d.keys(d.uq)(h));
                    if constexpr (All)
                        Map::backward(of_k, slope_k, h, n, position, w.keys(w.uk)(h), w.features(w.fk)(h),
                                      T(1), d.features(d.fk)(h), d.keys(d.uk)(h));
                }
            });
        });
        Turn::turn(position, n, H, d.keys(d.uq), All ? H : 0, d.keys(d.uk), T(-1), s);
        if constexpr (S::unit) {
            Scratch own = s;
            T const* const weight = unit_weight(own);
            T* const unused = own.template take<T>(S::key_row);
            for (int h = 0; h < H; ++h) {
                kernels::rms_norm_backward<W>(n, S::d, eps, w.keys(w.hq)(h), weight, d.keys(d.uq)(h),
                                              d.keys(d.hq)(h), unused, S::key_row);
                if constexpr (All)
                    kernels::rms_norm_backward<W>(n, S::d, eps, w.keys(w.hk)(h), weight, d.keys(d.uk)(h),
                                                  d.keys(d.hk)(h), unused, S::key_row);
            }
        }
        merge_heads<W>(n, H, S::d, d.keys(d.hq), d.cq, S::keys_row);
        if constexpr (All) {
            merge_heads<W>(n, H, S::d, d.keys(d.hk), d.ck, S::keys_row);
            merge_heads<W>(n, H, S::dv, d.values(d.hv), d.cv, S::values_row);
        }
        if constexpr (S::convolves) {
            auto const clear = [&](T* at, int row) noexcept {
                kernels::clear(at, std::ptrdiff_t(n + S::past) * row);
            };
            clear(d.q, S::keys_row);
            if constexpr (All) clear(d.k, S::keys_row), clear(d.v, S::values_row);
            dstate.put_past(d, n);
            auto const conv = [&](auto const& c, auto& dc, T const* from, T const* slope, T* to,
                                  int row) noexcept {
                kernels::short_conv_backward<W>(n, padded(c.rows, W), width, c.data, c.stride, from, slope,
                                                dc.data, to, row);
            };
            conv(p.taps.q, g.taps.q, w.fresh_q(), d.cq, d.fresh_q(), S::keys_row);
            if constexpr (All) {
                conv(p.taps.k, g.taps.k, w.fresh_k(), d.ck, d.fresh_k(), S::keys_row);
                conv(p.taps.v, g.taps.v, w.fresh_v(), d.cv, d.fresh_v(), S::values_row);
            }
            dstate.take_past(d, 0);
        }
    }

private:
    static constexpr T eps = T(1e-6) / T(S::d); // x / sqrt(x x + 1e-6) is a norm with weights 1 / sqrt(d)
    static T* unit_weight(Scratch& s) noexcept {
        T* const weight = s.template take<T>(S::key_row);
        std::fill_n(weight, S::key_row, T(1 / std::sqrt(double(S::d))));
        return weight;
    }
    static T scale() noexcept { return T(Map::scaled && !S::steps ? 1 / std::sqrt(double(S::features)) : 1); }
    template <class P, class F> static void with_maps(P& p, F const& f) noexcept {
        if constexpr (Map::parameters > 0) f(p.maps.q, p.maps.k);
        else {
            typename Map::Params none;
            f(none, none);
        }
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
