// A stream whose rule changes. Keys are drawn at random, each is followed by its value, and which value a key
// has is drawn anew every so often. A model is trained on such streams; then it reads a long one, twice with
// the same weights: as it is, and with a memory that no longer takes steps. What is counted is how often the
// most likely next id is the value, by how often the key has been seen since the rule changed.
//
//     surprise [training steps]
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace inlay;

constexpr int T = 96, keys = 8, values = 8, V = keys + values, D = 32;
using Learning = Memory<Heads<2>, Chunk<4>, Depth<1>, StepSize<1>>;
using Reader = Model<Tokens<T, V>, Tied<Embed<D>, PreNorm<Learning>, PreNorm<SwiGlu<2 * D>>, RmsNorm>>;
static_assert(sizeof(Reader::Block::State) < 16 * 1024); // whatever the stream's length

/// Keys and values in turns.
class Stream {
public:
    Stream(std::uint64_t seed, int pairs_a_rule) : key_(Key{seed}), pairs_(pairs_a_rule) {}
    /// Called for a key; `value` is its value from here on.
    int next_key() {
        if (at_ % std::uint64_t(pairs_) == 0)
            for (int k = 0; k < keys; ++k) value_[k] = keys + draw(values), seen_[k] = 0;
        ++at_;
        now_ = draw(keys);
        return now_;
    }
    int value() const { return value_[now_]; }
    int times_seen() { return seen_[now_]++; }

private:
    int draw(int n) { return int(key_.below(std::uint64_t(n), draws_++)); }
    Key key_;
    int pairs_, now_ = 0, value_[keys] = {}, seen_[keys] = {};
    std::uint64_t at_ = 0, draws_ = 0;
};

Rows<Tokens<T, V>> lessons(std::uint64_t seed, int windows) {
    Rows<Tokens<T, V>> rows;
    Stream stream(seed, T / 4); // two rules a window
    for (int i = 0; i < windows * T / 2; ++i) {
        rows.id.push_back(stream.next_key());
        rows.id.push_back(stream.value());
    }
    rows.id.push_back(stream.next_key());
    return rows;
}

struct Right {
    int often[4] = {}, of[4] = {}; // by how often the key was seen before: 0, 1, 2 or 3, more
    void operator()(int seen, bool right) {
        int const i = std::min(seen, 3);
        often[i] += right, ++of[i];
    }
};
Right read(Reader::Params const& params, int pairs) {
    auto const state = std::make_unique<Reader::State>();
    reset<Reader>(*state);
    Stream stream(77, 100);
    Right right;
    float scores[V];
    for (int i = 0; i < pairs; ++i) {
        Reader::step(params, *state, stream.next_key(), scores);
        int const guess = int(std::max_element(scores + keys, scores + V) - scores);
        right(stream.times_seen(), guess == stream.value());
        Reader::step(params, *state, stream.value(), scores);
    }
    return right;
}
void print(char const* name, Right const& r) {
    std::printf("%-18s", name);
    for (int i = 0; i < 4; ++i) std::printf("  %5.1f %%", 100.0 * r.often[i] / std::max(r.of[i], 1));
    std::printf("\n");
}

int main(int argc, char** argv) try {
    bool const smoke = std::getenv("INLAY_SMOKE") != nullptr;
    int const steps = argc > 1 ? std::atoi(argv[1]) : smoke ? 20 : 4000;
    auto net = Network<Reader>(Seed{1});
    auto const rows = lessons(5, smoke ? 200 : 16'000);
    auto trainer = Trainer<Reader, CrossEntropy, Batch<32>, AdamW>(
        net, {.learning_rate = 3e-3, .schedule = Cosine{.warmup = 50}, .clip = {.norm = 1}});
    trainer.fit(rows, {.steps = std::uint64_t(steps), .progress = !smoke});

    int const pairs = smoke ? 2000 : 100'000;
    std::printf("\nvalues guessed, %d ids, a new rule every 200\n", 2 * pairs);
    std::printf("seen since then:       never     once    twice     more\n");
    print("memory learning", read(net.params(), pairs));
    auto frozen = std::make_unique<Reader::Params>(net.params());
    Reader::Block::visit(*frozen, Path{}, [](auto, Path const& at, Kind, auto const& t) {
        bool const of_theta = at.outer && at.outer->name && std::string_view(at.outer->name) == "theta",
                   of_alpha = at.outer && at.outer->name && std::string_view(at.outer->name) == "alpha";
        if ((of_theta || of_alpha) && std::string_view(at.name) == "bias")
            for (int i = 0; i < t.width; ++i) t(0, i) = -1000; // steps of nothing, and nothing forgotten
    });
    print("memory frozen", read(*frozen, pairs));
} catch (Error const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
