// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/trainer/class.hpp>

namespace inlay::inline INLAY_ISA {

/// Throws what is to be said of a loss that is not finite; `index`, where there is one, names the rows of the
/// batch laid out. Where a gradient is to be explained, it throws if the batch does.
template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::blame(std::size_t rows, std::uint32_t const* index, std::int64_t first,
                                           detail::CarriedRows const& carried, bool gradient) {
    auto& worker = workers_[0];
    for (int k = 0; k < shards_of(rows); ++k) {
        if (!gradient && std::isfinite(shard_loss_[std::size_t(k)])) continue;
        auto const c = context(rows_of(rows, k), first + std::int64_t(k) * shard_rows, true,
                               carried.from(std::size_t(k * shard_rows)));
        auto bad = detail::find_culprit<M, shard_rows>(c, *params_, staging_[std::size_t(k)].input(),
                                                       output_of(k, worker.y), *worker.tape, worker.scratch);
        if (gradient && bad.what.empty()) continue;
        if (bad.what.empty()) bad = {"the loss", shard_loss_[std::size_t(k)]};
        if (bad.row >= 0 && index) bad.what += detail::joined(", row ", index[k * shard_rows + bad.row]);
        if (bad.token >= 0) bad.what += detail::joined(", token ", bad.token);
        detail::fail(Error("", detail::joined("step ", step_ + 1, ", ", bad.what), "finite numbers",
                           std::to_string(bad.value)));
    }
    if (!gradient)
        detail::fail(Error("", detail::joined("step ", step_ + 1), "a finite loss", "one past double"));
}

/// The same for a gradient that nothing in the rows explains.
template <class M, class Loss, class B, class Opt, class Exec>
void Trainer<M, Loss, B, Opt, Exec>::blame_gradient(std::size_t tensor) const {
    detail::fail(
        Error("", detail::joined("step ", step_ + 1, ", the gradient of ", parameters_.list()[tensor].name),
              "finite numbers", "one that is not"));
}

} // namespace inlay::inline INLAY_ISA
