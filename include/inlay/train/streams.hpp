// SPDX-License-Identifier: BSD-3-Clause
// Sequences longer than a window: rows that follow each other.
#pragma once

#include <inlay/core/rows_numbers.hpp>
#include <inlay/core/rows_tokens.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class Input> inline constexpr bool has_an_order_in_time = is_sequence<Input>;
template <int T, int V> inline constexpr bool has_an_order_in_time<Tokens<T, V>> = true;
template <class Data> struct reads_sequences {
    consteval operator bool() const { return has_an_order_in_time<typename Data::Input>; }
};
} // namespace detail

/// Rows of a text or of sequences as what they are cut from: each row goes on where the one before it ended,
/// but for those at `begins`, where another stream begins. A Trainer reads them by truncated backpropagation
/// through time (Williams and Peng 1990): the rows are cut into as many equal parts as a step has rows, which
/// are read side by side, each in order, and a window starts from the state that the one before it left. The
/// state's value is carried, its gradient is not: it ends with the window. It is fresh where a part, a stream
/// or an epoch begins. With attention over a window this is the recurrence of Transformer-XL (arXiv
/// 1901.02860). Keras: `stateful=True`; PyTorch: `hidden.detach()` between windows.
///
/// The rows must outlive it. They are not shuffled. Error: rows without an order in time; a `begins` beyond
/// the rows.
template <class Data> class Streams {
    static_assert(detail::reads_sequences<Data>{}, "inlay: Streams are of sequences, of numbers or of ids");

public:
    using Input = typename Data::Input;
    explicit Streams(Data const& rows, std::vector<std::uint32_t> begins = {})
        : rows_(&rows), begins_(std::move(begins)) {
        std::ranges::sort(begins_);
    }
    explicit Streams(Data const&&, std::vector<std::uint32_t> = {}) = delete;

    Data const& rows() const noexcept { return *rows_; }
    std::size_t size() const noexcept { return rows_->size(); }
    int targets() const noexcept { return rows_->targets(); }
    int length_of(std::size_t i) const noexcept { return rows_->length_of(i); }
    /// Whether a stream begins with row i.
    bool begins_at(std::uint32_t i) const noexcept {
        return i == 0 || std::ranges::binary_search(begins_, i);
    }

    /// Throws Error where the rows are not right, or a stream begins beyond them.
    void check() const {
        rows_->check();
        if (!begins_.empty() && begins_.back() >= size())
            detail::fail(Error("", "Streams, begins", detail::joined("rows below ", size()),
                               std::to_string(begins_.back())));
    }

private:
    Data const* rows_;
    std::vector<std::uint32_t> begins_;
};

namespace detail {
/// Whether a model's state goes from row to row of a data set.
template <class Data> inline constexpr bool carries_state = false;
template <class Rows> inline constexpr bool carries_state<Streams<Rows>> = true;

template <class Data> Data const& plain_rows(Data const& data) noexcept { return data; }
template <class Data> Data const& plain_rows(Streams<Data> const& data) noexcept { return data.rows(); }

/// All rows in the order in which `lanes` equal parts of them are read side by side: the first row of each
/// part, then the second of each. Where they do not come out even, the first parts are longer by one.
inline std::vector<std::uint32_t> side_by_side(std::size_t rows, std::size_t lanes) {
    std::vector<std::uint32_t> order(rows);
    std::size_t const each = rows / lanes, longer = rows % lanes;
    for (std::size_t i = 0; i < rows; ++i) {
        std::size_t const lane = i % lanes;
        order[i] = std::uint32_t(lane * each + std::min(lane, longer) + i / lanes);
    }
    return order;
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
