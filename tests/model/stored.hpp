// SPDX-License-Identifier: BSD-3-Clause
// Weights of fewer bits against the same weights rounded by hand.
#pragma once

#include <inlay/inlay.hpp>
#include <inlay/io/weights.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

namespace stored_weights {
using namespace inlay;
constexpr int T = 5, B = 6;

/// The double that a weight is stored as, from the definition of the type.
template <class S> double rounded(double x, double largest) {
    if (x == 0) return 0;
    if constexpr (S::scaled) {
        double const unit = double(float(float(largest) / 127));
        return std::nearbyint(x / unit) * unit;
    } else {
        int const digits = std::is_same_v<S, Bf16> ? 8 : 11, least = std::is_same_v<S, Bf16> ? -133 : -24;
        double const unit = std::ldexp(1.0, std::max(int(std::ilogb(x)) + 1 - digits, least));
        return std::nearbyint(x / unit) * unit;
    }
}
/// Rounds what the small model keeps in fewer bits: at least so many tensors, and at least so many as they
/// are.
template <class S, class M, class Small>
Network<M> by_hand(Network<M> const& net, Network<Small>& small, int fewest, int kept) {
    Network<M> other(Seed{1});
    auto const from = detail::named_tensors<M>(net.params());
    auto const to = detail::named_tensors<M>(other.params());
    std::vector<int> fewer; // rows with a scale in common; 0 where all is kept
    Small::Block::visit(small.params(), Path{}, [&](auto, Path const&, Kind, auto ref) {
        constexpr bool column = std::is_same_v<decltype(ref), detail::StoredColumnRef<S>>;
        fewer.push_back(column ? 64 : std::is_same_v<decltype(ref), detail::StoredRef<S>>);
    });
    REQUIRE(fewer.size() == from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
        for (int r = 0; r < from[i].ref.rows; ++r) {
            double largest = 0;
            int const n = std::max(1, fewer[i]), first = r / n * n;
            for (int other_row = first; other_row < std::min(first + n, from[i].ref.rows); ++other_row)
                for (int c = 0; c < from[i].ref.width; ++c)
                    largest = std::max(largest, std::abs(double(from[i].ref(other_row, c))));
            for (int c = 0; c < from[i].ref.width; ++c) {
                double const x = double(from[i].ref(r, c));
                to[i].ref(r, c) = float(fewer[i] > 0 ? rounded<S>(x, largest) : x);
            }
        }
    }
    auto const less = std::count_if(fewer.begin(), fewer.end(), [](int n) { return n > 0; });
    CHECK(less >= fewest); // more where vectors are short
    CHECK(std::ptrdiff_t(fewer.size()) - less >= kept);
    return other;
}
/// Of records: ids and lists of every length.
template <class M>
    requires is_record<typename M::Input>
std::vector<double> outputs(Network<M> const& net, int rows) {
    using Input = typename M::Input;
    std::vector<typename Input::Row> all(B);
    for (int b = 0; b < B; ++b)
        detail::each<std::size_t(Input::fields)>([&](auto j) {
            using Field = typename Input::template field<j>;
            auto& v = get<j>(all[std::size_t(b)]);
            if constexpr (requires { v.value; }) v.value = 0.5F * float(b) - 1;
            else if constexpr (detail::is_list_field<Field>) {
                v.count = (b + int(j)) % (Field::capacity + 1);
                for (auto& id : v.id)
                    id = std::int32_t(5 * b + 3 * (&id - v.id)) % Input::template vocabulary<j>;
            } else v.id = 3 * b % Input::template vocabulary<j>;
        });
    Workspace<M, Batch<B>> ws;
    auto const y = net.infer(std::span(all).first(std::size_t(rows)), ws);
    std::vector<double> numbers;
    for (int b = 0; b < rows; ++b)
        for (int i = 0; i < M::Output::width; ++i) numbers.push_back(double(y(b)[i]));
    return numbers;
}
/// Of tokens, as a batch and as streams.
template <class M>
    requires is_ids<typename M::Input>
std::vector<double> outputs(Network<M> const& net, int rows) {
    constexpr int O = M::Output::width;
    std::vector<std::int32_t> ids;
    for (int i = 0; i < B * T; ++i) ids.push_back((i * i + 7 * i) % M::Input::vocabulary);
    Workspace<M, Batch<B>> ws;
    auto const y = net.infer(std::span(ids).first(std::size_t(rows * T)), ws);
    std::vector<double> all;
    auto state = std::make_unique<typename M::State>();
    for (int b = 0; b < rows; ++b) {
        reset<M>(*state);
        for (int t = 0; t < T; ++t) {
            float stepped[std::size_t(O)];
            M::step(net.params(), *state, ids[std::size_t(b * T + t)], stepped);
            for (int i = 0; i < O; ++i) all.push_back(double(y(b, t)[i])), all.push_back(double(stepped[i]));
            for (int i = O; i < y.stride; ++i) REQUIRE(y(b, t)[i] == 0);
        }
    }
    return all;
}
double furthest(std::vector<double> const& a, std::vector<double> const& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
}
/// O: full groups of vectors or some of a group; the sizes of the error are those of the type.
template <class S, class M> void check(double error, int fewest, int kept) {
    using Small = typename M::template with<Weights<S>>;
    Network<M> net(Seed{2});
    Network<Small> small(Seed{0});
    for (auto const& t : detail::named_tensors<M>(net.params())) // crosses begin as zeros
        for (int r = 0; t.ref.width == 1 && t.ref.rows > 1 && r < t.ref.rows; ++r)
            t.ref(r, 0) = 0.02F * float(37 * r % 101 - 50);
    store(net, small);
    auto const exact = outputs(net, B), by = outputs(small, B);
    CHECK(furthest(outputs(by_hand<S>(net, small, fewest, kept), B), by) < 2e-6);
    CHECK(furthest(exact, by) < error);
    CHECK(furthest(exact, by) > error / 100);
    CHECK(furthest(outputs(small, 1), by) < 1e-6);
}
} // namespace stored_weights
