// SPDX-License-Identifier: BSD-3-Clause
// What is thrown when files or data are not as they should be.
#pragma once

#include <inlay/config.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace inlay::inline INLAY_ISA {

/// A file, a row of data or an option that cannot be used. `what()` reads
/// "inlay: FILE: PLACE: expected EXPECTED, found FOUND"; empty parts are left out.
class Error : public std::runtime_error {
public:
    Error(std::string file, std::string place, std::string expected, std::string found)
        : std::runtime_error(text(file, place, expected, found)), file_(std::move(file)),
          place_(std::move(place)), expected_(std::move(expected)), found_(std::move(found)) {}

    std::string const& file() const noexcept { return file_; }
    std::string const& place() const noexcept { return place_; }
    std::string const& expected() const noexcept { return expected_; }
    std::string const& found() const noexcept { return found_; }

private:
    static std::string text(std::string const& file, std::string const& place, std::string const& expected,
                            std::string const& found) {
        std::string s = "inlay: ";
        if (!file.empty()) s += file + ": ";
        if (!place.empty()) s += place + ": ";
        s += "expected " + expected;
        if (!found.empty()) s += ", found " + found;
        return s;
    }
    std::string file_, place_, expected_, found_;
};

namespace detail {
/// Throws, or ends the program where exceptions are switched off.
[[noreturn]] inline void fail(Error error) {
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
    throw error;
#else
    static_cast<void>(error);
    std::abort();
#endif
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
