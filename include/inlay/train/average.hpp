// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/parameters.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// An exponential moving average of a model's weights, a = d a + (1 - d) w after each step, which starts as
/// the weights behind the first one. Buffers and frozen weights are taken over as they are. The row of a
/// table is brought up to date when it is about to move, and when the average is read: n steps at once are
/// a = d^n a + (1 - d^n) w, as w was the same in all of them. So a step costs what it moves; beside the
/// weights there are 8 bytes for each row of a table. PyTorch: `AveragedModel(net,
/// multi_avg_fn=get_ema_multi_avg_fn(d))`.
template <class M> class Average {
public:
    using Params = typename M::Params;
    using T = typename M::T;

    Average(double decay, Params const& params, std::vector<Parameter<T>> const& list) : decay_(decay) {
        if (decay == 0) return;
        memory_ = aligned_bytes(sizeof(Params));
        auto const* origin = reinterpret_cast<std::byte const*>(&params);
        for (auto const& p : list) {
            bool const by_row = p.moves() && p.kind == Kind::table;
            parts_.push_back({p.ref,
                              reinterpret_cast<T*>(memory_.get() +
                                                   (reinterpret_cast<std::byte const*>(p.ref.data) - origin)),
                              p.moves(), std::vector<std::uint64_t>(by_row ? std::size_t(p.ref.rows) : 0)});
        }
    }
    explicit operator bool() const noexcept { return decay_ > 0; }
    /// Whether there was a step to average.
    bool begun() const noexcept { return begun_; }
    void begin(bool begun) noexcept { begun_ = begun; }
    Params& params() const noexcept { return *reinterpret_cast<Params*>(memory_.get()); }

    /// Elements from `at` on of parameter i are about to move: the step's last chance to see what they were.
    void before(std::size_t i, std::ptrdiff_t at, std::ptrdiff_t n) noexcept {
        if (!begun_ || parts_[i].done.empty()) return;
        auto const stride = parts_[i].weight.stride;
        for (auto r = at / stride; r * stride < at + n; ++r) catch_up(parts_[i], std::size_t(r));
    }
    /// After a step.
    void update(Params const& params) noexcept {
        if (decay_ == 0) return;
        if (!begun_) {
            begun_ = true;
            return take(params);
        }
        ++steps_;
        for (auto const& p : parts_)
            if (p.moves && p.done.empty()) blend(decay_, p.weight.data, p.average, p.weight.size());
    }
    /// The average becomes these.
    void take(Params const& params) noexcept {
        std::memcpy(memory_.get(), static_cast<void const*>(&params), sizeof params);
        for (auto& p : parts_) std::fill(p.done.begin(), p.done.end(), steps_);
    }
    /// Weights and average change places; before the first step there is no average, and nothing happens.
    void swap(Params& params) noexcept {
        if (begun_)
            std::swap_ranges(memory_.get(), memory_.get() + sizeof(Params),
                             reinterpret_cast<std::byte*>(&params));
    }
    /// Brings everything up to date, which reads all weights.
    void catch_up() noexcept {
        if (!begun_) return;
        for (auto& p : parts_) {
            if (!p.moves) std::copy_n(p.weight.data, p.weight.size(), p.average);
            for (std::size_t r = 0; r < p.done.size(); ++r) catch_up(p, r);
        }
    }
    /// The rows of parameter i where it is a table that moves, else 0.
    std::size_t rows(std::size_t i) const noexcept { return i < parts_.size() ? parts_[i].done.size() : 0; }
    /// By how many steps they are behind.
    std::vector<std::uint64_t> behind(std::size_t i) const {
        auto n = parts_[i].done;
        for (auto& done : n) done = steps_ - done;
        return n;
    }
    void set_behind(std::size_t i, std::vector<std::uint64_t> const& n) noexcept {
        for (std::size_t r = 0; r < n.size(); ++r) parts_[i].done[r] = steps_ - n[r]; // may wrap, and back
    }

private:
    struct Part {
        TensorRef<T> weight;
        T* average;
        bool moves;
        std::vector<std::uint64_t> done; // steps, of each row
    };
    static void blend(double d, T const* w, T* a, std::size_t n) noexcept {
        T const keep = T(d), take = T(1 - d);
        for (std::size_t i = 0; i < n; ++i) a[i] = keep * a[i] + take * w[i];
    }
    void catch_up(Part& p, std::size_t row) noexcept {
        std::uint64_t const n = steps_ - std::exchange(p.done[row], steps_);
        std::size_t const at = row * std::size_t(p.weight.stride);
        if (n > 0)
            blend(n == 1 ? decay_ : std::pow(decay_, double(n)), p.weight.data + at, p.average + at,
                  std::size_t(p.weight.stride));
    }

    double decay_;
    bool begun_ = false;
    std::uint64_t steps_ = 0; // since a beginning
    AlignedBytes memory_;
    std::vector<Part> parts_; // in the order of the parameters
};
} // namespace detail

/// While it lives, the network holds the average of the weights; then it has its own again. No step may be
/// taken meanwhile.
template <class M> class [[nodiscard]] Averaged {
public:
    Averaged(detail::Average<M>& average, typename M::Params& params) noexcept
        : average_(average), params_(params) {
        average_.catch_up();
        average_.swap(params_);
    }
    Averaged(Averaged const&) = delete;
    Averaged& operator=(Averaged const&) = delete;
    ~Averaged() { average_.swap(params_); }

private:
    detail::Average<M>& average_;
    typename M::Params& params_;
};

} // namespace inlay::inline INLAY_ISA
