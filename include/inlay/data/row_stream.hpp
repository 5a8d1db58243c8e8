// SPDX-License-Identifier: BSD-3-Clause
// Rows of a file a chunk at a time, for files that are larger than memory.
#pragma once

#include <inlay/core/rows_numbers.hpp>
#include <inlay/data/pieces.hpp>
#include <inlay/io/mapped_file.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Rows of a data set as readers make them: with one target each, without weights and lengths.
template <class... F>
void append_rows(Rows<Record<F...>>& to, Rows<Record<F...>> const& from, std::size_t first,
                 std::size_t count) {
    auto const at = std::ptrdiff_t(first), end = std::ptrdiff_t(first + count);
    to.row.insert(to.row.end(), from.row.begin() + at, from.row.begin() + end);
    to.target.insert(to.target.end(), from.target.begin() + at, from.target.begin() + end);
}
template <int... N>
void append_rows(Rows<Shape<N...>>& to, Rows<Shape<N...>> const& from, std::size_t first, std::size_t count) {
    constexpr auto each = std::ptrdiff_t(Rows<Shape<N...>>::numbers);
    auto const at = std::ptrdiff_t(first), end = std::ptrdiff_t(first + count);
    to.input.insert(to.input.end(), from.input.begin() + at * each, from.input.begin() + end * each);
    to.target.insert(to.target.end(), from.target.begin() + at, from.target.begin() + end);
}
template <class... F> void clear_rows(Rows<Record<F...>>& rows) { rows.row.clear(), rows.target.clear(); }
template <int... N> void clear_rows(Rows<Shape<N...>>& rows) { rows.input.clear(), rows.target.clear(); }

template <class E>
concept ExecutorRef = Executor<std::remove_reference_t<E>>;
} // namespace detail

/// A file of rows, read a chunk at a time:
///
///     Rows<Visit> chunk;
///     while (stream.next(chunk, executor)) { ... }
///
/// Chunks have the number of rows that was asked for, the last one what is left; which rows they hold depends
/// on the file alone. Holds the rows of one chunk and of the pieces that the executor parses side by side.
template <class Parser> class RowStream {
public:
    using Data = typename Parser::Data;
    RowStream(Parser parser, MappedFile file, detail::TextMark begin, std::size_t rows, std::size_t bad = 0)
        : parser_(std::move(parser)), file_(std::move(file)), mark_(begin), rows_(rows), bad_(bad) {
        if (rows == 0) detail::fail(Error(file_.path(), "option rows", "at least one row a chunk", "0"));
    }

    /// The next rows; false, and no rows, at the end of the file. Throws Error when the chunk would hold a
    /// bad row: it is then as it was, and the rows before it have all been handed out but for those of this
    /// chunk.
    template <detail::ExecutorRef Exec = Serial> bool next(Data& chunk, Exec&& executor = Exec{}) {
        if (read_.size() - used_ < rows_) read_on(executor);
        std::size_t const count = std::min(read_.size() - used_, rows_);
        if (count < rows_) {
            if (error_) std::rethrow_exception(error_);
            parser_.finish();
        }
        if (used_ == 0 && count == read_.size()) {
            std::swap(chunk, read_);
        } else {
            detail::clear_rows(chunk);
            detail::append_rows(chunk, read_, used_, count);
            used_ += count;
            if (used_ < read_.size()) return true;
        }
        detail::clear_rows(read_);
        used_ = 0;
        return count > 0;
    }
    /// Rows skipped because of skip_bad_rows in what was parsed, which at the end is all.
    std::size_t bad() const noexcept { return bad_; }

private:
    template <class E> void read_on(E& executor) {
        if (used_ > 0) {
            Data rest{};
            detail::append_rows(rest, read_, used_, read_.size() - used_);
            std::swap(read_, rest);
            used_ = 0;
        }
        while (read_.size() < rows_ && !error_ && mark_.at < file_.text().size())
            error_ = detail::parse_some(parser_, file_.text(), mark_, parser_.piece(), executor,
                                        [&](typename Parser::Part&& part, std::size_t) {
                                            parser_.take(part);
                                            bad_ += part.bad;
                                            detail::append_rows(read_, part.rows, 0, part.rows.size());
                                        });
    }

    Parser parser_;
    MappedFile file_;
    detail::TextMark mark_;
    std::size_t rows_, bad_ = 0;
    Data read_{}; // what was parsed; rows before used_ have been handed out
    std::size_t used_ = 0;
    std::exception_ptr error_;
};

} // namespace inlay::inline INLAY_ISA
