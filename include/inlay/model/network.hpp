// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/rows.hpp>
#include <inlay/model/workspace.hpp>

#include <algorithm>
#include <cassert>
#include <span>

namespace inlay::inline INLAY_ISA {

/// Owns a model's parameters in one aligned allocation. Movable; a Trainer holds the allocation's address, so
/// moving a network under training is safe and destroying it first is an error. Any number of threads may
/// infer at once, each with its own Workspace.
template <class M> class Network {
public:
    using Params = typename M::Params;
    using T = typename M::T;
    using R = typename M::Scalar;
    using Input = typename M::Input;
    using Output = typename M::Output;
    using Element = detail::PackedType<Input, T>; ///< a number, an id, or a record's row

    explicit Network(Seed seed) : memory_(detail::aligned_bytes(sizeof(Params))) {
        initialize<M>(params(), seed);
    }

    Params& params() noexcept { return *reinterpret_cast<Params*>(memory_.get()); }
    Params const& params() const noexcept { return *reinterpret_cast<Params const*>(memory_.get()); }

    /// One row of a record: the output's numbers, valid until the workspace is used again.
    template <class B>
    std::span<T const, std::size_t(Output::width)> infer(Element const& row,
                                                         Workspace<M, B>& ws) const noexcept
        requires(is_record<Input>)
    {
        auto const y = run(In<Input, R>{&row}, 1, ws);
        return std::span<T const, std::size_t(Output::width)>(y(0), std::size_t(Output::width));
    }
    /// At most B rows of a record, or of a Vector, Sequence or Tokens as they lie in an array: D numbers, T x
    /// D numbers or T ids each, one row behind the other. `lengths` are those of the sequences; without, all
    /// have T, and what lies past a sequence's end is not read. y(b) points at the output of row b, y(b, t)
    /// at its token t, until the workspace is used again. More than B rows, a part of a row, or lengths for
    /// some of them are errors, asserted.
    template <class B>
    In<Output, R> infer(std::span<Element const> x, Workspace<M, B>& ws,
                        std::span<std::int32_t const> lengths = {}) const noexcept {
        constexpr std::size_t each = detail::Packed<Input, T>::each;
        assert(x.size() % each == 0 && "inlay: a part of a row");
        int const rows = int(x.size() / each);
        assert((lengths.empty() || lengths.size() == std::size_t(rows)) && "inlay: a length for each row");
        Lengths const own{lengths.empty() ? nullptr : lengths.data(), sizeof(std::int32_t)};
        if constexpr (is_record<Input>) return run({x.data(), own}, rows, ws);
        else if constexpr (is_ids<Input>) return run({x.data(), sizeof(Element) * each, own}, rows, ws);
        else if constexpr (!detail::copies_input<Input, R>) return run({x.data(), own}, rows, ws);
        else return run(spread(x.data(), rows, own, ws), rows, ws);
    }
    /// A batch laid out as a view: rows padded to whole vectors, pads and what lies past a sequence's end
    /// zero.
    template <class B> In<Output, R> infer(In<Input, R> x, int rows, Workspace<M, B>& ws) const noexcept {
        return run(x, rows, ws);
    }

private:
    template <class B>
    static In<Input, R> spread(T const* x, int rows, Lengths lengths, Workspace<M, B>& ws) noexcept {
        assert(rows <= B::rows && "inlay: more rows than the Workspace's Batch");
        auto const to = detail::view_at<Input, R>(ws.input(), lengths);
        for (int b = 0; b < rows; ++b, x += detail::Packed<Input, T>::each) {
            int const n = to.length(b);
            for (int t = 0; t < n; ++t) std::copy_n(x + t * Input::width, Input::width, to(b, t));
            detail::clear_rows_from(to, b, n);
        }
        return to;
    }
    template <class B> In<Output, R> run(In<Input, R> x, int rows, Workspace<M, B>& ws) const noexcept {
        assert(rows <= B::rows && "inlay: more rows than the Workspace's Batch");
        Context<> const c{.rows = rows, .capacity = B::rows, .depth = M::depth};
        Out<Output, R> const y{ws.output(), detail::lengths_of<typename M::Block, Input, R>(x)};
        NoTape none;
        M::Block::forward(c, params(), x, y, none, ws.scratch());
        return y;
    }
    detail::AlignedBytes memory_;
};

} // namespace inlay::inline INLAY_ISA
