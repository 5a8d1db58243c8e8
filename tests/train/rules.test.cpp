// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/train.hpp>

#include <doctest/doctest.h>

using namespace inlay;

namespace {

using Visit = Record<Categorical<"a", 10>, Categorical<"b", 6>>;
using Wide = Cross<Hashed<32>, Each>;
using WideDeep = Model<Visit, Sum<Wide, Stack<Embed<4>, Flatten, Dense<3>, Relu, Dense<1>>>>;

/// "name:rule" of every parameter.
template <class M, class O> std::string rules(TrainOptions<O> const& options = {}) {
    Network<M> net(Seed{1});
    Trainer<M, BinaryCrossEntropy, Batch<4>, O> const trainer(net, options);
    std::string all;
    for (auto const& p : trainer.parameters())
        all += (all.empty() ? "" : " ") + p.name + ":" + std::to_string(p.rule);
    return all;
}
template <class M, class O> std::string refusal(TrainOptions<O> const& options = {}) {
    try {
        return "accepted " + rules<M, O>(options);
    } catch (Error const& e) { return e.what(); }
}

} // namespace

TEST_CASE("one optimizer moves everything") {
    CHECK(rules<WideDeep, AdaGrad>() == "0.0.weight:0 0.1.0.a:0 0.1.0.b:0 0.1.2.weight:0 "
                                        "0.1.2.bias:0 0.1.4.weight:0 0.1.4.bias:0");
}

TEST_CASE("the first rule that matches a parameter moves it") {
    CHECK(rules<WideDeep, Optimize<On<Cross, Ftrl>, OnName<"*.bias", Sgd>, OnBlock<Dense<1>, Adam>,
                                   Otherwise<AdaGrad>>>() ==
          "0.0.weight:0 0.1.0.a:3 0.1.0.b:3 0.1.2.weight:3 0.1.2.bias:1 0.1.4.weight:2 "
          "0.1.4.bias:1");
}

TEST_CASE("patterns") {
    using detail::matches_pattern;
    CHECK(matches_pattern("", ""));
    CHECK(matches_pattern("*", ""));
    CHECK(matches_pattern("0.*.weight", "0.1.2.weight"));
    CHECK(matches_pattern("*a*b*", "xxaxxbxx"));
    CHECK(matches_pattern("*ab", "aab"));
    CHECK(!matches_pattern("*.bias", "0.weight"));
    CHECK(!matches_pattern("0.1", "0.10"));
    CHECK(!matches_pattern("", "a"));
}

TEST_CASE("options come in the order of the rules") {
    using Rules = Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>;
    TrainOptions<Rules> const options{.optimizer = {Ftrl{.alpha = 0.5}, AdaGrad{.learning_rate = 0.25}}};
    CHECK(double(std::get<0>(options.optimizers()).alpha) == 0.5);
    CHECK(double(std::get<1>(options.optimizers()).learning_rate) == 0.25);
    CHECK(double(std::get<0>(TrainOptions<Adam>{.learning_rate = 0.5f}.optimizers()).learning_rate) == 0.5);
}

TEST_CASE("FTRL alone is legal where there are only tables") {
    CHECK(rules<Model<Visit, Wide>, Ftrl>() == "0.weight:0");
}

TEST_CASE("rules that cannot be say why") {
    using Deep = Model<Visit, Embed<2>, Flatten, Dense<1>>;
    CHECK(refusal<Deep, Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>() ==
          "inlay: Optimize, rule 1: expected a parameter that the rule matches, found none among "
          "0.a, 0.b, 2.weight, 2.bias");
    CHECK(refusal<Deep, Optimize<OnName<"0.*", Sgd>, OnName<"*.weight", Sgd>>>() ==
          "inlay: Optimize: expected a rule for every parameter (end with Otherwise<...>), found none for "
          "2.bias");
    CHECK(refusal<Deep, Ftrl>() ==
          "inlay: Optimize, rule 1: expected a table for FTRL, which moves id-indexed weights only, found "
          "the dense parameter 2.weight");
    CHECK(refusal<Model<Visit, Wide>, Ftrl>({.learning_rate = 0.1f}) ==
          "inlay: TrainOptions, learning_rate: expected an optimizer that has one, found one with a rate of "
          "another name");
    CHECK(refusal<Deep, Adam>({.learning_rate = -0.1f}).find("Adam, learning_rate: expected 0 or more") !=
          std::string::npos);
    CHECK(refusal<Deep, Adam>({.schedule = Cosine{.warmup = -1}}).find("Cosine, warmup") !=
          std::string::npos);
    CHECK(refusal<Deep, Optimize<OnName<"*.bias", Lion>, Otherwise<Sgd>>>(
              {.optimizer = {Lion{.beta1 = 1.5}, Sgd{}}})
              .find("Lion, beta1: expected 0 or more, below 1") != std::string::npos);
}
