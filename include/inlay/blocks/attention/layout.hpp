// SPDX-License-Identifier: BSD-3-Clause
// What attention lays out alike on the way forward and on the way back.
#pragma once

#include <inlay/blocks/attention/parts.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

template <class Spec, class I, class R> struct AttentionLayout : AttentionParts<Spec, I, R> {
    using Base = AttentionParts<Spec, I, R>;
    using Base::has_levels, Base::scale;
    using typename Base::Cap, typename Base::Asked, typename Base::Choice, typename Base::Select,
        typename Base::Docs, typename Base::Forget, typename Base::ForgetRows, typename Base::Norm,
        typename Base::Params, typename Base::Place, typename Base::Rows, typename Base::S,
        typename Base::Sides, typename Base::State, typename Base::T, typename Base::Turn;
    static constexpr bool is_stream = Spec::Keys::streams;

    /// What the queries and keys of a row of the batch are made of.
    template <class C> static auto asked_rows([[maybe_unused]] C const& c, In<I, R> x) noexcept {
        if constexpr (Asked::elsewhere) {
            static_assert(std::is_convertible_v<decltype(Asked::of(c).value), In<I, R>>,
                          "inlay: the side tensor of StaticEmbQK has not the shape of the input");
            return In<I, R>(Asked::of(c).value);
        } else if constexpr (Asked::behind) return [&c, x](int b) noexcept { return x(Asked::row(c, b)); };
        else return x;
    }

protected:
    static double* take_level(Scratch& s) noexcept {
        return reinterpret_cast<double*>(s.template take<std::byte>(Base::level_bytes));
    }
    template <class C> static State const* state_in(C const& c, int b) noexcept {
        if constexpr (is_stream) return c.template state_in<State>(b);
        else return nullptr;
    }
    /// Heads apart, told their places, behind what the stream had stored. Where they are read only and there
    /// is nothing to tell and nothing before them, they stay where they are.
    template <bool may_stay, class C>
    static void lay_out(C const& c, Params const& p, int b, int n, Sides const& side, State const* in,
                        Rows& to, Scratch s) noexcept {
        if constexpr (is_stream) to.begin(in ? &in->keys : nullptr, n);
        else to.begin(nullptr, n);
        Docs::limit(c, b, to.order, n, document_of(in), to.spans);
        if constexpr (may_stay && Sides::may_stay && !Norm::used && !Turn::used && !Base::Choice::used)
            if (to.order.stored() == 0) return side.stay(to);
        side.split(n, to);
        auto const k = to.fresh(to.k);
        Norm::forward(p.norm, n, to.q, k, s);
        Turn::turn(c.position_of(b), n, S::asks, to.q, S::answers, k, T(1), s);
    }
    static auto const* document_of(State const* in) noexcept {
        using Memory = typename Docs::Memory;
        if constexpr (is_stream && Docs::used) return in ? &in->document : nullptr;
        else return static_cast<Memory const*>(nullptr);
    }
    static auto const* levels_of(State const* in) noexcept {
        using Memory = typename Forget::Memory;
        if constexpr (is_stream && Forget::used) return in ? &in->levels : nullptr;
        else return static_cast<Memory const*>(nullptr);
    }
    static void lay_levels(Params const& p, int h, typename S::Order order, int n, ForgetRows forget,
                           State const* in, double* level) noexcept {
        if constexpr (has_levels) {
            std::fill_n(level, S::most_keys, 0.0);
            Place::lay(p.place, h, order, n, level);
            Forget::lay(h, order, n, forget, levels_of(in), level);
        }
    }
    /// What is kept of a choice, or its gradient.
    template <class Of> static auto* chosen_of(Of* state) noexcept {
        using Memory = typename Choice::Memory;
        if constexpr (is_stream) return state ? &state->chosen : nullptr;
        else return static_cast<Memory*>(nullptr);
    }
    static auto const* selected_of(State const* in) noexcept {
        using Memory = typename Select::Memory;
        if constexpr (is_stream && Select::used) return in ? &in->selected : nullptr;
        else return static_cast<Memory const*>(nullptr);
    }
    /// What becomes of products of queries and keys.
    static auto scores([[maybe_unused]] kernels::AttentionHead<T> const& judge,
                       [[maybe_unused]] typename Select::Room const& selected, typename S::Order order,
                       [[maybe_unused]] int n, double const* level, double* dlevel = nullptr) noexcept {
        Cap const cap = Spec::Cap::template of<T>();
        if constexpr (has_levels)
            return kernels::Scores<Cap, kernels::Levels>{cap, {level, order.stored(), dlevel}};
        else if constexpr (Select::used)
            return kernels::Scores<Cap, typename Select::Bias>{
                cap, Select::bias(&judge, cap, order, n, selected, selected.rest)};
        else return kernels::Scores<Cap>{cap, {}};
    }
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
