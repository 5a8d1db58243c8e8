// SPDX-License-Identifier: BSD-3-Clause
// Honest timing on a machine that is not quiet: every contestant and a loop of nothing but FMAs take turns,
// round after round, and what is reported are medians of ratios within a round, never of times from different
// minutes.
#pragma once

#include <inlay/core/shape.hpp>
#include <inlay/simd/vec.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace bench {

inline constexpr int W = inlay::native_lanes<float>;

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
/// From here on the compiler knows nothing about memory.
inline void clobber() { __asm__ volatile("" ::: "memory"); }

/// Flops a second of twelve independent sums: as many as hide the latency of two FMA units.
inline double peak() {
    using V = inlay::simd::vec<float, W>;
    V s[12], x(0.5f), y(0.25f);
    inlay::simd::pin(y); // or GCC reads it from memory for every FMA, and the loop is slower than FMAs are
    INLAY_UNROLL for (int i = 0; i < 12; ++i) s[i] = V(0.1f * float(i));
    constexpr int turns = 12000;
    double const begin = now();
    for (int t = 0; t < turns; ++t) {
        __asm__ volatile("" : "+m"(x)); // a new factor every turn, for all that the compiler knows
        INLAY_UNROLL for (int i = 0; i < 12; ++i) s[i] = inlay::simd::fma(s[i], x, y);
    }
    double const seconds = now() - begin;
    V sum(0.0f);
    INLAY_UNROLL for (int i = 0; i < 12; ++i) sum += s[i];
    float const volatile sink = inlay::simd::sum(sum);
    static_cast<void>(sink);
    return turns * 12.0 * W * 2 / seconds;
}

inline double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.empty() ? 0 : v[v.size() / 2];
}

/// Zero-filled floats on a 64-byte line.
class Floats {
public:
    explicit Floats(std::size_t n)
        : data_(static_cast<float*>(::operator new[](n * sizeof(float), std::align_val_t(64)))), size_(n) {
        std::fill_n(data_.get(), n, 0.0f);
    }
    operator float*() const { return data_.get(); }
    std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(float* p) const { ::operator delete[](p, std::align_val_t(64)); }
    };
    std::unique_ptr<float[], Free> data_;
    std::size_t size_;
};
inline float draw() {
    static std::uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return float(state >> 8) / float(1 << 24) - 0.5f;
}
/// A row's stride as the library lays it out: whole vectors, and never a multiple of 4 KB.
inline int stride(int width) { return inlay::detail::row_stride<inlay::Native>(width); }
inline int padded(int n) { return inlay::detail::padded(n, W); }

/// One way of doing the work that is measured; the loop is inside, so that calling it costs nothing.
struct Contestant {
    std::string name;
    std::function<void(int)> run; ///< so many times
    template <class F>
    Contestant(std::string n, F once)
        : name(std::move(n)), run([once](int times) {
              for (int i = 0; i < times; ++i) {
                  once();
                  clobber();
              }
          }) {}
};

struct Options {
    int rounds = 31;
    double seconds = 150e-6; ///< of one turn
    std::string only;        ///< lines that do not hold this are skipped
};
inline Options& options() {
    static Options o;
    return o;
}

/// The first contestant is ours. Prints: | what | ns | % of peak |, and with others | best peer | best / ours
/// | every peer / ours |
inline void race(std::string const& what, double flops, std::vector<Contestant> const& all) {
    if (what.find(options().only) == std::string::npos) return;
    std::vector<int> turns;
    for (auto const& c : all) { // warm, and find how many calls make a turn
        c.run(1);
        int n = 1;
        for (;; n *= 2) {
            double const begin = now();
            c.run(n);
            if (now() - begin > options().seconds / 2) break;
        }
        turns.push_back(n);
    }
    std::vector<std::vector<double>> time(all.size()), ratio(all.size());
    std::vector<double> part;
    for (int r = 0; r < options().rounds; ++r) {
        double const before = peak();
        for (std::size_t c = 0; c < all.size(); ++c) {
            double const begin = now();
            all[c].run(turns[c]);
            time[c].push_back((now() - begin) / turns[c]);
        }
        double const limit = (before + peak()) / 2;
        part.push_back(flops / time[0].back() / limit);
        for (std::size_t c = 1; c < all.size(); ++c) ratio[c].push_back(time[c].back() / time[0].back());
    }
    std::size_t best = 0;
    std::string others;
    for (std::size_t c = 1; c < all.size(); ++c) {
        if (!best || median(ratio[c]) < median(ratio[best])) best = c;
        char text[64];
        std::snprintf(text, sizeof text, "%s%s %.2f", c > 1 ? ", " : "", all[c].name.c_str(),
                      median(ratio[c]));
        others += text;
    }
    std::printf("| %s | %.1f | %.0f |", what.c_str(), median(time[0]) * 1e9, 100 * median(part));
    if (best) std::printf(" %s | %.2f | %s |", all[best].name.c_str(), median(ratio[best]), others.c_str());
    std::printf("\n");
    std::fflush(stdout);
}
/// The head of a table; one contestant alone is measured by the FMA loop only.
inline void heading(char const* title, bool alone = false) {
    std::printf("\n### %s\n\n| what | ns | %% of FMA peak |%s\n| --- | ---: | ---: |%s\n", title,
                alone ? "" : " best peer | best peer / inlay | peer / inlay |",
                alone ? "" : " --- | ---: | --- |");
}

/// Reads the options, and begins again without what would slow a peer down: some environments name OpenBLAS a
/// core that is not this one, and then it is three times slower than it can be.
inline void begin(int count, char** arguments) {
    bool again = false;
    for (char const* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"})
        if (std::getenv(name)) again = unsetenv(name) == 0;
    for (char const* name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"})
        if (!std::getenv(name)) again = setenv(name, "1", 1) == 0;
    if (again) execv("/proc/self/exe", arguments);
    for (int i = 1; i < count; ++i) {
        std::string const a = arguments[i];
        if (a.starts_with("--rounds=")) options().rounds = std::atoi(a.c_str() + 9);
        else options().only = a;
    }
}

} // namespace bench
