// SPDX-License-Identifier: BSD-3-Clause
// Few numbers that are thousands of times as large as the others around them (arXiv 2402.17762).
#pragma once

#include <inlay/model/summary.hpp>
#include <inlay/probe/watch.hpp>

#include <algorithm>
#include <cmath>
#include <span>

namespace inlay::inline INLAY_ISA {

/// How many numbers are above `absolute` in size, and at least `relative` times the median size of all.
template <class T>
int count_massive(std::span<T const> numbers, double absolute = 100, double relative = 1000) {
    if (numbers.empty()) return 0;
    std::vector<double> size;
    for (T const x : numbers) size.push_back(std::abs(double(x)));
    auto const middle = size.begin() + std::ptrdiff_t((size.size() - 1) / 2);
    std::nth_element(size.begin(), middle, size.end());
    double const median = *middle;
    return int(std::count_if(numbers.begin(), numbers.end(), [&](T x) {
        return std::abs(double(x)) > absolute && std::abs(double(x)) >= relative * median;
    }));
}

/// What a block wrote over one sequence.
struct BlockActivations {
    std::string place, block;
    int massive = 0;           ///< as count_massive counts them
    double greatest = 0;       ///< in size
    int token = 0, number = 0; ///< where the greatest is
};

namespace detail {
class ActivationWatch {
public:
    ActivationWatch(double absolute, double relative) : absolute_(absolute), relative_(relative) {}
    void enter(Path const& place) { place_.enter(place); }
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const&, X, Y y) {
        if constexpr (is_numbers<typename Block::Output>) {
            char brief[44];
            short_name(type_name<typename Block::Spec>(), brief);
            BlockActivations seen{place_.text(), brief};
            std::vector<std::remove_cvref_t<decltype(*y.data)>> numbers;
            for (int t = 0, n = y.length(0); t < n; ++t)
                for (int i = 0; i < Y::width; ++i) {
                    numbers.push_back(y(0, t)[i]);
                    if (double const size = std::abs(double(y(0, t)[i])); size > seen.greatest)
                        seen.greatest = size, seen.token = t, seen.number = i;
                }
            seen.massive = count_massive(std::span<typename decltype(numbers)::value_type const>(numbers),
                                         absolute_, relative_);
            all.push_back(seen);
        }
        place_.leave();
    }
    std::vector<BlockActivations> all;

private:
    PlaceNow place_;
    double absolute_, relative_;
};
} // namespace detail

/// Runs one sequence, ids or a view, and tells of every block, as it ends, how large its numbers are.
template <class M, class X>
std::vector<BlockActivations> activations(Network<M> const& net, X const& x, double absolute = 100,
                                          double relative = 1000) {
    detail::ActivationWatch observer(absolute, relative);
    watch(net, x, observer);
    return observer.all;
}

} // namespace inlay::inline INLAY_ISA
