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
    Progress(bool wanted, std::uint64_t steps) : steps_(steps), shown_(wanted && on_terminal()) {}

    void step(int epoch, std::uint64_t done, std::uint64_t rows, double loss) {
        if (!shown_) return;
        auto const now = Clock::now();
        bool const last = done == steps_;
        if (!last && now - drawn_ < std::chrono::milliseconds(100)) return;
        drawn_ = now;
        double const seconds = std::chrono::duration<double>(now - start_).count();
        double const left = seconds / double(done) * double(steps_ - done);
        std::fprintf(stderr, "\repoch %d  step %llu/%llu  loss %.4f  %.0f rows/s  %.0f s left   ", epoch,
                     static_cast<unsigned long long>(done), static_cast<unsigned long long>(steps_), loss,
                     double(rows) / seconds, left);
        if (last) std::fputc('\n', stderr);
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
    std::uint64_t steps_;
    bool shown_;
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
