// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"

#include <inlay/data/encoder.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay;
    using Visit = Record<Numeric<"age", Buckets<18>>, Categorical<"job", 4>, MultiHot<"tags", 5, 2>,
                         History<"jobs", 3, SameAs<"job">>>;
    static fuzz::File const table{"20,a,a|b,c|a,1\n?,b,,,0\n"};
    (void)fuzz::refusal([&] {
        auto const encoder = Encoder<Visit>::from_json(fuzz::text_of(data, size), "file");
        std::string const text = encoder.to_json();
        FUZZ_CHECK(Encoder<Visit>::from_json(text, "again").to_json() == text);
        auto const rows = encoder.transform(Csv{table.path}, Label{"y"});
        rows.check();
        for (std::int32_t id = 0; id <= std::int32_t(encoder.code(1).distinct()); ++id)
            (void)encoder.text<"job">(id);
        for (std::int32_t id = 0; id < 3; ++id) (void)encoder.text<"age">(id);
    });
    return 0;
}
