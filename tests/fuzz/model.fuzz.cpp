// SPDX-License-Identifier: BSD-3-Clause
// The model that a file says it holds, as dispatch reads it; and two texts of models compared, one a line.
#include "fuzz.hpp"

#include <inlay/inlay.hpp>
#include <inlay/io/dispatch.hpp>

namespace {
/// A safetensors file without tensors whose metadata is the input.
inlay::Safetensors holding(std::string_view text) {
    using inlay::detail::Json;
    std::string const header =
        "{\"__metadata__\":{\"inlay.model\":" + to_json(Json{std::string(text)}) + "}}";
    std::vector<std::byte> bytes(8 + header.size());
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = std::byte(header.size() >> (8 * i) & 255U);
    std::transform(header.begin(), header.end(), bytes.begin() + 8, [](char c) { return std::byte(c); });
    return inlay::Safetensors::parse(bytes, "file");
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay;
    std::string_view const text = fuzz::text_of(data, size);
    using Small = Model<Vector<3>, Dense<2>>;
    using Large = Model<Tokens<32, 100>, Embed<16>, Repeat<2, PreNorm<Dense<16>, Gelu>>, Dense<100>>;
    static std::vector<std::string> const compiled{model_text<Small>(), model_text<Large>()};
    (void)fuzz::refusal([&] {
        auto const file = holding(text);
        std::size_t chosen = compiled.size();
        auto const refused = fuzz::refusal([&] { chosen = detail::chosen_model(file, compiled); });
        if (refused.empty()) FUZZ_CHECK(model_in(file) == compiled[chosen]);
        else
            (void)fuzz::refusal([&] {
                auto const held = model_in(file);
                for (auto const& own : compiled) FUZZ_CHECK(held != own);
            });
    });

    std::size_t const line = std::min(text.find('\n'), text.size());
    detail::ModelTree const a(text.substr(0, line)), b(text.substr(std::min(line + 1, text.size())));
    FUZZ_CHECK(a.size() > 0 && distance(a, a) == 0);
    FUZZ_CHECK(distance(a, b) == distance(b, a) && distance(a, b) <= a.size() + b.size());
    detail::FirstDifference const first(a, b), back(b, a);
    FUZZ_CHECK(a.text == b.text || (first.here == back.there && first.there == back.here));
    return 0;
}
