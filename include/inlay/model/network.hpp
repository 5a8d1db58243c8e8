// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows.hpp>
#include <inlay/model/workspace.hpp>

#include <cassert>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Input> struct RowType {
    using type = struct no_row_by_itself;
};
template <class... F> struct RowType<Record<F...>> {
    using type = typename Record<F...>::Row;
};
template <class Input> using RowOf = typename RowType<Input>::type;
} // namespace detail

/// Owns a model's parameters in one aligned allocation. Movable; a Trainer holds the allocation's address, so
/// moving a network under training is safe and destroying it first is an error. Any number of threads may
/// infer at once, each with its own Workspace.
template <class M> class Network {
public:
    using Params = typename M::Params;
    using T = typename M::T;
    using R = typename M::Scalar;
    using Output = typename M::Output;

    explicit Network(Seed seed) : memory_(detail::aligned_bytes(sizeof(Params))) {
        initialize<M>(params(), seed);
    }

    Params& params() noexcept { return *reinterpret_cast<Params*>(memory_.get()); }
    Params const& params() const noexcept { return *reinterpret_cast<Params const*>(memory_.get()); }

    /// One row of a record: the output's numbers, valid until the workspace is used again.
    template <class B>
    std::span<T const, std::size_t(Output::width)> infer(detail::RowOf<typename M::Input> const& row,
                                                         Workspace<M, B>& ws) const noexcept
        requires(is_record<typename M::Input>)
    {
        auto const y = run(In<typename M::Input, R>{&row}, 1, ws);
        return std::span<T const, std::size_t(Output::width)>(y(0), std::size_t(Output::width));
    }
    /// At most B rows of a record: y(b) points at the output of row b. More than B rows are an error,
    /// asserted.
    template <class B>
    In<Output, R> infer(std::span<detail::RowOf<typename M::Input> const> rows,
                        Workspace<M, B>& ws) const noexcept
        requires(is_record<typename M::Input>)
    {
        return run(In<typename M::Input, R>{rows.data()}, int(rows.size()), ws);
    }
    /// A batch laid out as a view.
    template <class B>
    In<Output, R> infer(In<typename M::Input, R> x, int rows, Workspace<M, B>& ws) const noexcept {
        return run(x, rows, ws);
    }

private:
    template <class B>
    In<Output, R> run(In<typename M::Input, R> x, int rows, Workspace<M, B>& ws) const noexcept {
        assert(rows <= B::rows && "inlay: more rows than the Workspace's Batch");
        Context<> const c{.rows = rows, .capacity = B::rows, .depth = M::depth};
        Out<Output, R> const y{ws.output(), detail::lengths_of<typename M::Block, typename M::Input, R>(x)};
        NoTape none;
        M::Block::forward(c, params(), x, y, none, ws.scratch());
        return y;
    }
    detail::AlignedBytes memory_;
};

} // namespace inlay::inline INLAY_ISA
