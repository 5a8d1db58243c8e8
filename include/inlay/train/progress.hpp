// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace inlay::inline INLAY_ISA {

namespace detail {
/// One line on a terminal: epoch, step, loss, rate and time left. Nothing where stderr is a file or a pipe.
class Progress {
public:
    Progress(bool wanted, std::uint64_t done, std::uint64_t steps)
        : before_(done), steps_(steps), shown_(wanted && on_terminal()) {}
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;
    ~Progress() {
        if (drawn_ != Clock::time_point{}) std::fputc('\n', stderr);
    }

    /// `done` of the steps, and `rows` since the line began.
    void step(int epoch, std::uint64_t done, std::uint64_t rows, double loss) {
        if (!shown_) return;
        auto const now = Clock::now();
        if (done != steps_ && now - drawn_ < std::chrono::milliseconds(100)) return;
        drawn_ = now;
        double const seconds = std::chrono::duration<double>(now - start_).count();
        double const left = seconds / double(done - before_) * double(steps_ - done);
        std::fprintf(stderr, "\repoch %d  step %llu/%llu  loss %.4f  %.0f rows/s  %.0f s left   ", epoch,
                     static_cast<unsigned long long>(done), static_cast<unsigned long long>(steps_), loss,
                     double(rows) / seconds, left);
        std::fflush(stderr);
    }

private:
    using Clock = std::chrono::steady_clock;
    static bool on_terminal() {
#if defined(_WIN32)
        return _isatty(_fileno(stderr)) != 0;
#else
        return isatty(STDERR_FILENO) != 0;
#endif
    }
    Clock::time_point start_ = Clock::now(), drawn_{};
    std::uint64_t before_, steps_;
    bool shown_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
