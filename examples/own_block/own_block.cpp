// A block of one's own: a leaky integrator, h_t = a h_(t-1) + (1 - a) x_t, with a learned a = sigmoid(w).
#include <inlay/inlay.hpp>
#include <inlay/testing.hpp>

using namespace inlay;

struct Leak {
    using Wanted = a_sequence; // said where another shape than that of `out` comes in
    template <int T, int D> static Tag<Shape<T, D>> out(Tag<Shape<T, D>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Leak;
        using Output = I;
        using T = typename R::type;
        static constexpr int D = I::width, L = I::rows, parameters = D;
        static constexpr bool streams = true;
        struct Params {
            Tensor<R, 1, D> w;
        };
        template <int> using Grads = Params;
        template <int B> struct Tape {
            Tensor<R, B * L, D> before; // h_(t-1): backward may not read what forward wrote to y
        };
        struct State {
            Tensor<R, 1, D> h;
        };
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Leak>{}, Path{&at, "w"}, Kind::vector, p.w.ref());
        }
        template <class C> static void initialize(C const& c, Params& p) noexcept {
            for (int i = 0; i < D; ++i) p.w[0][i] = T(1 + c.key.normal(std::uint64_t(i)));
        }
        template <class C>
        static void step(C const&, Params const& p, State& s, T const* x, T* y, Scratch) noexcept {
            for (int i = 0; i < D; ++i) y[i] = s.h[0][i] += (1 - sigmoid(p.w[0][i])) * (x[i] - s.h[0][i]);
            kernels::clear_pads(y, D, In<I, R>::stride);
        }
        template <class C, class Tp>
        static void forward(C const& c, Params const& p, In<I, R> x, Out<I, R> y, Tp& tape,
                            Scratch s) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                auto const* in = c.template state_in<State>(b);
                State now = in ? *in : State{};
                for (int t = 0; t < x.length(b); ++t) {
                    if constexpr (is_recording<Tp>) std::copy_n(now.h[0], D, tape.before[b * L + t]);
                    step(c, p, now, x(b, t), y(b, t), s);
                }
                for (int t = x.length(b); t < L; ++t) kernels::clear(y(b, t), y.stride);
                if (auto* last = c.template state_out<State>(b)) *last = now;
            }
        }
        template <class C, class Tp, class DX, class G>
        static void backward(C const& c, Params const& p, In<I, R> x, Tp const& tape, In<I, R> dy, DX dx,
                             G& g, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                auto const* later = c.template d_state_out<State>(b);
                State d = later ? *later : State{};
                if constexpr (wants_grad<DX>) kernels::clear(dx(b), std::ptrdiff_t(L) * DX::stride);
                for (int t = x.length(b); t-- > 0;)
                    for (int i = 0; i < D; ++i) {
                        T const a = sigmoid(p.w[0][i]), dh = d.h[0][i] + dy(b, t)[i];
                        g.w[0][i] += dh * (tape.before[b * L + t][i] - x(b, t)[i]) * a * (1 - a);
                        if constexpr (wants_grad<DX>) dx(b, t)[i] = dh * (1 - a);
                        d.h[0][i] = dh * a;
                    }
                if (auto* earlier = c.template d_state_in<State>(b)) *earlier = d;
            }
        }
    };
};
using Smooth = Model<Sequence<7, 5>, Leak, Dense<3>, Repeat<2, PreNorm<Leak>>>;
static_assert(Smooth::streams && Smooth::parameters == 5 + 18 + 2 * (3 + 3));

int main() {
    auto report = check_laws<Leak, Sequence<7, 5>>();
    report.add(check_laws<Stack<Leak, Dense<3>, Repeat<2, PreNorm<Leak>>>, Sequence<7, 5>>());
    std::printf("%d checks: %s\n", report.checks, report.text().c_str());
    return report.ok() ? 0 : 1;
}
