// SPDX-License-Identifier: BSD-3-Clause
// How few numbers a hidden vector puts its weight on: less familiar inputs are written more sparsely (arXiv
// 2603.03415).
#pragma once

#include <inlay/model/summary.hpp>
#include <inlay/probe/watch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

namespace inlay::inline INLAY_ISA {

/// Measures of a vector h of n numbers, with a = |h|. Of sparser vectors the first three are smaller, the
/// others larger; all are 0 for zeros. `l1` depends on the length of h, the others do not.
struct Concentration {
    double l1 = 0;             ///< sum of a
    double effective_rank = 0; ///< exp(-sum p log p) / n with p = a^2 / sum a^2
    double participation = 0;  ///< (sum a^2)^2 / (n sum a^4)
    double top1 = 0, top5 = 0,
           top10 = 0; ///< share of a^2 in the largest 1, 5 and 10 % of the numbers, at least one
    double hoyer = 0; ///< (sqrt n - |h|_1 / |h|_2) / (sqrt n - 1)
    double gini = 0;  ///< 2 sum i a_(i) / (n sum a) - (n + 1) / n, a ascending
};

/// The share of the squares in the largest of the numbers, `part` of them and at least one.
template <class T> double top_energy(std::span<T const> h, double part) {
    std::vector<double> squares;
    double all = 0, top = 0;
    for (T const x : h) squares.push_back(double(x) * double(x)), all += squares.back();
    if (all == 0) return 0;
    auto const k = std::max<std::size_t>(1, std::size_t(part * double(h.size())));
    std::nth_element(squares.begin(), squares.begin() + std::ptrdiff_t(k - 1), squares.end(),
                     std::greater<>{});
    for (std::size_t i = 0; i < k; ++i) top += squares[i];
    return top / all;
}

/// All measures of one vector.
template <class T> Concentration concentration_of(std::span<T const> h) {
    Concentration s;
    std::vector<double> a;
    double squares = 0, fourth = 0;
    for (T const x : h) {
        a.push_back(std::abs(double(x)));
        double const e = a.back() * a.back();
        s.l1 += a.back(), squares += e, fourth += e * e;
    }
    if (!(squares > 0)) return {};
    double const n = double(h.size());
    double entropy = 0, ranked = 0;
    std::sort(a.begin(), a.end());
    for (std::size_t i = 0; i < a.size(); ++i) {
        double const p = a[i] * a[i] / squares;
        if (p > 0) entropy -= p * std::log(p);
        ranked += double(i + 1) * a[i];
    }
    s.effective_rank = std::exp(entropy) / n;
    s.participation = squares * squares / (n * fourth);
    s.top1 = top_energy(h, 0.01), s.top5 = top_energy(h, 0.05), s.top10 = top_energy(h, 0.10);
    s.hoyer = n > 1 ? (std::sqrt(n) - s.l1 / std::sqrt(squares)) / (std::sqrt(n) - 1) : 0;
    s.gini = 2 * ranked / (n * s.l1) - (n + 1) / n;
    return s;
}

/// What a block wrote: the vector, or the last row of the sequence.
struct BlockConcentration {
    std::string place, block;
    Concentration measures;
};

namespace detail {
class ConcentrationWatch {
public:
    void enter(Path const& place) { place_.enter(place); }
    template <class Block, class C, class P, class X, class Y> void leave(C const&, P const&, X, Y y) {
        if constexpr (is_numbers<typename Block::Output>)
            if (int const n = y.length(0); n > 0) {
                char brief[44];
                short_name(type_name<typename Block::Spec>(), brief);
                using T = std::remove_cvref_t<decltype(*y.data)>;
                std::span<T const> const last(y(0, n - 1), std::size_t(Y::width));
                all.push_back({place_.text(), brief, concentration_of(last)});
            }
        place_.leave();
    }
    std::vector<BlockConcentration> all;

private:
    PlaceNow place_;
};
} // namespace detail

/// Runs one row, ids or a view, and tells of every block, as it ends, how sparse its last vector is. Of
/// hidden layers behind a norm the measures can be compared between inputs.
template <class M, class X> std::vector<BlockConcentration> concentration(Network<M> const& net, X const& x) {
    detail::ConcentrationWatch observer;
    watch(net, x, observer);
    return observer.all;
}

} // namespace inlay::inline INLAY_ISA
