// SPDX-License-Identifier: BSD-3-Clause
// Ten steps as PyTorch takes them: accumulated, clipped by norm, by Adam, with an average of the weights.
#include "fixtures.hpp"

#include <inlay/io/safetensors.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

TEST_CASE("accumulation, clip_grad_norm_ and AveragedModel") {
    auto const file = Safetensors::read("tests/vectors/training.safetensors");
    auto const values = [&](std::string const& name) {
        auto const* info = file.find(name);
        REQUIRE(info);
        std::vector<double> all(info->count());
        read_scalars(*info, all.data());
        return all;
    };
    Rows<Shape<3>> rows;
    for (double const x : values("x")) rows.input.push_back(float(x));
    auto const* target = file.find("target");
    for (std::size_t i = 0; i < 20; ++i)
        rows.target.push_back(
            float(std::int64_t(detail::load_little<std::uint64_t>(target->bytes.data() + 8 * i))));
    CHECK(rows.target[17] == -1);

    Network<Small> net(Seed{1});
    auto const each = [&](std::string const& prefix, auto f) {
        Small::Block::visit(net.params(), Path{}, [&](auto, Path const& at, Kind, TensorRef<double> t) {
            auto const wanted = values(prefix + to_string(at));
            REQUIRE(wanted.size() == std::size_t(t.rows * t.width));
            for (int r = 0; r < t.rows; ++r)
                for (int c = 0; c < t.width; ++c) f(t(r, c), wanted[std::size_t(r * t.width + c)]);
        });
    };
    each("start.", [](double& w, double wanted) { w = wanted; });
    Trainer<Small, CrossEntropy, Batch<10>, Adam> trainer(
        net, {.learning_rate = 0.1, .clip = {.norm = 0.05}, .accumulate = 2, .average = 0.8});
    auto const norms = values("norm");
    std::size_t steps = 0;
    trainer.fit(rows, {.epochs = 10, .shuffle = false, .on_step = [&](StepEvent const& e) {
                           CHECK(std::abs(e.norm - norms[steps++]) < 1e-12);
                       }});
    CHECK(steps == 10);
    auto const agrees = [](double w, double wanted) { CHECK(std::abs(w - wanted) < 1e-11); };
    each("end.", agrees);
    auto const swapped = trainer.averaged();
    each("average.", agrees);
}
