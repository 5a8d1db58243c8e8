// SPDX-License-Identifier: BSD-3-Clause
// How much sparse attention leaves out.
#pragma once

#include <inlay/blocks/sparse_attn.hpp>
#include <inlay/probe/attention_heads.hpp>
#include <inlay/probe/watch.hpp>

namespace inlay::inline INLAY_ISA {

/// What one layer of SparseAttn asked over one sequence of T tokens.
struct AttainedSparsity {
    std::string place; ///< of the block, as names of tensors have it
    int layer = 0;     ///< layers of SparseAttn before it
    int tokens = 0;
    double all = 0;            ///< pairs of a query and a key in full attention: T (T + 1) / 2, T^2 both ways
    std::vector<double> pairs; ///< those of each head of queries
    double choosing = 0;       ///< operations of choosing them, of all heads, where there are T tokens

    /// 1 - pairs / all of a head.
    double of(int head) const { return all > 0 ? 1 - pairs.at(std::size_t(head)) / all : 0; }
    /// The mean over heads.
    double mean() const {
        double sum = 0;
        for (std::size_t h = 0; h < pairs.size(); ++h) sum += of(int(h));
        return pairs.empty() ? 0 : sum / double(pairs.size());
    }
};

namespace detail {
template <class Spec> inline constexpr bool is_sparse_attn = false;
template <class... P> inline constexpr bool is_sparse_attn<SparseAttn<P...>> = true;

class SparsityWatch {
public:
    std::vector<AttainedSparsity> all;

    void enter(Path const& place) { place_.enter(place); }
    template <class Block, class C, class P, class X, class Y> void leave(C const& c, P const& p, X x, Y) {
        if constexpr (is_sparse_attn<typename Block::Spec>) all.push_back(count<Block>(c, p, x));
        place_.leave();
    }

private:
    PlaceNow place_;

    template <class A, class C, class P, class X> AttainedSparsity count(C const& c, P const& p, X x) const {
        using Choice = typename A::Choice;
        auto const room = aligned_bytes(A::scratch(1) + A::Sides::scratch(1));
        Scratch s{room.get()};
        auto side = A::Sides::take(s, 1);
        auto rows = A::Rows::take(s);
        auto chosen = Choice::take(c, s);
        lay_heads<A>(c, p, x, side, rows, s);
        int const n = x.length(0);
        AttainedSparsity seen{place_.text(),
                              int(all.size()),
                              n,
                              A::Spec::Keys::streams ? n * (n + 1.0) / 2 : double(n) * n,
                              {},
                              A::H * Choice::choosing()};
        for (int h = 0; h < A::H; ++h) {
            auto const head = rows.head(h, 0, n, 1);
            if constexpr (Choice::used) {
                Choice::choose(h, rows, n, chosen);
                seen.pairs.push_back(double(A::Weights::pairs(head, chosen)));
            } else seen.pairs.push_back(double(pairs_seen(head)));
        }
        return seen;
    }
};
} // namespace detail

/// Runs one sequence, ids or a view, and tells of every layer of SparseAttn, in the order in which they run,
/// how many pairs of a query and a key its heads asked.
template <class M, class X> std::vector<AttainedSparsity> sparsity(Network<M> const& net, X const& x) {
    detail::SparsityWatch observer;
    watch(net, x, observer);
    return observer.all;
}

} // namespace inlay::inline INLAY_ISA
