// SPDX-License-Identifier: BSD-3-Clause
// Sparse attention of one head of 64 numbers beside causal attention over as many pairs of a query and a key,
// forward and back; what choosing costs stands apart. Causal attention is shorter at
// equal pairs and stays in nearer caches; a window of the same length has the same way to memory.
#include "harness.hpp"

#include <inlay/inlay.hpp>

#include <sys/mman.h>

namespace {

using namespace bench;
using namespace inlay;

constexpr int d = 64;

/// One head of a block of attention with everything that its kernels read.
template <class Spec, int n> class Head {
public:
    using Block = typename Spec::template Block<Sequence<n, d>, Native>;
    using Rows = typename Block::Rows;
    using Weights = typename Block::Weights;
    using Choice = typename Block::Choice;

    Head() : room_(2 * Block::scratch(1) + sizeof(float) * (8 * n * d + Weights::backward_room)) {
        Scratch s{room_.get()};
        auto const some = [&](std::size_t m) {
            float* const at = reinterpret_cast<float*>(s.template take<std::byte>(detail::apart(4 * m)));
            for (std::size_t i = 0; i < m; ++i) at[i] = draw();
            return at;
        };
        rows_ = Rows::take(s), drows_ = Rows::take(s);
        for (int t = 0; t < n; ++t)
            for (int i = 0; i < d; ++i)
                rows_.q(0, t)[i] = 3 * draw(), rows_.k(0, t)[i] = 3 * draw(), rows_.v(0, t)[i] = draw();
        rows_.begin(nullptr, n);
        choice_ = Choice::take(Context<>{}, s);
        out_ = some(n * d), dout_ = some(n * d), kept_ = some(n), mean_ = some(n);
        space_ = some(std::max(Weights::room, Weights::backward_room));
        choose(), forward(), backward();
    }
    Head(Head const&) = delete;
    Head& operator=(Head const&) = delete;

    void choose() {
        if constexpr (Choice::used) Choice::choose(0, rows_, n, choice_);
    }
    void forward() {
        Weights::forward(rows_.head(0, 0, n, 0.125f), kernels::Scores<>{}, static_cast<float const*>(nullptr),
                         out_, d, kept_, space_, choice_);
    }
    void backward() {
        kernels::row_products<W>(n, d, out_, d, dout_, d, mean_);
        drows_.clear_keys(n);
        Weights::backward(rows_.head(0, 0, n, 0.125f), kernels::Scores<>{}, dout_, d, kept_, mean_,
                          drows_.query(0, 0), drows_.key(0, 0), drows_.value(0), space_, choice_);
    }
    static constexpr double pairs() { return Choice::pairs(); }

private:
    /// In pages of 2 MB, which most systems give to large blocks unasked: rows at random would be looked up
    /// in two caches otherwise, that of pages too.
    static constexpr std::align_val_t page{2 << 20};
    struct Free {
        void operator()(std::byte* p) const { ::operator delete[](p, page); }
    };
    struct Room {
        explicit Room(std::size_t bytes) : at(static_cast<std::byte*>(::operator new[](bytes, page))) {
#if defined(MADV_HUGEPAGE)
            madvise(at.get(), bytes, MADV_HUGEPAGE);
#endif
            std::fill_n(at.get(), bytes, std::byte{});
        }
        std::byte* get() const { return at.get(); }
        std::unique_ptr<std::byte, Free> at;
    } room_;
    Rows rows_, drows_;
    [[no_unique_address]] std::conditional_t<Choice::used, typename Choice::Room, detail::NothingChosen>
        choice_;
    float *out_, *dout_, *kept_, *mean_, *space_;
};

/// The length at which causal attention has as many pairs.
constexpr int as_long(double pairs) {
    int n = 1;
    while (double(n) * (n + 1) / 2 < pairs) ++n;
    return n;
}

template <class Pattern, int n> void beside_dense(char const* name) {
    using Sparse = Head<SparseAttn<Causal, Pattern>, n>;
    constexpr double pairs = Sparse::pairs();
    using Dense = Head<SoftmaxAttn<Causal>, as_long(pairs)>;
    using Windowed = Head<SoftmaxAttn<Window<int(pairs / n)>>, n>;
    Sparse sparse;
    Dense dense;
    Windowed windowed;
    char line[96];
    auto const race_of = [&](char const* what, double flops, std::vector<Contestant> const& all) {
        std::snprintf(line, sizeof line, "%s, T=%d, %s", name, n, what);
        race(line, flops, all);
    };
    race_of("forward", 4.0 * d * pairs,
            {{"sparse", [&] { sparse.forward(); }},
             {"causal", [&] { dense.forward(); }},
             {"window", [&] { windowed.forward(); }}});
    race_of("backward", 10.0 * d * pairs,
            {{"sparse", [&] { sparse.backward(); }},
             {"causal", [&] { dense.backward(); }},
             {"window", [&] { windowed.backward(); }}});
    if (Sparse::Choice::choosing() > 0)
        race_of("choosing", Sparse::Choice::choosing(),
                {{"choosing", [&] { sparse.choose(); }}, {"forward", [&] { sparse.forward(); }}});
}

/// Time a token at one budget: 4 n tokens beside four times n, of which more have less than their budget
/// before them.
template <class Pattern, int n> void by_length(char const* name) {
    Head<SparseAttn<Causal, Pattern>, n> brief;
    Head<SparseAttn<Causal, Pattern>, 4 * n> extended;
    char line[96];
    std::snprintf(line, sizeof line, "%s, four times T=%d beside T=%d with %.2f times the pairs", name, n,
                  4 * n, extended.pairs() / (4 * brief.pairs()));
    race(line, 16.0 * d * brief.pairs(),
         {{"T",
           [&] {
               for (int i = 0; i < 4; ++i) brief.forward();
           }},
          {"4 T", [&] { extended.forward(); }}});
}

} // namespace

int main(int count, char** arguments) {
    begin(count, arguments);
    heading("sparse attention beside causal attention over as many pairs");
    beside_dense<TopBlocks<8, 64>, 4096>("8 blocks of 64");
    beside_dense<TopBlocks<8, 64>, 16384>("8 blocks of 64");
    beside_dense<TopBlocks<4, 128>, 4096>("4 blocks of 128");
    beside_dense<TopBlocks<4, 128>, 16384>("4 blocks of 128");
    beside_dense<BigBird<64>, 4096>("BigBird of 64");
    beside_dense<BigBird<64>, 16384>("BigBird of 64");
    heading("time by length at one budget");
    by_length<TopBlocks<8, 64>, 1024>("8 blocks of 64");
    by_length<TopBlocks<8, 64>, 4096>("8 blocks of 64");
    by_length<BigBird<64>, 4096>("BigBird of 64");
    by_length<LocalTokens<512>, 4096>("the last 512");
}
