// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"

#include <inlay/data/tokens.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay;
    if (size < 1) return 0;
    fuzz::File const file{fuzz::text_of(data + 1, size - 1)};
    auto const check = [&]<class Input>(Tag<Input>) {
        (void)fuzz::refusal([&] {
            auto const text = read_tokens<Input>(file.path, TokenFormat(data[0] & 3), {.validation = 0.25});
            text.train.check();
            text.validation.check();
            FUZZ_CHECK(text.train.id.size() + text.validation.id.size() >= 2);
        });
    };
    check(Tag<Tokens<3, 100>>{});
    check(Tag<Tokens<3, 1 << 30>>{});
    return 0;
}
