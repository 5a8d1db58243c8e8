// What training and serving call, as functions whose machine code is read: no indirect call, no allocation.
#include <inlay/inlay.hpp>

using namespace inlay;

using Person =
    Record<Numeric<"age", Buckets<18, 25, 30, 35, 40, 45, 50, 55, 60, 65>>, Categorical<"workclass", 16>,
           Categorical<"education", 32>, Categorical<"occupation", 32>,
           Numeric<"capital_gain", LogBuckets<20>>, MultiHot<"hobbies", 32, 4>,
           History<"jobs", 8, SameAs<"occupation">>, Categorical<"native_country", 64>>;
using Wide =
    Cross<Hashed<1 << 12>, Each, Of<"education", "occupation">, Of<"age", "education", "occupation">>;
using Deep = Stack<Embed<8>, Flatten, Dense<64>, Relu, Dropout<0.1>, Dense<32>, Relu, Dense<1>>;
using Census = Model<Person, Sum<Wide, Deep>>;

using Talk =
    Model<Tokens<32, 100>,
          Tied<Embed<16>, Repeat<3, PreNorm<Dense<32>, Gelu, Dense<16>>, PreNorm<SwiGlu<24>>>, RmsNorm>>;
using Filter = Model<Sequence<64, 8>, Dense<32>, PreNorm<Dense<32>>, MeanPool, Dense<1>>;

constexpr int rows = 16;
template <class M> using TapeOf = typename M::Block::template Tape<rows>;
template <class M> using GradsOf = typename M::Block::template Grads<rows>;
template <class M> using Input = In<typename M::Input, typename M::Scalar>;
template <class M> using Output = Out<typename M::Output, typename M::Scalar>;

template <class M>
void forward(Context<> const& c, typename M::Params const& p, Input<M> x, Output<M> y, TapeOf<M>& tape,
             Scratch s) {
    M::Block::forward(c, p, x, y, tape, s);
}
template <class M>
void backward(Context<> const& c, typename M::Params const& p, Input<M> x, Output<M> dy,
              TapeOf<M> const& tape, GradsOf<M>& g, Scratch s) {
    M::Block::backward(c, p, x, tape, dy, NoGrad{}, g, s);
}

extern "C" {
void census_forward(Context<> const&, Census::Params const&, Input<Census>, Output<Census>, TapeOf<Census>&,
                    Scratch);
void census_forward(Context<> const& c, Census::Params const& p, Input<Census> x, Output<Census> y,
                    TapeOf<Census>& tape, Scratch s) {
    forward<Census>(c, p, x, y, tape, s);
}
void census_backward(Context<> const&, Census::Params const&, Input<Census>, Output<Census>,
                     TapeOf<Census> const&, GradsOf<Census>&, Scratch);
void census_backward(Context<> const& c, Census::Params const& p, Input<Census> x, Output<Census> dy,
                     TapeOf<Census> const& tape, GradsOf<Census>& g, Scratch s) {
    backward<Census>(c, p, x, dy, tape, g, s);
}
float census_infer(Network<Census> const&, Person::Row const&, Workspace<Census, Batch<1>>&);
float census_infer(Network<Census> const& net, Person::Row const& row, Workspace<Census, Batch<1>>& ws) {
    return net.infer(row, ws)[0];
}
void census_forward_tokens(Context<> const&, Talk::Params const&, Input<Talk>, Output<Talk>, TapeOf<Talk>&,
                           Scratch);
void census_forward_tokens(Context<> const& c, Talk::Params const& p, Input<Talk> x, Output<Talk> y,
                           TapeOf<Talk>& tape, Scratch s) {
    forward<Talk>(c, p, x, y, tape, s);
}
void census_backward_tokens(Context<> const&, Talk::Params const&, Input<Talk>, Output<Talk>,
                            TapeOf<Talk> const&, GradsOf<Talk>&, Scratch);
void census_backward_tokens(Context<> const& c, Talk::Params const& p, Input<Talk> x, Output<Talk> dy,
                            TapeOf<Talk> const& tape, GradsOf<Talk>& g, Scratch s) {
    backward<Talk>(c, p, x, dy, tape, g, s);
}
void census_step_tokens(Talk::Params const&, Talk::State&, int, float*);
void census_step_tokens(Talk::Params const& p, Talk::State& state, int token, float* y) {
    Talk::step(p, state, token, std::span<float, 100>(y, 100));
}
float census_step_stream(Filter::Params const&, Filter::State&, float const*);
float census_step_stream(Filter::Params const& p, Filter::State& state, float const* x) {
    float y[1];
    Filter::step(p, state, std::span<float const, 8>(x, 8), y);
    return y[0];
}
}
