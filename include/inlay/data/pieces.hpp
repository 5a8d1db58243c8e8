// SPDX-License-Identifier: BSD-3-Clause
// A text of rows parsed in pieces side by side, and put together in the order of the file.
#pragma once

#include <inlay/core/executor.hpp>
#include <inlay/data/row_error.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What a piece leaves beside its rows, lines counted from its beginning. A parser's Part is made from this.
struct Piece {
    TextMark end = {};                ///< where the row after its last one begins
    std::size_t bad = 0;              ///< rows skipped
    std::optional<BadRow> error = {}; ///< what ended it too early
    std::exception_ptr other = {};    ///< and what no row is to blame for
};

/// Parses the rows that begin in [begin, stop) of a text. `parser.parse(text, {begin, 0}, stop, part)` throws
/// BadRow.
template <class Parser>
typename Parser::Part parse_piece(Parser const& parser, std::string_view text, std::size_t begin,
                                  std::size_t stop) {
    typename Parser::Part part;
    try {
        parser.parse(text, {begin, 0}, stop, part);
    } catch (BadRow const& bad) { part.error = bad; } catch (...) {
        part.other = std::current_exception();
    }
    return part;
}

/// Parses some pieces of about `size` bytes from `mark` on, which is moved behind the last of them, and hands
/// their parts, in order, to `take(part, lines before it)`. Returns what ended one of them, or null.
///
/// Pieces are cut at ends of lines. A quoted cell may hold one, so a piece may turn out to begin inside a
/// row, or to end beyond what it was shown; it is then parsed again from where the piece before it ended. So
/// the parts hold the rows that a single pass would find, and the same error, whatever the size and the
/// executor.
template <class Parser, class E, class Take>
std::exception_ptr parse_some(Parser const& parser, std::string_view text, TextMark& mark, std::size_t size,
                              E& executor, Take take) {
    struct Job {
        std::size_t begin, stop, shown;
        typename Parser::Part part;
    };
    size = std::max<std::size_t>(size, 1);
    std::size_t const most = executor.workers() > 1 ? 4 * std::size_t(executor.workers()) : 1;
    std::vector<Job> jobs;
    for (std::size_t at = mark.at; at < text.size() && jobs.size() < most;) {
        std::size_t const last = at + std::min(size, text.size() - at) - 1;
        std::size_t const stop = std::min(text.find('\n', last), text.size() - 1) + 1;
        jobs.push_back({at, stop, stop + std::min(size, text.size() - stop), {}});
        at = stop;
    }
    executor.run(int(jobs.size()), [&](int, int i) {
        Job& job = jobs[std::size_t(i)];
        job.part = parse_piece(parser, text.substr(0, job.shown), job.begin, job.stop);
    });
    for (Job& job : jobs) {
        if (job.stop <= mark.at) continue; // inside a row that began before it
        bool const beyond = job.part.error || job.part.end.at == job.shown;
        if (job.begin != mark.at || (beyond && job.shown < text.size()))
            job.part = parse_piece(parser, text, mark.at, job.stop);
        TextMark const end{job.part.end.at, mark.lines + job.part.end.lines};
        std::exception_ptr error = job.part.other;
        if (job.part.error) error = std::make_exception_ptr(job.part.error->after(mark.lines));
        take(std::move(job.part), mark.lines);
        if (error) return error;
        mark = end;
    }
    return {};
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
