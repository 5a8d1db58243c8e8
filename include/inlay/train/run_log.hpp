// SPDX-License-Identifier: BSD-3-Clause
// Files that grow by a line at a time, and may be taken back to a step.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/json_value.hpp>
#include <inlay/io/safetensors_reader.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// A number of a line; one that is NaN says nothing.
struct LogNumber {
    std::string_view name;
    double value;
};
/// `{"step":3,"loss":0.5}`: numbers that are not finite are left out, as JSON has none.
inline std::string json_line(std::span<LogNumber const> numbers) {
    std::string line;
    for (auto const& n : numbers) {
        if (!std::isfinite(n.value)) continue;
        line += line.empty() ? "{" : ",";
        append_json(line, n.name);
        line += ':';
        append_json(line, n.value);
    }
    return line + "}";
}
inline std::string csv_line(std::span<LogNumber const> numbers) {
    std::string line;
    for (auto const& n : numbers) {
        if (&n != numbers.data()) line += ',';
        if (std::isfinite(n.value)) append_json(line, n.value);
        else if (std::isinf(n.value)) line += n.value > 0 ? "inf" : "-inf";
    }
    return line;
}
inline std::string csv_header(std::span<LogNumber const> numbers) {
    std::string line;
    for (auto const& n : numbers) (line += line.empty() ? "" : ",") += n.name;
    return line;
}

/// A file to append to. What is written reaches it at the latest with `flush`.
class LogFile {
public:
    LogFile() = default;
    explicit LogFile(std::string path) : path_(std::move(path)) {}

    /// Whole lines, or bytes where there are no lines.
    void append(std::string_view bytes) {
        errno = 0;
        if (!file_) file_.reset(std::fopen(path_.c_str(), "ab"));
        if (!file_ || std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) broken();
    }
    void flush() {
        if (file_ && std::fflush(file_.get()) != 0) broken();
    }
    void close() noexcept { file_.reset(); }

    /// Drops each line that is past a step, or torn. A line's step follows `before` at its beginning; a line
    /// that begins otherwise stays. Nothing where there is no file.
    void take_back(std::string_view before, std::uint64_t step) {
        close();
        if (!std::filesystem::exists(path_)) return;
        auto const bytes = read_whole(path_);
        std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        std::size_t keep = 0;
        for (std::size_t end; (end = text.find('\n', keep)) != std::string_view::npos; keep = end + 1) {
            std::string_view line = text.substr(keep, end - keep);
            if (!line.starts_with(before)) continue;
            line.remove_prefix(before.size());
            std::uint64_t found = 0;
            if (std::from_chars(line.data(), line.data() + line.size(), found).ec == std::errc{} &&
                found > step)
                break;
        }
        std::error_code error;
        if (keep < text.size()) std::filesystem::resize_file(path_, keep, error);
        if (error) fail(Error(path_, "", "to shorten this file", error.message()));
    }
    /// The first line, if there is one.
    std::string first_line() const {
        if (!std::filesystem::exists(path_)) return {};
        auto const bytes = read_whole(path_);
        std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        return std::string(text.substr(0, std::min(text.find('\n'), text.size())));
    }
    std::string const& path() const noexcept { return path_; }

private:
    struct Close {
        void operator()(std::FILE* f) const noexcept { std::fclose(f); }
    };
    [[noreturn]] void broken() const {
        fail(Error(path_, "", "to write this file",
                   std::generic_category().message(errno == 0 ? EIO : errno)));
    }
    std::string path_;
    std::unique_ptr<std::FILE, Close> file_;
};

/// A CSV file whose header follows from the first line.
class CsvLog {
public:
    CsvLog() = default;
    explicit CsvLog(std::string path) : file_(std::move(path)) {}
    void append(std::span<LogNumber const> numbers) {
        if (!begun_) {
            std::string const header = csv_header(numbers), there = file_.first_line();
            if (there.empty()) file_.append(header + "\n");
            else if (there != header) fail(Error(file_.path(), "line 1", header, there));
            begun_ = true;
        }
        file_.append(csv_line(numbers) + "\n");
    }
    void flush() { file_.flush(); }
    void take_back(std::uint64_t step) {
        begun_ = false;
        file_.take_back("", step);
    }

private:
    LogFile file_;
    bool begun_ = false;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
