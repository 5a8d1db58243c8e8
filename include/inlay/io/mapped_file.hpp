// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>
#if __has_include(<sys/mman.h>) && !defined(INLAY_NO_MMAP)
#define INLAY_HAS_MMAP 1
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#define INLAY_HAS_MMAP 0
#endif

namespace inlay::inline INLAY_ISA {

/// The bytes of a file, read-only, for as long as this lives. Where the system can map files into memory the
/// file may be larger than memory; elsewhere, with INLAY_NO_MMAP, and for what is no plain file (a pipe), all
/// of it is read. A mapped file must not be cut short meanwhile: the system ends a program that reads past
/// the end. (Files that are written anew and renamed, as inlay does, are safe.) Throws Error for a file that
/// cannot be read.
class MappedFile {
public:
    explicit MappedFile(std::string path) : path_(std::move(path)) {
        Stream const stream = open();
#if INLAY_HAS_MMAP
        if (map(::fileno(stream.get()))) return;
#endif
        read(stream.get());
    }
    MappedFile(MappedFile&& other) noexcept
        : path_(std::move(other.path_)), bytes_(std::move(other.bytes_)),
          data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)),
          mapped_(std::exchange(other.mapped_, false)) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        if (this != &other) {
            std::destroy_at(this);
            std::construct_at(this, std::move(other));
        }
        return *this;
    }
    ~MappedFile() {
#if INLAY_HAS_MMAP
        if (mapped_) ::munmap(const_cast<char*>(data_), size_);
#endif
    }

    std::string_view text() const noexcept { return {data_, size_}; }
    std::string const& path() const noexcept { return path_; }

private:
    [[noreturn]] void unreadable(int code) const {
        detail::fail(
            Error(path_, "", "a file to read", std::generic_category().message(code == 0 ? EIO : code)));
    }

    /// Opened once: a pipe that is closed ends its writer.
    using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    Stream open() const {
        errno = 0;
#if INLAY_HAS_MMAP
        int const number = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        Stream stream{number < 0 ? nullptr : ::fdopen(number, "rb"), &std::fclose};
#else
        Stream stream{std::fopen(path_.c_str(), "rb"), &std::fclose};
#endif
        if (!stream) unreadable(errno);
        return stream;
    }
#if INLAY_HAS_MMAP
    /// False for what cannot be mapped: pipes, devices, the empty file, file systems that refuse.
    bool map(int number) {
        struct stat about;
        if (::fstat(number, &about) != 0) unreadable(errno);
        if (S_ISDIR(about.st_mode)) unreadable(EISDIR);
        if (!S_ISREG(about.st_mode) || about.st_size <= 0) return false;
        auto const size = static_cast<std::size_t>(about.st_size);
        void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, number, 0);
        if (at == MAP_FAILED) return false;
        ::madvise(at, size, MADV_SEQUENTIAL); // advice only
        data_ = static_cast<char const*>(at);
        size_ = size;
        return mapped_ = true;
    }
#endif
    void read(std::FILE* stream) {
        errno = 0;
        std::error_code unknown; // a pipe has no size
        if (auto const size = std::filesystem::file_size(path_, unknown); !unknown)
            bytes_.reserve(static_cast<std::size_t>(size));
        char part[1 << 14];
        for (std::size_t got; (got = std::fread(part, 1, sizeof part, stream)) > 0;)
            bytes_.insert(bytes_.end(), part, part + got);
        if (std::ferror(stream)) unreadable(errno);
        bytes_.shrink_to_fit(); // the sanitizers see a read past the end
        data_ = bytes_.data();
        size_ = bytes_.size();
    }

    std::string path_;
    std::vector<char> bytes_;
    char const* data_ = nullptr;
    std::size_t size_ = 0;
    bool mapped_ = false;
};

} // namespace inlay::inline INLAY_ISA
