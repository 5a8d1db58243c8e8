// SPDX-License-Identifier: BSD-3-Clause
// A forward pass with an observer, over one sequence.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/observe.hpp>
#include <inlay/core/path.hpp>
#include <inlay/model/network.hpp>

#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// Where an observer is: keep one, and pass `enter` and `leave` on.
class PlaceNow {
public:
    void enter(Path const& place) { places_.push_back(place); }
    void leave() { places_.pop_back(); }
    /// As names of tensors: `0.1.3`.
    std::string text() const {
        std::string all;
        for (auto const& p : places_) {
            if (!all.empty()) all += ".";
            all += p.name ? std::string(p.name) : std::to_string(p.index);
        }
        return all;
    }

private:
    std::vector<Path> places_;
};

/// Runs the first sequence of x through a network. The observer has `enter(Path const&)`, called before each
/// block inside the model, and `template <class Block> leave(context, params, x, y)` behind it, with what it
/// read and wrote. Allocates a Workspace.
template <class M, class Observer>
void watch(Network<M> const& net, In<typename M::Input, typename M::Scalar> x, Observer& observer) {
    using Block = typename M::Block;
    using Input = typename M::Input;
    using R = typename M::Scalar;
    Workspace<M> ws;
    Context<> const c{.rows = 1, .capacity = 1, .depth = M::depth};
    Out<typename M::Output, R> const y{ws.output(), detail::lengths_of<Block, Input, R>(x)};
    NoTape none;
    Block::forward(detail::with_observer(c, observer), net.params(), x, y, none, ws.scratch());
}
/// The same of at most T ids. Too many, or one that is not below V, is an Error.
template <class M, class Observer>
    requires is_ids<typename M::Input>
void watch(Network<M> const& net, std::span<std::int32_t const> ids, Observer& observer) {
    constexpr int most = M::Input::rows, vocabulary = M::Input::vocabulary;
    if (ids.size() > std::size_t(most))
        detail::fail(Error("", "ids", "at most " + std::to_string(most), std::to_string(ids.size())));
    for (auto const id : ids)
        if (id < 0 || id >= vocabulary)
            detail::fail(Error("", "ids", "0 to " + std::to_string(vocabulary - 1), std::to_string(id)));
    auto const n = std::int32_t(ids.size());
    watch(net, In<typename M::Input, typename M::Scalar>{ids.data(), 0, Lengths{&n, 0}}, observer);
}

} // namespace inlay::inline INLAY_ISA
