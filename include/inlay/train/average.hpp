// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/parameters.hpp>

#include <algorithm>
#include <cstring>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// An exponential moving average of a model's weights, a = d a + (1 - d) w after each step, which starts as
/// the weights behind the first one. Buffers and frozen weights are taken over as they are. Every step reads
/// all weights, rows of tables that did not occur included. PyTorch: `AveragedModel(net,
/// multi_avg_fn=get_ema_multi_avg_fn(d))`.
template <class M> class Average {
public:
    using Params = typename M::Params;
    using T = typename M::T;

    explicit Average(double decay) : decay_(decay) {
        if (decay > 0) memory_ = aligned_bytes(sizeof(Params));
    }
    explicit operator bool() const noexcept { return decay_ > 0; }
    /// Whether there was a step to average.
    bool begun() const noexcept { return begun_; }
    void begin(bool begun) noexcept { begun_ = begun; }
    Params& params() const noexcept { return *reinterpret_cast<Params*>(memory_.get()); }

    void update(Params const& params, std::vector<Parameter<T>> const& list) noexcept {
        if (decay_ == 0) return;
        if (!begun_) {
            begun_ = true;
            std::memcpy(memory_.get(), static_cast<void const*>(&params), sizeof params);
            return;
        }
        auto const* origin = reinterpret_cast<std::byte const*>(&params);
        T const keep = T(decay_), take = T(1 - decay_);
        for (auto const& p : list) {
            T* a = reinterpret_cast<T*>(memory_.get() +
                                        (reinterpret_cast<std::byte const*>(p.ref.data) - origin));
            T const* w = p.ref.data;
            if (!p.moves()) std::copy_n(w, p.ref.size(), a);
            else
                for (std::size_t i = 0, n = p.ref.size(); i < n; ++i) a[i] = keep * a[i] + take * w[i];
        }
    }
    /// Weights and average change places; before the first step there is no average, and nothing happens.
    void swap(Params& params) noexcept {
        if (begun_)
            std::swap_ranges(memory_.get(), memory_.get() + sizeof(Params),
                             reinterpret_cast<std::byte*>(&params));
    }

private:
    double decay_;
    bool begun_ = false;
    AlignedBytes memory_;
};
} // namespace detail

/// While it lives, the network holds the average of the weights; then it has its own again. No step may be
/// taken meanwhile.
template <class M> class [[nodiscard]] Averaged {
public:
    Averaged(detail::Average<M>& average, typename M::Params& params) noexcept
        : average_(average), params_(params) {
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
