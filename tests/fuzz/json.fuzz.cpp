// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"

#include <inlay/io/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay::detail;
    std::string once;
    std::string_view const text = fuzz::text_of(data, size);
    if (!fuzz::refusal([&] { once = to_json(parse_json(text, "file", "place")); }).empty()) return 0;
    FUZZ_CHECK(to_json(parse_json(once, "file", "")) == once);
    return 0;
}
