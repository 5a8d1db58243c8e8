// SPDX-License-Identifier: BSD-3-Clause
// A file that appears whole or not at all.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/io/text.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Writes beside the target under a name of its own, and takes the target's place in commit(). Without a
/// commit the destructor removes what was written; the target is never touched before. A target that is a
/// symbolic link is replaced, not followed.
class AtomicFile {
public:
    explicit AtomicFile(std::string target) : target_(std::move(target)) {
        // "x" refuses a file that exists, so two writers of one target cannot share a temporary.
        for (int i = 0; stream_ == nullptr && i < 100; ++i) {
            temporary_ = joined(target_, ".partial", i);
            errno = 0;
            stream_ = std::fopen(temporary_.c_str(), "wbx");
            if (stream_ == nullptr && errno != EEXIST) break;
        }
        if (stream_ == nullptr) broken(joined("a place to write ", temporary_));
    }
    AtomicFile(AtomicFile const&) = delete;
    AtomicFile& operator=(AtomicFile const&) = delete;
    ~AtomicFile() {
        if (stream_ != nullptr) std::fclose(stream_);
        if (!committed_) std::remove(temporary_.c_str());
    }

    void write(std::span<std::byte const> bytes) {
        errno = 0;
        if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), stream_) != bytes.size())
            broken(joined("to write ", bytes.size(), " bytes"));
    }

    /// Hands the bytes to the disk, then renames: after a crash the target is the old file or the new one.
    void commit() {
        errno = 0;
        bool done = std::fflush(stream_) == 0;
#if __has_include(<unistd.h>)
        // EINVAL: a file system that cannot sync, where there is nothing more to wait for.
        done = done && (::fsync(::fileno(stream_)) == 0 || errno == EINVAL);
#endif
        if (!done) broken("to write to the disk");
        if (std::fclose(std::exchange(stream_, nullptr)) != 0) broken("to write to the disk");
        std::error_code error;
        std::filesystem::rename(temporary_, target_, error);
        if (error) fail(Error{target_, "", "to replace this file", error.message()});
        committed_ = true;
    }

private:
    [[noreturn]] void broken(std::string expected) const {
        fail(Error{target_, "", std::move(expected), std::generic_category().message(errno)});
    }

    std::string target_, temporary_;
    std::FILE* stream_ = nullptr;
    bool committed_ = false;
};

} // namespace detail
} // namespace inlay::inline INLAY_ISA
