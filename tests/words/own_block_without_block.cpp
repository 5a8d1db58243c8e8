// words: inlay: blocks do not fit
// words: Misfit<.*Twice, .*Place<1>
// words: Got<.*no_block>
// words: a_template_Block_of_an_input_and_numbers
#include <inlay/inlay.hpp>

using namespace inlay;

struct Twice {
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);
#ifndef MISTAKE
    template <class I, class R> struct Block : Relu::Block<I, R> {};
#endif
};

using Net = Model<Vector<4>, Dense<3>, Twice>;

int main() {
    Net::Params params;
    initialize<Net>(params, Seed{1});
}
