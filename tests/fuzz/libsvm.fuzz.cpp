// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"
#include "train/executors.hpp"

#include <inlay/data/libsvm.hpp>

#include <cmath>
#include <cstring>

namespace {
using namespace inlay;
using Person = Record<Numeric<"age", Buckets<18>>, Categorical<"job", 4>, MultiHot<"tags", 6, 2>>;

template <class Input> void check(LibSvm file) {
    Rows<Input> rows, same;
    std::size_t const piece = std::exchange(file.options.piece, 1 << 20);
    std::string const why = fuzz::refusal([&] { rows = read_libsvm<Input>(file); });
    file.options.piece = piece;
    FUZZ_CHECK(fuzz::refusal([&] { same = read_libsvm<Input>(file, executors::Shuffled{3}); }) == why);
    rows.check();
    FUZZ_CHECK(rows.size() == same.size() && rows.target == same.target);
    for (float const y : rows.target) FUZZ_CHECK(std::isfinite(y));
    if constexpr (is_record<Input>)
        FUZZ_CHECK(rows.size() == 0 ||
                   std::memcmp(rows.row.data(), same.row.data(), rows.size() * sizeof rows.row[0]) == 0);
    else FUZZ_CHECK(rows.input == same.input);
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    fuzz::File const file{fuzz::text_of(data + 2, size - 2)};
    LibSvm svm{file.path};
    if (data[0] & 1) svm = LibFm{file.path};
    svm.options.binary = data[0] & 2;
    svm.options.skip_bad_rows = data[0] & 4;
    svm.options.piece = 1 + data[1] % 32u;
    check<Shape<7>>(svm);
    check<Person>(svm);
    return 0;
}
