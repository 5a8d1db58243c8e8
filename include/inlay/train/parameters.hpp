// SPDX-License-Identifier: BSD-3-Clause
// A model's parameters as a list, each with the rule that moves it and its optimizer state.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/core/path.hpp>
#include <inlay/model/summary.hpp>
#include <inlay/model/workspace.hpp>
#include <inlay/train/optimizer/rules.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class T> struct Parameter {
    std::string name;
    Kind kind;
    TensorRef<T> ref;
    int rule;   // -1 for a buffer, which no optimizer moves
    T* slot[2]; // optimizer state, laid out as the parameter
    bool frozen = false;

    bool moves() const noexcept { return kind != Kind::buffer && !frozen; }
};

/// The gradients of one shard, in the order of the parameters.
template <class T, class M, class Grads> std::vector<TensorRef<T>> list_grads(Grads& grads) {
    std::vector<TensorRef<T>> list;
    M::Block::visit(grads, Path{}, [&](auto, Path const&, Kind, TensorRef<T> g) { list.push_back(g); });
    return list;
}

template <class M, class Rules> class ParameterList;
/// Finds each parameter's rule, owns the optimizers' state, and applies a step.
template <class M, class... Rule> class ParameterList<M, Optimize<Rule...>> {
public:
    using T = typename M::T;
    using Optimizers = std::tuple<typename Rule::Optimizer...>;
    static constexpr int rules = int(sizeof...(Rule));

    ParameterList(typename M::Params& params, Optimizers optimizers) : optimizers_(std::move(optimizers)) {
        std::array<int, sizeof...(Rule)> hits{};
        M::Block::visit(params, Path{},
                        [&]<class Spec>(Tag<Spec>, Path const& at, Kind kind, TensorRef<T> ref) {
                            std::string name = to_string(at);
                            int const rule = kind == Kind::buffer ? -1 : find<Spec>(kind, name);
                            if (rule >= 0) ++hits[std::size_t(rule)];
                            if (kind != Kind::buffer) refuse(rule, kind, name);
                            list_.push_back({std::move(name), kind, ref, rule, {}, is_frozen(rule)});
                        });
        for (std::size_t r = 0; r < hits.size(); ++r)
            if (hits[r] == 0)
                fail(Error("", joined("Optimize, rule ", r + 1), "a parameter that the rule matches",
                           joined("none among ", names())));
        allocate();
    }
    std::vector<Parameter<T>>& list() noexcept { return list_; }
    std::vector<Parameter<T>> const& list() const noexcept { return list_; }

    /// The optimizers' names, rule by rule.
    static std::array<std::string_view, sizeof...(Rule)> rule_names() {
        return {plain_name<typename Rule::Optimizer>()...};
    }

    /// Sets the optimizers' state to that before the first step.
    void forget() noexcept { std::memset(state_.get(), 0, state_bytes_); }

    /// Calls f(move), where move(at, g, n) moves n weights of a parameter, from element `at` on.
    template <class F> void with_rule(Parameter<T> const& p, StepInfo step, F f) const noexcept {
        step.kind = p.kind;
        each<sizeof...(Rule)>([&](auto r) {
            if (int(r) != p.rule) return;
            auto const& optimizer = std::get<r>(optimizers_);
            auto const slot = [&](int s, std::ptrdiff_t at) { return p.slot[s] ? p.slot[s] + at : nullptr; };
            if constexpr (requires { optimizer.template at<T>(step); }) {
                auto const now = optimizer.template at<T>(step);
                f([&](std::ptrdiff_t at, T const* g, std::ptrdiff_t n) noexcept {
                    now(p.ref.data + at, g, slot(0, at), slot(1, at), n);
                });
            } else
                f([&](std::ptrdiff_t at, T const* g, std::ptrdiff_t n) noexcept {
                    optimizer.update(step, p.ref.data + at, g, slot(0, at), slot(1, at), n);
                });
        });
    }

private:
    template <class Spec> static int find(Kind kind, std::string_view name) {
        int at = -1, i = 0;
        ((at < 0 && Rule::template matches<Spec>(kind, name) ? at = i : 0, ++i), ...);
        return at;
    }
    static void refuse(int rule, Kind kind, std::string const& name) {
        if (rule < 0)
            fail(Error("", "Optimize", "a rule for every parameter (end with Otherwise<...>)",
                       joined("none for ", name)));
        constexpr bool only_tables[] = {tables_only<typename Rule::Optimizer>...};
        if (only_tables[rule] && kind != Kind::table)
            fail(Error("", joined("Optimize, rule ", rule + 1),
                       "a table for FTRL, which moves id-indexed weights only",
                       joined("the dense parameter ", name)));
    }
    static bool is_frozen(int rule) {
        constexpr bool frozen[] = {std::is_same_v<typename Rule::Optimizer, Frozen>...};
        return rule >= 0 && frozen[rule];
    }
    std::string names() const {
        std::string all;
        for (auto const& p : list_) all += (all.empty() ? "" : ", ") + p.name;
        return all;
    }
    void allocate() {
        std::size_t bytes = 0;
        auto const slots_of = [](int rule) {
            constexpr int slots[] = {Rule::Optimizer::slots...};
            return rule < 0 ? 0 : slots[rule];
        };
        for (auto const& p : list_) bytes += std::size_t(slots_of(p.rule)) * lines(p.ref.size() * sizeof(T));
        state_bytes_ = bytes + 64;
        state_ = aligned_bytes(state_bytes_);
        std::byte* at = state_.get();
        for (auto& p : list_)
            for (int s = 0; s < slots_of(p.rule); ++s) {
                p.slot[s] = reinterpret_cast<T*>(at);
                at += lines(p.ref.size() * sizeof(T));
            }
    }
    Optimizers optimizers_;
    std::vector<Parameter<T>> list_;
    AlignedBytes state_;
    std::size_t state_bytes_ = 0;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
