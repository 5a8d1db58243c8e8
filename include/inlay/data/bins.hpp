// SPDX-License-Identifier: BSD-3-Clause
// Bins of a number, learned from the numbers of a column and, if wanted, from what they are to predict.
#pragma once

#include <inlay/core/numeric.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <span>
#include <utility>
#include <vector>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A number and the target of its row.
struct Sample {
    double x;
    float target;
};

/// By number; among equal ones by target, so that their order in the file plays no part.
inline void sort_samples(std::span<Sample> samples) {
    std::sort(samples.begin(), samples.end(),
              [](Sample const& a, Sample const& b) { return a.x != b.x ? a.x < b.x : a.target < b.target; });
}

/// Bins t = 1 ... T between edges b_0 < ... < b_T: b_{t-1} <= x < b_t, the first open below, the last above.
class Bins {
public:
    Bins() = default;
    /// Edges in rising order, without equals, two at least.
    explicit Bins(std::vector<double> edges) : edges_(std::move(edges)) {}

    int count() const noexcept { return int(edges_.size()) - 1; }
    std::vector<double> const& edges() const noexcept { return edges_; }
    /// 1 + the number of inner edges <= x.
    std::int32_t id(double x) const noexcept {
        return 1 +
               std::int32_t(std::upper_bound(edges_.begin() + 1, edges_.end() - 1, x) - edges_.begin() - 1);
    }
    /// Where x lies in bin t on the scale of `curve`: 0 at its lower edge, 1 at its upper one.
    template <class Curve> double part(double x, std::int32_t t, Curve curve) const noexcept {
        double const low = curve(edges_[std::size_t(t) - 1]), high = curve(edges_[std::size_t(t)]);
        return high > low ? (curve(x) - low) / (high - low) : 0; // a curve may round two edges into one
    }

private:
    std::vector<double> edges_{0, 1};
};

/// Inner edges and the range of sorted samples as bins. Without samples, and where all are equal, there is
/// one bin.
inline Bins bins_between(std::span<Sample const> sorted, std::vector<double> inner) {
    if (sorted.empty()) return {};
    double const least = sorted.front().x, greatest = sorted.back().x;
    if (least == greatest) return Bins{{least, least + std::max(1.0, std::abs(least))}};
    std::sort(inner.begin(), inner.end());
    std::vector<double> edges{least};
    for (double const e : inner)
        if (e > edges.back() && e < greatest) edges.push_back(e);
    edges.push_back(greatest);
    return Bins{std::move(edges)};
}

/// Between two neighbours a < b: an edge above a and not above b.
inline double between(double a, double b) noexcept {
    double const middle = a + (b - a) / 2;
    return middle > a ? middle : b;
}

/// At most n bins with edges at the quantiles i / n, linear between neighbours. A quantile that is the least
/// or the greatest number itself moves halfway to the next one, so that a number which fills a bin by itself
/// has one to itself.
inline Bins quantile_bins(std::span<Sample const> sorted, int n) {
    std::vector<double> inner;
    for (int i = 1; i < n && !sorted.empty(); ++i) {
        double const at = double(sorted.size() - 1) * i / n;
        auto const k = std::size_t(at);
        double const a = sorted[k].x, b = sorted[std::min(k + 1, sorted.size() - 1)].x;
        double edge = a + (b - a) * (at - double(k));
        if (edge == sorted.front().x) {
            auto const next = std::partition_point(sorted.begin(), sorted.end(),
                                                   [&](Sample const& s) { return s.x <= edge; });
            if (next != sorted.end()) edge = between(edge, next->x);
        } else if (edge == sorted.back().x) {
            auto const first = std::partition_point(sorted.begin(), sorted.end(),
                                                    [&](Sample const& s) { return s.x < edge; });
            edge = between((first - 1)->x, edge);
        }
        inner.push_back(edge);
    }
    return bins_between(sorted, std::move(inner));
}

/// At most n bins, the leaves of a regression tree: the bin is cut next whose cut takes most off the squared
/// deviation of the targets from their bin's mean (for targets 0 and 1 that is the Gini index), between two
/// different numbers, with at least `least` samples on either side; of equal cuts the first.
inline Bins target_bins(std::span<Sample const> sorted, int n, int least) {
    std::vector<double> sums(sorted.size() + 1); // of the targets before each
    for (std::size_t i = 0; i < sorted.size(); ++i) sums[i + 1] = sums[i] + double(sorted[i].target);
    struct Leaf {
        double gain;
        std::size_t begin, cut, end;
        bool operator<(Leaf const& o) const noexcept {
            return gain != o.gain ? gain < o.gain : begin > o.begin;
        }
    };
    auto const explained = [&](std::size_t begin, std::size_t end) {
        double const sum = sums[end] - sums[begin];
        return sum * sum / double(end - begin);
    };
    std::priority_queue<Leaf> leaves;
    auto const grow = [&](std::size_t begin, std::size_t end) {
        double const whole = end > begin ? explained(begin, end) : 0;
        Leaf best{1e-9 * whole, begin, begin, end}; // less than that is rounding
        auto const margin = std::size_t(least);
        for (std::size_t cut = begin + margin; cut + margin <= end; ++cut) {
            if (sorted[cut - 1].x == sorted[cut].x) continue;
            double const gain = explained(begin, cut) + explained(cut, end) - whole;
            if (gain > best.gain) best.gain = gain, best.cut = cut;
        }
        if (best.cut > begin) leaves.push(best);
    };
    grow(0, sorted.size());
    std::vector<double> inner;
    while (!leaves.empty() && int(inner.size()) + 1 < n) {
        Leaf const leaf = leaves.top();
        leaves.pop();
        inner.push_back(between(sorted[leaf.cut - 1].x, sorted[leaf.cut].x));
        grow(leaf.begin, leaf.cut);
        grow(leaf.cut, leaf.end);
    }
    return bins_between(sorted, std::move(inner));
}

/// What the Encoder learns of a column for one kind of edges.
template <int N> Bins learn_bins(Quantiles<N>, std::vector<Sample> samples) {
    sort_samples(samples);
    return quantile_bins(samples, N);
}
template <int N, int Least> Bins learn_bins(TargetBins<N, Least>, std::vector<Sample> samples) {
    sort_samples(samples);
    return target_bins(samples, N, Least);
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
