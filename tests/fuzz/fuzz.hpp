// SPDX-License-Identifier: BSD-3-Clause
// What the fuzz targets share: bytes as a file, options drawn from the input's first byte, and how a finding
// is told.
#pragma once

#ifndef INLAY_NO_MMAP
#error "fuzz targets are built with INLAY_NO_MMAP: the sanitizers see no read past the end of a mapped file"
#endif

#include <inlay/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace fuzz {

#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                   \
            std::abort();                                                                                    \
        }                                                                                                    \
    } while (false)

/// A file in memory.
class File {
public:
    explicit File(std::string_view content) : number_(::memfd_create("fuzz", 0)) {
        FUZZ_CHECK(number_ >= 0);
        FUZZ_CHECK(::write(number_, content.data(), content.size()) == ::ssize_t(content.size()));
        path = "/proc/self/fd/" + std::to_string(number_);
    }
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    ~File() { ::close(number_); }
    std::string path;

private:
    int number_;
};

/// What a reader said of an input: nothing, or an error of the right form. Anything else it throws is a
/// finding.
template <class F> std::string refusal(F f) {
    try {
        f();
        return {};
    } catch (inlay::Error const& error) {
        FUZZ_CHECK(!error.expected().empty());
        return std::string(error.what()).substr(0, 7) == "inlay: "
                   ? error.place() + ": " + error.expected() + ", " + error.found()
                   : std::string{"?"};
    }
}

inline std::string_view text_of(std::uint8_t const* data, std::size_t size) {
    return {reinterpret_cast<char const*>(data), size};
}

} // namespace fuzz
