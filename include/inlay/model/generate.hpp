// SPDX-License-Identifier: BSD-3-Clause
// Text from a model of tokens: a prompt read at once, then token by token.
#pragma once

#include <inlay/model/network.hpp>
#include <inlay/model/sample.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace inlay::inline INLAY_ISA {

/// What `generate` is told.
struct GenerateOptions {
    int tokens = 100; ///< at most
    float temperature = 1;
    int top_k = 0;
    float top_p = 1;
    float min_p = 0;
    std::uint64_t seed = 0; ///< the same seed gives the same tokens from the same state
    int stop = -1;          ///< the id that ends it, which is not given back; -1: none

    SampleOptions sampling() const noexcept { return {temperature, top_k, top_p, min_p}; }
};

namespace detail {
/// True of a model that maps ids below V to V scores each.
template <class M> consteval bool scores_tokens() {
    if constexpr (is_ids<typename M::Input> && is_sequence<typename M::Output>)
        return M::Input::rows == M::Output::rows && M::Input::vocabulary == M::Output::width;
    else return false;
}
template <class M> constexpr int vocabulary_of() {
    if constexpr (scores_tokens<M>()) return M::Output::width;
    else return 1;
}
} // namespace detail

/// Reads and writes tokens for one stream at a time: what it needs is allocated when it is made, nothing
/// later. The network must outlive it, and its weights may change.
///
/// A prompt runs through `forward` in pieces of at most T tokens with the state carried, and what is written
/// through `step`; to rounding that is the same as stepping all the way. Cost of a prompt: that of forward
/// for one row of T tokens, the scores of all of them included. Memory: a Workspace, a state and V numbers.
template <class M> class Generator {
public:
    using T = typename M::T;
    static constexpr int vocabulary = detail::vocabulary_of<M>();
    static_assert(detail::scores_tokens<M>(),
                  "inlay: generate wants a model from Tokens<T, V> to scores [T, V]");
    static_assert(detail::streams_through<typename M::Blocker>{}, "inlay: a block has no streaming form");

    explicit Generator(Network<M> const& net)
        : net_(&net), carried_(detail::aligned_bytes(sizeof(Carried))), scores_(new T[vocabulary]{}),
          sampler_(vocabulary) {}

    /// Reads tokens; `scores()` are then those of what follows. An id that is not below V is an Error, and
    /// the state is then as it was.
    void read(typename M::State& state, std::span<std::int32_t const> ids) {
        check(ids);
        while (ids.size() > 1) {
            auto const n = std::min(ids.size(), std::size_t(M::Input::rows));
            read_piece(state, ids.first(n));
            ids = ids.subspan(n);
        }
        if (!ids.empty()) M::step(net_->params(), state, ids[0], next());
    }
    /// Of the token behind the last that was read.
    std::span<T const, std::size_t(vocabulary)> scores() const noexcept {
        return std::span<T const, std::size_t(vocabulary)>(scores_.get(), std::size_t(vocabulary));
    }
    /// Reads a prompt, which has at least one token, and writes at most `o.tokens`, each of which `each(id)`
    /// gets as it comes. Returns how many. The state has then read all of them, so that a further prompt goes
    /// on from there. The draw at place p of the stream depends on the seed and p.
    template <class Each>
    int operator()(typename M::State& state, std::span<std::int32_t const> prompt, GenerateOptions const& o,
                   Each&& each) {
        detail::check_options(o.sampling());
        if (prompt.empty()) detail::fail(Error("", "prompt", "at least one token", "none"));
        if (o.tokens < 0) detail::fail(Error("", "tokens", "0 or more", std::to_string(o.tokens)));
        read(state, prompt);
        Key const key{o.seed};
        for (int n = 0; n < o.tokens; ++n) {
            std::int32_t const id = sampler_.draw<T>(std::span<T const>(scores()), o.sampling(),
                                                     key.uniform(std::uint64_t(state.position)));
            if (id == o.stop) return n;
            each(id);
            M::step(net_->params(), state, id, next());
        }
        return o.tokens;
    }

private:
    using R = typename M::Scalar;
    using Carried = typename M::Block::State;

    std::span<T, std::size_t(vocabulary)> next() noexcept {
        return std::span<T, std::size_t(vocabulary)>(scores_.get(), std::size_t(vocabulary));
    }
    static void check(std::span<std::int32_t const> ids) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (ids[i] < 0 || ids[i] >= vocabulary)
                detail::fail(Error("", "prompt, token " + std::to_string(i),
                                   "an id from 0 to " + std::to_string(vocabulary - 1),
                                   std::to_string(ids[i])));
    }
    void read_piece(typename M::State& state, std::span<std::int32_t const> ids) noexcept {
        auto const n = std::int32_t(ids.size());
        Context<> c{.rows = 1, .capacity = 1, .position = &state.position, .depth = M::depth};
        c.carry.in = reinterpret_cast<std::byte const*>(&state.carried);
        c.carry.out = carried_.get();
        In<typename M::Input, R> const x{ids.data(), 0, Lengths{&n, 0}};
        Out<typename M::Output, R> const y{workspace_.output(), Lengths{&n, 0}};
        NoTape none;
        M::Block::forward(c, net_->params(), x, y, none, workspace_.scratch());
        if constexpr (!std::is_empty_v<Carried>) // an empty one shares its byte with others
            std::memcpy(static_cast<void*>(&state.carried), carried_.get(), sizeof(Carried));
        std::copy_n(y(0, n - 1), vocabulary, scores_.get());
        state.position += n;
    }

    Network<M> const* net_;
    Workspace<M> workspace_;
    detail::AlignedBytes carried_;
    std::unique_ptr<T[]> scores_;
    Sampler sampler_;
};

/// The ids that a model writes behind a prompt. One call's buffers are freed at its end: `Generator` keeps
/// them for the next.
template <class M>
std::vector<std::int32_t> generate(Network<M> const& net, typename M::State& state,
                                   std::span<std::int32_t const> prompt,
                                   GenerateOptions const& options = {}) {
    std::vector<std::int32_t> ids;
    Generator<M>{net}(state, prompt, options, [&](std::int32_t id) { ids.push_back(id); });
    return ids;
}
/// The bytes that a model of bytes, of at most 256 ids, writes behind a prompt.
template <class M>
std::string generate(Network<M> const& net, typename M::State& state, std::string_view prompt,
                     GenerateOptions const& options = {}) {
    static_assert(detail::vocabulary_of<M>() <= 256, "inlay: generate writes text for models of bytes");
    std::vector<std::int32_t> ids;
    for (char const c : prompt) ids.push_back(static_cast<unsigned char>(c));
    std::string text;
    Generator<M>{net}(state, ids, options, [&](std::int32_t id) { text += static_cast<char>(id); });
    return text;
}

} // namespace inlay::inline INLAY_ISA
