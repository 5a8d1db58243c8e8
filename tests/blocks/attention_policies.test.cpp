// SPDX-License-Identifier: BSD-3-Clause
// Any two policies of attention either go together, and then a configuration shows it, or one refuses the
// other, and then the page says so: no pair is neither.
#include "attention_pairs.hpp"

#include <fstream>
#include <set>

namespace {
using namespace pairs;

// As the page calls them.
std::string name(Tag<KvHeads<1>>) { return "KvHeads"; }
std::string name(Tag<Bidirectional>) { return "Bidirectional"; }
std::string name(Tag<Prefix<3>>) { return "Prefix"; }
std::string name(Tag<Window<4>>) { return "Window"; }
std::string name(Tag<BlockWindow<2, 1>>) { return "BlockWindow"; }
std::string name(Tag<Sinks<2>>) { return "Sinks"; }
std::string name(Tag<Rope<>>) { return "Rope"; }
std::string name(Tag<Turned>) { return "Rope<Interleaved>"; }
std::string name(Tag<Alibi>) { return "Alibi"; }
std::string name(Tag<LearnedAlibi>) { return "LearnedAlibi"; }
std::string name(Tag<QkNorm>) { return "QkNorm"; }
std::string name(Tag<QkUnit>) { return "QkUnit"; }
std::string name(Tag<Softcap<3>>) { return "Softcap"; }
std::string name(Tag<OffByOne>) { return "OffByOne"; }
std::string name(Tag<SinkLogit>) { return "SinkLogit"; }
std::string name(Tag<SinkKeys<2>>) { return "SinkKeys"; }
std::string name(Tag<Forgetting>) { return "Forgetting"; }
std::string name(Tag<Sparsemax>) { return "Sparsemax"; }
std::string name(Tag<Entmax15>) { return "Entmax15"; }
std::string name(Tag<Differential>) { return "Differential"; }
std::string name(Tag<Selective>) { return "Selective"; }
std::string name(Tag<OutputGate<Headwise>>) { return "OutputGate<Headwise>"; }
std::string name(Tag<OutputGate<Elementwise>>) { return "OutputGate<Elementwise>"; }
std::string name(Tag<Bias>) { return "Bias"; }
std::string name(Tag<QkvBias>) { return "QkvBias"; }
std::string name(Tag<Series>) { return "ScoredBy<Approximate>"; }
std::string name(Tag<Alone>) { return "ScoredBy<NonApproximate>"; }
std::string name(Tag<Embedded>) { return "ScoredBy<StaticEmbQK>"; }
std::string name(Tag<Beside>) { return "ScoredBy<FixedSeqQK>"; }
std::string name(Tag<Apart>) { return "Documents"; }

template <class A, class B>
constexpr bool together =
    inlay::detail::fits<inlay::detail::Problem<SoftmaxAttn<Heads<2>, A, B>, Sequence<rows, width>>>;
template <class A, class B, class... C> bool shown(List<C...>) {
    return ((C::template has<A> && C::template has<B>) || ...);
}

using Pairs = std::set<std::set<std::string>>;

template <class A, class B> void look(Pairs& refused) {
    std::set<std::string> const pair{name(Tag<A>{}), name(Tag<B>{})};
    CAPTURE(name(Tag<A>{}));
    CAPTURE(name(Tag<B>{}));
    bool const same_kind = std::is_same_v<inlay::detail::PolicyKindOf<A>, inlay::detail::PolicyKindOf<B>>;
    if (same_kind) CHECK(!together<A, B>);
    else if (together<A, B>)
        CHECK(
            (shown<A, B>(First{}) || shown<A, B>(Second{}) || shown<A, B>(Third{}) || shown<A, B>(Fourth{})));
    else refused.insert(pair);
}
void look_at(List<>, Pairs&) {}
template <class A, class... B> void look_at(List<A, B...>, Pairs& refused) {
    (look<A, B>(refused), ...);
    look_at(List<B...>{}, refused);
}

/// Words in backticks.
std::vector<std::string> words(std::string const& cell) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
        auto const end = cell.find('`', at + 1);
        found.push_back(cell.substr(at + 1, end - at - 1));
        at = end + 1;
    }
    return found;
}
/// The rows of the page's table of what does not go together.
Pairs said_refused() {
    Pairs said;
    std::ifstream page("docs/attention.md");
    std::string line;
    bool there = false;
    while (std::getline(page, line)) {
        if (line.starts_with("| this ")) there = true;
        if (there && !line.starts_with("|")) break;
        if (!there || !line.starts_with("| `")) continue;
        auto const second = line.find('|', 1), third = line.find('|', second + 1);
        for (auto const& a : words(line.substr(0, second)))
            for (auto const& b : words(line.substr(second, third - second))) said.insert({a, b});
    }
    return said;
}
} // namespace

TEST_CASE("two policies of attention go together, or the page says that they do not") {
    Pairs const said = said_refused();
    Pairs refused;
    look_at(All{}, refused);
    CHECK(said.size() > 10);
    for (auto const& pair : refused) {
        CAPTURE(*pair.begin());
        CAPTURE(*pair.rbegin());
        CHECK(said.count(pair) == 1);
    }
    for (auto const& pair : said) {
        CAPTURE(*pair.begin());
        CAPTURE(*pair.rbegin());
        CHECK(refused.count(pair) == 1);
    }
}
