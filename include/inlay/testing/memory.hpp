// SPDX-License-Identifier: BSD-3-Clause
// Guarded memory, and numbers carried between flat vectors and padded rows.
#pragma once

#include <inlay/testing/bound.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <new>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

/// Bytes on a 64-byte line between two lines that nobody may write.
class Guarded {
public:
    Guarded(std::size_t n, unsigned char fill)
        : size_(n), room_(lines(n) + 128),
          at_(static_cast<std::byte*>(::operator new(room_, std::align_val_t(64)))) {
        std::memset(at_, canary, room_);
        std::memset(data(), fill, n);
    }
    Guarded(Guarded const&) = delete;
    Guarded& operator=(Guarded const&) = delete;
    ~Guarded() { ::operator delete(at_, std::align_val_t(64)); }

    std::byte* data() noexcept { return at_ + 64; }
    std::size_t size() const noexcept { return size_; }
    template <class T> T* as() noexcept { return reinterpret_cast<T*>(data()); }
    void fill(unsigned char with) noexcept { std::memset(data(), with, size_); }
    bool intact() const noexcept {
        for (std::size_t i = 0; i < 64; ++i)
            if (at_[i] != std::byte(canary)) return false;
        for (std::size_t i = 64 + size_; i < room_; ++i)
            if (at_[i] != std::byte(canary)) return false;
        return true;
    }
    /// The law of memory: nothing was written outside.
    void check(Law const& law, char const* what) const {
        ++law.report.checks;
        if (!intact()) law.fail(what, "bytes written outside", "none");
    }

private:
    static constexpr unsigned char canary = 0xA5;
    std::size_t size_, room_;
    std::byte* at_;
};
/// All bytes 0xFF: NaN in every number.
inline constexpr unsigned char not_a_number = 0xFF;

template <class T> void to_rows(double const* from, T* to, std::size_t n, int width, int stride) {
    for (std::size_t r = 0; r < n; ++r)
        for (int i = 0; i < stride; ++i)
            to[r * std::size_t(stride) + std::size_t(i)] =
                i < width ? T(from[r * std::size_t(width) + std::size_t(i)]) : T(0);
}
template <class T> void from_rows(T const* from, Numbers& to, std::size_t n, int width, int stride) {
    to.resize(n * std::size_t(width));
    for (std::size_t r = 0; r < n; ++r)
        for (int i = 0; i < width; ++i)
            to[r * std::size_t(width) + std::size_t(i)] =
                double(from[r * std::size_t(stride) + std::size_t(i)]);
}
/// The law of pads: n written rows have zeros behind their width, and rows behind them are untouched (NaN).
template <class T>
void check_pads(Law const& law, char const* what, T const* rows, std::size_t n, std::size_t room, int width,
                int stride) {
    for (std::size_t r = 0; r < n; ++r)
        for (int i = width; i < stride; ++i) {
            T const v = rows[r * std::size_t(stride) + std::size_t(i)];
            ++law.report.checks;
            if (!(v == T(0)))
                law.fail(std::string(what) + ", row " + std::to_string(r) + ", pad lane " + std::to_string(i),
                         double(v), 0);
        }
    for (std::size_t k = n * std::size_t(stride); k < room * std::size_t(stride); ++k)
        if (!std::isnan(rows[k]))
            law.fail(std::string(what) + " behind the true count of rows", double(rows[k]), std::nan(""));
}
/// The law of pads for what `visit` shows of parameters or gradients.
template <class T> void check_tensor_pads(Law const& law, std::string const& name, TensorRef<T> const& t) {
    if (t.layout == Layout::packed || t.id) return;
    int const width = t.layout == Layout::transposed ? t.rows : t.width;
    for (int r = 0; r < t.stored_rows(); ++r)
        for (int i = width; i < t.stride; ++i) {
            double const v = double(t.data[std::ptrdiff_t(r) * t.stride + i]);
            ++law.report.checks;
            if (!(v == 0)) law.fail("pad of " + name, v, 0);
        }
}
template <class T> void set_tensor(TensorRef<T> const& t, double const* from) {
    for (int r = 0; r < t.rows; ++r)
        for (int i = 0; i < t.width; ++i) t(r, i) = T(*from++);
}
template <class T> void get_tensor(TensorRef<T> const& t, double* to) {
    for (int r = 0; r < t.rows; ++r)
        for (int i = 0; i < t.width; ++i) *to++ = double(t(r, i));
}
/// Prepares a gradient: dense ones hold `value`, slots are empty with NaN in them.
template <class T> void prefill(TensorRef<T> const& t, double value) {
    clear(t);
    for (int r = 0; r < t.rows; ++r)
        for (int i = 0; i < t.width; ++i) t(r, i) = t.id ? std::numeric_limits<T>::quiet_NaN() : T(value);
}
/// Adds slots up into their table; copies dense gradients, which held `before`, and finds changes without a
/// mark.
template <class T>
void merge(Law const& law, TensorInfo const& info, TensorRef<T> const& t, double before, double* to) {
    if (!t.id) {
        for (int r = 0; t.touched && r < t.rows; ++r)
            for (int i = 0; i < t.width; ++i)
                if (!t.touched[r] && t(r, i) != T(before))
                    law.fail("row " + std::to_string(r) + " of " + info.name, "no mark",
                             "a mark, as it was added to");
        return get_tensor(t, to);
    }
    for (int s = 0; s < t.rows; ++s) {
        if (t.id[s] < -1 || t.id[s] >= info.rows)
            law.fail("slot " + std::to_string(s) + " of " + info.name, std::to_string(t.id[s]),
                     "a row of the table");
        else if (t.id[s] >= 0)
            for (int i = 0; i < t.width; ++i) to[t.id[s] * info.width + i] += double(t(s, i));
    }
}
inline std::string path_text(Path const& p) {
    if (!p.outer) return p.name ? p.name : "";
    std::string const before = path_text(*p.outer);
    return (before.empty() ? "" : before + ".") + (p.name ? std::string(p.name) : std::to_string(p.index));
}

/// Counts allocations while it lives.
class NoAllocation {
public:
    NoAllocation(Law law, char const* what) : law_(std::move(law)), what_(what), before_(now()) {}
    NoAllocation(NoAllocation const&) = delete;
    NoAllocation& operator=(NoAllocation const&) = delete;
    ~NoAllocation() {
        std::size_t const n = now() - before_;
        ++law_.report.checks;
        if (n) law_.fail(what_, std::to_string(n) + " allocations", "none");
    }

private:
    static std::size_t now() noexcept { return allocations ? allocations() : 0; }
    Law law_;
    char const* what_;
    std::size_t before_;
};

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
