// SPDX-License-Identifier: BSD-3-Clause
// Files of values and gradients that PyTorch computed in float64, and blocks run on them.
#pragma once

#include <inlay/inlay.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

#include <cstring>

namespace pytorch {
using namespace inlay;
using namespace inlay::detail::laws;

inline Safetensors vectors(char const* file) {
    return Safetensors::read(std::string("tests/vectors/") + file + ".safetensors");
}
inline Numbers numbers(Safetensors const& file, std::string const& name) {
    auto const* info = file.find(name);
    REQUIRE_MESSAGE(info, name);
    Numbers all(info->count());
    if (info->dtype == DType::I64)
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::int64_t id;
            std::memcpy(&id, info->bytes.data() + i * sizeof id, sizeof id);
            all[i] = double(id);
        }
    else read_scalars(*info, all.data());
    return all;
}
inline double largest_of(Numbers const& all) {
    double largest = 0;
    for (double x : all) largest = std::max(largest, std::abs(x));
    return largest;
}
/// `most` is the largest number of a kind: what is nothing but the rounding of such, as the gradient of a
/// bias of keys is, is held to that.
inline void same(char const* what, Numbers const& got, Numbers const& wanted, double most = 0) {
    REQUIRE_MESSAGE(got.size() >= wanted.size(), what);
    double largest = largest_of(wanted);
    if (largest > 0 && largest < 1e-13 * most) largest = most;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        INFO(what << " " << i << ": " << got[i] << ", PyTorch " << wanted[i]);
        CHECK(std::abs(got[i] - wanted[i]) <= 1e-13 * largest);
    }
}
/// Runs a call whose input is set on a file's parameters and cotangent, and compares all that the file holds,
/// its names beginning with `at`.
inline void compare(Bound const& b, Safetensors const& file, Call& c, std::string const& at = "") {
    c.params.assign(b.parameters, 0);
    for (auto const& t : b.tensors) {
        auto const from = numbers(file, at + t.name);
        REQUIRE(from.size() == t.size());
        std::copy(from.begin(), from.end(), c.params.begin() + std::ptrdiff_t(t.offset));
    }
    c.rows = b.capacity;
    c.dy = numbers(file, at + "dy");
    LawReport report;
    b.run(b, c, report);
    CHECK_MESSAGE(report.ok(), report.text());
    same("y", c.y, numbers(file, at + "y"));
    if (file.find(at + "dx")) same("dx", c.dx, numbers(file, at + "dx"));
    double most = 0;
    for (auto const& t : b.tensors) most = std::max(most, largest_of(numbers(file, at + "grad." + t.name)));
    for (auto const& t : b.tensors) {
        auto const from = c.grads.begin() + std::ptrdiff_t(t.offset);
        same(t.name.c_str(), Numbers(from, from + std::ptrdiff_t(t.size())),
             numbers(file, at + "grad." + t.name), most);
    }
}
template <class Spec, class I, int B>
void compare(char const* name, char const* input = "x", bool training = false) {
    CAPTURE(name);
    auto const file = vectors(name);
    Call c;
    c.x = numbers(file, input);
    c.training = training;
    compare(bind<Spec, I, NativeDouble, B>(), file, c);
}
} // namespace pytorch
