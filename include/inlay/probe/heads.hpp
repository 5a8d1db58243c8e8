// SPDX-License-Identifier: BSD-3-Clause
// What heads of attention do: copy, rest on a sink, spread; and models without some of them.
#pragma once

#include <inlay/io/name_map.hpp>
#include <inlay/probe/attention_map.hpp>

namespace inlay::inline INLAY_ISA {

/// The mean entropy of a head's queries.
inline double mean_entropy(AttentionMap const& map, int head) noexcept {
    double sum = 0;
    for (int t = 0; t < map.tokens; ++t) sum += map.entropy(head, t);
    return map.tokens > 0 ? sum / map.tokens : 0;
}
/// What a head's queries leave on the first tokens, and for no token at all, in the mean over queries behind
/// these tokens (attention sinks, arXiv 2309.17453).
inline double sink_mass(AttentionMap const& map, int head, int first_tokens = 1) noexcept {
    double sum = 0;
    for (int t = first_tokens; t < map.tokens; ++t) {
        for (int j = 0; j < first_tokens; ++j) sum += map.at(head, t, j);
        sum += map.elsewhere(head, t);
    }
    return map.tokens > first_tokens ? sum / (map.tokens - first_tokens) : 0;
}

/// The places of a needle's tokens in a text: [begin, end).
struct Needle {
    int begin = 0, end = 0;
};

/// Which heads copy (arXiv 2404.15574). A head copies a token of the needle where the model writes that token
/// while the head looks at it most. Its score is the part of the needle that it copied, in the mean over
/// tests; heads from 0.1 on are called retrieval heads.
class RetrievalScores {
public:
    /// One test: a text with a needle in it, which the model went on writing, greedily, from the place
    /// `written`. A needle or a place outside of the text is an Error.
    template <class M>
    void add(Network<M> const& net, std::span<std::int32_t const> ids, Needle needle, int written) {
        int const n = int(ids.size());
        if (needle.begin < 0 || needle.end <= needle.begin || needle.end > written || written > n)
            detail::fail(Error("", "needle", "0 <= begin < end <= written <= " + std::to_string(n),
                               std::to_string(needle.begin) + ", " + std::to_string(needle.end) + ", " +
                                   std::to_string(written)));
        ++tests_;
        each_attention_map(net, ids, [&](AttentionMap const& map) {
            auto const layer = std::size_t(map.layer);
            if (layer == heads_.size()) heads_.emplace_back(std::size_t(map.heads));
            for (int h = 0; h < map.heads; ++h) {
                std::set<int> copied;
                for (int t = written - 1; t + 1 < n; ++t) {
                    int const j = map.strongest(h, t);
                    if (j >= needle.begin && j < needle.end && ids[std::size_t(j)] == ids[std::size_t(t) + 1])
                        copied.insert(j);
                }
                auto& head = heads_[layer][std::size_t(h)];
                head.score += double(copied.size()) / (needle.end - needle.begin);
                head.active += !copied.empty();
            }
        });
    }
    int tests() const noexcept { return tests_; }
    int layers() const noexcept { return int(heads_.size()); }
    int heads(int layer) const { return int(heads_.at(std::size_t(layer)).size()); }
    double score(int layer, int head) const { return of(layer, head).score / tests_; }
    /// The share of tests in which the head copied at least one token.
    double active(int layer, int head) const { return of(layer, head).active / tests_; }

private:
    struct Head {
        double score = 0, active = 0;
    };
    Head const& of(int layer, int head) const { return heads_.at(std::size_t(layer)).at(std::size_t(head)); }
    std::vector<std::vector<Head>> heads_;
    int tests_ = 0;
};

namespace detail {
struct AttentionLayer {
    std::string place; ///< with `{}` for repetitions
    int heads, width;
};
/// Every block of attention of a model as it is written; those within a Repeat once.
template <class M> std::vector<AttentionLayer> attention_layers() {
    std::vector<AttentionLayer> all;
    M::Block::describe(Path{}, 1, [&]<class B>(Path const& at, Tag<B>, int) {
        if constexpr (is_attention<typename B::Spec>) {
            std::string place = to_string(at);
            for (auto star = place.find('*'); star != std::string::npos; star = place.find('*'))
                place.replace(star, 1, "{}");
            all.push_back({place, B::H, B::d});
        }
    });
    return all;
}
} // namespace detail

/// Silences a head: what it gives no longer reaches the model. Layers are those of an attention map. One that
/// the model does not have is an Error.
template <class M> void prune_head(Network<M>& net, int layer, int head) {
    auto const layers = detail::attention_layers<M>();
    int at = 0;
    bool pruned = false;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        for (auto const& l : layers)
            if (detail::numerals_in(t.name, l.place + ".o.weight") && at++ == layer) {
                if (head < 0 || head >= l.heads)
                    detail::fail(
                        Error("", "head", "0 to " + std::to_string(l.heads - 1), std::to_string(head)));
                for (int r = 0; r < t.ref.rows; ++r)
                    for (int i = 0; i < l.width; ++i) t.ref(r, head * l.width + i) = 0;
                pruned = true;
            }
    if (!pruned)
        detail::fail(Error("", "layer of attention", "one of " + std::to_string(at), std::to_string(layer)));
}

} // namespace inlay::inline INLAY_ISA
