// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz.hpp"

#include <inlay/io/safetensors.hpp>

#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay;
    auto const* const bytes = reinterpret_cast<std::byte const*>(data);
    (void)fuzz::refusal([&] {
        auto const file = Safetensors::parse({bytes, bytes + size}, "file");
        std::size_t sum = 0;
        for (auto const& t : file.tensors()) {
            FUZZ_CHECK(file.find(t.name) == &t);
            sum += t.bytes.size();
            (void)fuzz::refusal([&] {
                std::vector<double> wide(t.count());
                std::vector<float> narrow(t.count());
                read_scalars(t, wide.data());
                read_scalars(t, narrow.data());
            });
        }
        FUZZ_CHECK(sum <= size);
        for (auto const& [key, value] : file.metadata()) FUZZ_CHECK(file.metadata().at(key) == value);
    });
    // The same from a file.
    fuzz::File const file{fuzz::text_of(data, size)};
    (void)fuzz::refusal([&] { (void)Safetensors::read(file.path); });
    return 0;
}
