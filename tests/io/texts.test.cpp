// SPDX-License-Identifier: BSD-3-Clause
// What models write about themselves: pictures, cards, headers.
#include "../data/file.hpp"

#include <inlay/inlay.hpp>
#include <inlay/io/model_card.hpp>
#include <inlay/io/weights_header.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <sstream>

using namespace inlay;

namespace {
using Small =
    Model<Tokens<4, 9>, Tied<Embed<6>, Repeat<2, PreNorm<SwiGlu<5>>>>, Gate<Dense<2>, Named<"b", Dense<2>>>>;
std::string content(std::string const& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}
} // namespace

TEST_CASE("a picture has every block once, with its shape, and paths around residuals") {
    std::stringstream out;
    mermaid<Small>(out);
    CHECK(out.str() == R"(flowchart TD
    n1["input<br/>[4] below 9"]
    n2["Embed&lt;6&gt;<br/>[4, 6]"]
    n1 --> n2
    subgraph g1["2 times"]
    n3["to each<br/>[4, 6]"]
    n4["RmsNorm<br/>[4, 6]"]
    n3 --> n4
    n5["SwiGlu&lt;5&gt;<br/>[4, 6]"]
    n4 --> n5
    n6(("+"))
    n5 --> n6
    n3 --> n6
    end
    n2 --> n3
    n7["scores by the same table<br/>[4, 9]"]
    n6 --> n7
    n2 -.-> n7
    n8["Dense&lt;2&gt;<br/>[4, 2]"]
    n7 --> n8
    subgraph g2["b"]
    n9["Dense&lt;2&gt;<br/>[4, 2]"]
    n7 --> n9
    end
    n10(("weighted +"))
    n8 --> n10
    n9 --> n10
    n7 -.-> n10
)");
}

TEST_CASE("a header holds every number exactly, and fill takes no other model's") {
    File const file;
    Network<Small> const net(Seed{5});
    save_header(net, file.path, "small");
    std::string const text = content(file.path);
    CHECK(text.find("R\"(" + model_text<Small>() + ")\"") != std::string::npos);
    // Read as a compiler would.
    std::vector<float> values;
    auto const first = text.find('{', text.find("values["));
    for (char const* at = text.c_str() + first + 1;;) {
        char* end = nullptr;
        float const x = std::strtof(at, &end);
        if (end == at) break;
        REQUIRE(std::strncmp(end, "f,", 2) == 0);
        values.push_back(x), at = end + 2;
    }
    auto const layout = std::strtoull(text.c_str() + text.find("layout = ") + 9, nullptr, 10);
    CHECK(values.size() == std::size_t(Small::parameters));
    Network<Small> other(Seed{6});
    CHECK(fill<Small>(other.params(), layout, values));
    CHECK(std::memcmp(static_cast<void const*>(&other.params()), static_cast<void const*>(&net.params()),
                      sizeof(Small::Params)) == 0);
    auto const changed = layout + 1;
    CHECK(!fill<Small>(other.params(), changed, values));
    CHECK(!fill<Small>(other.params(), layout, std::span(values).first(values.size() - 1)));
    // As many numbers, in other places.
    using Turned = Model<Vector<3>, Dense<5, NoBias>>;
    using Back = Model<Vector<5>, Dense<3, NoBias>>;
    using Renamed = Model<Vector<3>, Named<"a", Dense<5, NoBias>>>;
    Network<Turned> a(Seed{1});
    Network<Back> b(Seed{1});
    Network<Renamed> c(Seed{1});
    auto const of_a = detail::filling_of<Turned>(a.params()).layout;
    CHECK(of_a != detail::filling_of<Back>(b.params()).layout);
    CHECK(of_a != detail::filling_of<Renamed>(c.params()).layout);
    for (char const* bad : {"", "3a", "a b", "a;"}) CHECK_THROWS_AS(save_header(net, file.path, bad), Error);
    CHECK(content(file.path) == text);
}

TEST_CASE("a model card says what it was told and what the model is") {
    File const file;
    save_model_card<Small>(file.path, {.name = "small",
                                       .license = "mit",
                                       .limits = "Not for \"real\" use.",
                                       .metrics = {{"auc", 0.875}, {"log loss", 0.25}}});
    std::string const text = content(file.path);
    std::string const front =
        "---\nlibrary_name: inlay\nlicense: \"mit\"\nmodel-index:\n- name: \"small\"\n  results:\n"
        "  - metrics:\n    - type: \"auc\"\n      value: 0.875\n    - type: \"log loss\"\n"
        "      value: 0.25\n---\n\n# small\n\n## Limits\n\nNot for \"real\" use.\n\n## Measured\n";
    CHECK(text.substr(0, front.size()) == front);
    for (std::string const part :
         {"| auc | 0.875 |", "| log loss | 0.25 |", "```mermaid\nflowchart TD\n", "place  "})
        CHECK(text.find(part) != std::string::npos);
    CHECK(text.find(model_text<Small>()) != std::string::npos);
    CHECK(text.find("## Data") == std::string::npos);
}
