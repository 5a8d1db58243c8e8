// SPDX-License-Identifier: BSD-3-Clause
// From a line to a hybrid in ten steps, over one series: y_t = 0.5 x_t + x_(t-5), which only models with a
// memory learn.
#include <inlay/inlay.hpp>
#include <inlay/train.hpp>

#include <cstdio>

using namespace inlay;

constexpr int T = 16;
using Series = Sequence<T, 1>;

// 1. A line: one weight, one bias, each token by itself.
using Line = Model<Series, Dense<1>>;
// 2. A curve: a hidden layer. Each size is said once, widths follow.
using Curve = Model<Series, Dense<16>, Tanh, Dense<1>>;
// 3. The same with a shorter name.
using Deep = Model<Series, BasicMlp<Gelu, 16, 16, 1>>;
// 4. A little past: four taps. It still streams: its state is three tokens.
using Filter = Model<Series, CausalConv1d<4, Channels<16>, Bias>, Tanh, Dense<1>>;
// 5. As much past as it wants to keep.
using Recurrent = Model<Series, Gru<16>, Dense<1>>;
// 6. Exact memory: every token looks at all before it.
using Attentive = Model<Series, Dense<16>, LearnedPosition, PreNorm<SoftmaxAttn<Heads<2>>>, Dense<1>>;
// 7. Bounded memory of the same kind: linear attention, whose state does not grow.
using Fading = Model<Series, Dense<16>, PreNorm<LinearAttn<Heads<2>>>, Dense<1>>;
// 8. Deeper: a loop, so compile time does not grow with it.
template <class Mixer> using Layers = Repeat<2, PreNorm<Mixer>, PreNorm<SwiGlu<16>>>;
using Transformer = Model<Series, Dense<16>, Layers<SoftmaxAttn<Heads<2>, Rope<10'000>>>, RmsNorm, Dense<1>>;
// 9. Two ways side by side; a gate says for each token how much of which.
using Mix = Gate<SoftmaxAttn<Heads<2>, Rope<10'000>, Window<8>>, LinearAttn<Heads<2>>>;
using Blend = Model<Series, Dense<16>, PreNorm<Mix>, Dense<1>>;
// 10. The hybrid: mostly bounded memory, exact attention now and then, all of it one type.
using Local = Stack<PreNorm<LinearAttn<Heads<2>>>, PreNorm<SwiGlu<16>>>;
using Global = Stack<PreNorm<SoftmaxAttn<Heads<2>, Rope<10'000>>>, PreNorm<SwiGlu<16>>>;
using Hybrid = Model<Series, Dense<16>, Repeat<1, Local, Local, Global>, RmsNorm, Dense<1>>;

// What is a constant can be asked of the compiler.
static_assert(Line::parameters == 2);
static_assert(Filter::streams && Hybrid::streams);
static_assert(sizeof(Recurrent::State) < sizeof(Attentive::State));

template <class M> void tell(char const* name) {
    std::printf("%-12s %5lld parameters, %8.0f flops a series, %6zu bytes a stream\n", name, M::parameters,
                M::flops, sizeof(typename M::State));
}

static Rows<Series> series(int n, Seed seed) {
    auto rows = Rows<Series>::random(std::size_t(n), seed, T);
    rows.length.clear(); // all of them are T long
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t t = 0; t < T; ++t)
            rows.target[i * T + t] = 0.5f * rows[i][t] + (t < 5 ? 0 : rows[i][t - 5]);
    return rows;
}
template <class M> double train(char const* name, Rows<Series> const& rows) {
    auto net = Network<M>(Seed{1});
    auto trainer = Trainer<M, MeanSquaredError, Batch<32>, AdamW>(net, {.learning_rate = 1e-2});
    auto const report = trainer.fit(rows, {.epochs = 24, .validation = 0.2});
    std::printf("%-12s trained: squared error %.4f\n", name, report.validation);
    return report.validation;
}

int main() {
    tell<Line>("line"), tell<Curve>("curve"), tell<Deep>("deep"), tell<Filter>("filter"),
        tell<Recurrent>("recurrent");
    tell<Attentive>("attentive"), tell<Fading>("fading"), tell<Transformer>("transformer"),
        tell<Blend>("blend");
    tell<Hybrid>("hybrid");
    auto const rows = series(1000, Seed{2});
    double const line = train<Line>("line", rows), recurrent = train<Recurrent>("recurrent", rows),
                 hybrid = train<Hybrid>("hybrid", rows);
    return recurrent < line / 2 && hybrid < line / 2 ? 0 : 1;
}
