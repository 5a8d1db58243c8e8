// SPDX-License-Identifier: BSD-3-Clause
#include "file.hpp"

#include <inlay/data.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace inlay;

namespace {

using Visit = Record<Numeric<"age">, Categorical<"job", 5>>;
using Net = Model<Visit, Sum<Cross<Hashed<32>, Each>, Stack<Embed<3>, Flatten, Dense<19>, Relu, Dense<1>>>>;
using Narrow =
    Model<Visit, Sum<Cross<Hashed<32>, Each>, Stack<Embed<3>, Flatten, Dense<18>, Relu, Dense<1>>>>;

template <class M> std::vector<double> numbers(Network<M> const& net) {
    std::vector<double> all;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        for (int r = 0; r < t.ref.rows; ++r)
            for (int c = 0; c < t.ref.width; ++c) all.push_back(double(t.ref(r, c)));
    return all;
}
template <class M> bool same(Network<M> const& a, Network<M> const& b) {
    return std::memcmp(static_cast<void const*>(&a.params()), static_cast<void const*>(&b.params()),
                       sizeof(typename M::Params)) == 0;
}

} // namespace

TEST_CASE("weights, vocabularies and scales in one file, bit for bit") {
    File const table{"1.1,a,1\n2.3,b,0\n"}, file;
    Encoder<Visit> encoder, read;
    encoder.fit(Csv{table.path}, Label{"y"});
    Network<Net> const net(Seed{1});
    Network<Net> other(Seed{2});
    CHECK(!same(net, other));
    save(net, encoder, file.path);
    load(other, read, file.path);
    CHECK(same(net, other)); // pads too: they were zero and are
    CHECK(read.to_json() == encoder.to_json());
    CHECK(read.fitted());
}

TEST_CASE("a file without an encoder leaves both as they were") {
    File const file;
    Network<Net> const net(Seed{1});
    Network<Net> other(Seed{2});
    Network<Net> const before(Seed{2});
    Encoder<Visit> encoder;
    save(net, file.path);
    CHECK_THROWS_WITH_AS(load(other, encoder, file.path), doctest::Contains("an encoder under inlay.encoder"),
                         Error);
    CHECK(same(other, before));
    CHECK(!encoder.fitted());
    load(other, file.path);
    CHECK(same(other, net));
}

TEST_CASE("another model's file: everything that is wrong, at once") {
    File const table{"1.1,a,1\n2.3,b,0\n"}, file;
    Encoder<Visit> encoder, read;
    encoder.fit(Csv{table.path}, Label{"y"});
    save(Network<Narrow>(Seed{1}), encoder, file.path);
    Network<Net> net(Seed{2});
    Network<Net> const before(Seed{2});
    CHECK_THROWS_WITH_AS(load(net, read, file.path),
                         doctest::Contains("expected 0.1.2.weight [19, 6]; 0.1.2.bias [19]; 0.1.4.weight [1, "
                                           "19], found 0.1.2.weight [18, 6]; 0.1.2.bias [18]; 0.1.4.weight "
                                           "[1, 18]"),
                         Error);
    CHECK(same(net, before));
    CHECK(!read.fitted());

    using Short = Model<Visit, Embed<3>, Flatten, Dense<1, NoBias>>;
    Network<Short> less(Seed{3});
    std::string message;
    try {
        load(less, file.path);
    } catch (Error const& e) { message = e.what(); }
    for (char const* part : {"no 2.weight", "no 0.0.weight", "no 0.1.4.bias", "2.weight [1, 6]"})
        CHECK(message.find(part) != std::string::npos);
}

TEST_CASE("double to float and back; files know nothing of lanes") {
    File const in_float, in_double;
    Network<Net> const net(Seed{1});
    save(net, in_float.path);

    Network<Net::as<double>> wide(Seed{2});
    load(wide, in_float.path);
    CHECK(numbers(wide) == numbers(net));
    save(wide, in_double.path);
    Network<Net> back(Seed{3});
    load(back, in_double.path);
    CHECK(same(back, net));

    auto const at_lanes = [&](auto lanes) {
        using Other = Net::as<float, decltype(lanes)>;
        Network<Other> other(Seed{4});
        load(other, in_float.path);
        CHECK(numbers(other) == numbers(net));
        File const file;
        save(other, file.path);
        Network<Net> again(Seed{5});
        load(again, file.path);
        CHECK(same(again, net));
    };
    at_lanes(Lanes<4>{});
    at_lanes(Lanes<8>{});
    at_lanes(Lanes<16>{});
}

TEST_CASE("an encoder of a newer version is refused in words, one that has learned nothing is not saved") {
    File const table{"1.1,a,1\n2.3,b,0\n"}, file;
    Encoder<Visit> encoder, read;
    Network<Net> const net(Seed{1}), before(Seed{2});
    Network<Net> other(Seed{2});
    CHECK_THROWS_WITH_AS(save(net, encoder, file.path), doctest::Contains("fit before to_json"), Error);
    CHECK(!std::filesystem::exists(file.path));
    encoder.fit(Csv{table.path}, Label{"y"});
    std::string newer = encoder.to_json();
    newer.replace(newer.find("\"version\":1"), 11, "\"version\":7,\"how\":{\"we\":[\"cannot\",\"know\"]}");
    save(net, file.path, {{"inlay.encoder", newer}});
    CHECK_THROWS_WITH_AS(load(other, read, file.path),
                         doctest::Contains("encoder, version: expected 1 to 1, which this version of inlay "
                                           "knows, found 7"),
                         Error);
    CHECK(same(other, before));
    CHECK(!read.fitted());
}
