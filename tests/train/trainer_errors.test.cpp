// SPDX-License-Identifier: BSD-3-Clause
#include "fixtures.hpp"

#include <doctest/doctest.h>

using namespace inlay;
using namespace fixtures;

TEST_CASE("what cannot be trained says why") {
    auto rows = line(20, 1);
    Network<Line> net(Seed{1}), before(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> trainer(net);
    CHECK(words([&] { trainer.step(rows, first(17)); }) ==
          "inlay: Trainer::step: expected 1 to 16 rows, as in its Batch, found 17");
    CHECK(words([&] { trainer.step(rows, {}); }).find("1 to 16 rows") != std::string::npos);
    std::uint32_t const beyond = 20;
    CHECK(words([&] { trainer.step(rows, std::span(&beyond, 1)); }) ==
          "inlay: index: expected rows below 20, found 20");
    CHECK(words([&] { trainer.fit(Rows<Shape<2>>{}); }) ==
          "inlay: fit: expected at least one row, found none");
    CHECK(words([&] { trainer.fit(rows, {.epochs = -1}); }).find("epochs") != std::string::npos);
    CHECK(words([&] { trainer.fit(rows, {.patience = 2}); }) ==
          "inlay: FitOptions, patience: expected validation rows to judge by, found none");
    auto wide = rows;
    wide.target.resize(40);
    CHECK(words([&] { trainer.fit(wide); }) ==
          "inlay: targets: expected 1 a row for this loss and output, found 2");
    CHECK(words([&] { trainer.fit(rows, {.validate = &wide}); }).find("targets") != std::string::npos);
    CHECK(words([&] { trainer.step(wide, first(4)); }).find("targets") != std::string::npos);
    rows.weight = {1, 2};
    CHECK(words([&] { trainer.fit(rows); }) ==
          "inlay: Rows::weight: expected none, or one for each of 20 rows, found 2");
    CHECK(same(net, before));
}

TEST_CASE("a class that has no logit is an error that names the row") {
    auto rows = classes(10);
    rows.target[6] = 3;
    Network<Small> net(Seed{1});
    Trainer<Small, CrossEntropy, Batch<4>, Sgd> trainer(net);
    CHECK(words([&] { trainer.fit(rows, {.shuffle = false}); }) ==
          "inlay: row 6: expected a class from 0 to 2, or a negative one, found 3.000000");
}

TEST_CASE("a loss that is no longer finite stops the fit at its step") {
    auto rows = line(64, 1);
    rows.target[40] = 1e30f;
    Network<Line> net(Seed{1});
    Trainer<Line, MeanSquaredError, Batch<16>, Sgd> trainer(net);
    rows.input[2 * 40] = std::numeric_limits<float>::infinity();
    std::string const message = words([&] { trainer.fit(rows, {.shuffle = false}); });
    CHECK(message.starts_with("inlay: step 3, input, row 40: expected finite numbers, found inf"));
    for (float const w : get<0>(net.params()).weight.data) CHECK(std::isfinite(w));
}
