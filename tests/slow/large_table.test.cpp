// SPDX-License-Identifier: BSD-3-Clause
// Tables of ten million rows.
#include "../train/large_table.hpp"
#include "../data/file.hpp"

#include <inlay/io/weights.hpp>

using namespace inlay;

TEST_CASE("a step with tables of ten million rows works on those that occur, and all of them are kept") {
    large::only_touched_rows<10'000'000, 4>([]<class T, class M>(T&, Network<M>& net) {
        File const file;
        save(net, file.path);
        Network<M> other(Seed{2});
        load(other, file.path);
        CHECK(fixtures::same(net, other));
    });
}
