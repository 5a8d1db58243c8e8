// SPDX-License-Identifier: BSD-3-Clause
// Files of "label index:value index:value ...", as LIBSVM and libFM write them.
#pragma once

#include <inlay/data/numbers.hpp>
#include <inlay/data/row_stream.hpp>
#include <inlay/data/sparse_row.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace inlay::inline INLAY_ISA {

struct LibSvmOptions {
    int first_index = 1; ///< of the first feature: 1 as LIBSVM counts, 0 as libFM does
    bool binary = false; ///< targets are 1 where the label is above 0, else 0; without it the label itself
    bool skip_bad_rows =
        false; ///< leave bad rows out (a stream counts them) instead of throwing on the first
    std::size_t piece = 1 << 20; ///< bytes parsed at a time, by each worker; no result depends on it
};

/// A file of sparse rows to read, features counted from 1: `LibSvm{"a9a", {.binary = true}}`.
struct LibSvm {
    std::string path;
    LibSvmOptions options = {};
};
/// The same with features counted from 0; what takes a LibSvm takes it.
struct LibFm {
    std::string path;
    LibSvmOptions options = {};
    operator LibSvm() const {
        LibSvm file{path, options};
        file.options.first_index = 0;
        return file;
    }
};

namespace detail {
template <class Input> struct LibSvmParser {
    using Data = Rows<Input>;
    struct Part : Piece {
        Data rows{};
    };
    LibSvm file;

    std::size_t piece() const noexcept { return file.options.piece; }
    void take(Part const&) const noexcept {}
    void finish() const noexcept {}

    void parse(std::string_view text, TextMark from, std::size_t stop, Part& part) const {
        SparseRow<Input> row;
        TextMark& mark = part.end = from;
        while (mark.at < stop) {
            std::size_t const end = std::min(text.find('\n', mark.at), text.size());
            std::string_view const line = text.substr(mark.at, end - mark.at);
            mark = {std::min(end + 1, text.size()), mark.lines + 1};
            try {
                parse_line(line.substr(0, line.find('#')), mark.lines, row, part.rows);
            } catch (BadRow const&) {
                if (!file.options.skip_bad_rows) throw;
                ++part.bad;
            }
        }
    }

private:
    void parse_line(std::string_view line, std::size_t number, SparseRow<Input>& row, Data& rows) const {
        constexpr std::string_view blanks = " \t\r";
        std::size_t column = 0;
        std::string_view token;
        auto const next = [&] {
            line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
            token = line.substr(0, line.find_first_of(blanks));
            line.remove_prefix(token.size());
            ++column;
            return !token.empty();
        };
        auto const bad = [&](std::string expected) {
            throw BadRow{file.path, number, column, std::move(expected), in_quotes(token)};
        };
        if (!next()) return;
        auto const label = parse_float(token);
        if (!label) bad("a number as label");
        row.clear();
        while (next()) {
            std::size_t const colon = std::min(token.find(':'), token.size());
            auto const index = parse_index(token.substr(0, colon));
            auto const value = parse_float(token.substr(std::min(colon + 1, token.size())));
            if (!index || !value) bad("an index, a colon and a number");
            auto const first = std::uint64_t(file.options.first_index);
            if (*index < first || *index - first >= SparseRow<Input>::features)
                bad(joined("an index from ", first, " to ", SparseRow<Input>::features - 1 + first));
            if (std::string why = row.put(std::size_t(*index - first), *value); !why.empty())
                bad(std::move(why));
        }
        row.append_to(rows);
        rows.target.push_back(file.options.binary ? float(*label > 0) : *label);
    }
};
} // namespace detail

/// The rows of a LIBSVM or libFM file in chunks of `rows`, for files larger than memory; as read_libsvm has
/// them.
template <class Input>
RowStream<detail::LibSvmParser<Input>> stream_libsvm(LibSvm const& file, std::size_t rows) {
    static_assert(detail::SparseRow<Input>::possible,
                  "inlay: read_libsvm wants Shape<D>, or a Record without a History and learned edges");
    if (file.options.first_index != 0 && file.options.first_index != 1)
        detail::fail(
            Error(file.path, "option first_index", "0 or 1", std::to_string(file.options.first_index)));
    return {{file}, MappedFile{file.path}, {}, rows};
}

/// The rows of a LIBSVM or libFM file: a label, then index:value pairs in any order; what follows a # is a
/// comment.
///
/// As `Shape<D>` a row is D numbers, those without a pair 0. As a Record the features are counted through its
/// fields: a number has one, a category or set with V ids has V - 1 of value 1, for the ids from 1; the
/// values of a set that is Weighted are its weights. What has no pair is 0: the number, or the id of unseen.
/// Numbers are taken as they stand.
///
/// Throws Error with file, line and column (from 1, counting the parts between blanks) for what is not of
/// this form, an index that is no feature or occurs twice, a second index of a category, more of a set than
/// it holds, a value of these that is not 1, and a number that float cannot hold. Rows do not depend on the
/// executor.
template <class Input, detail::ExecutorRef Exec = Serial>
Rows<Input> read_libsvm(LibSvm const& file, Exec&& executor = Exec{}) {
    Rows<Input> rows;
    stream_libsvm<Input>(file, std::numeric_limits<std::size_t>::max()).next(rows, executor);
    return rows;
}

} // namespace inlay::inline INLAY_ISA
