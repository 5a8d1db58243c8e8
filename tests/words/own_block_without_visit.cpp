// words: inlay: a block with Params has a visit and an initialize of its own
// words: Scale
#include <inlay/inlay.hpp>

using namespace inlay;

struct Scale {
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Scale;
        using Output = I;
        struct Params {
            Tensor<R, 1, 1> w;
        };
#ifndef MISTAKE
        template <class P, class F> static void visit(P& p, Path const& at, F&& f) {
            f(Tag<Scale>{}, Path{&at, "w"}, Kind::vector, p.w.ref());
        }
        template <class C> static void initialize(C const&, Params& p) noexcept { p.w[0][0] = 1; }
#endif
    };
};

using Block = Scale::Block<Vector<5>, Native>;

int main() {
    Block::Params params{};
    Block::visit(params, Path{}, [](auto, Path const&, Kind, auto) {});
}
