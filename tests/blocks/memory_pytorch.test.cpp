// SPDX-License-Identifier: BSD-3-Clause
// Memories against PyTorch's autograd through their own gradient (tests/vectors/make_memory_vectors.py), to
// rounding: values, and the gradients of the input and of every parameter.
#include <inlay/inlay.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

using namespace inlay;
using namespace inlay::detail::laws;

namespace {
Numbers numbers(Safetensors const& file, std::string const& name) {
    auto const* info = file.find(name);
    REQUIRE_MESSAGE(info, name);
    Numbers all(info->count());
    read_scalars(*info, all.data());
    return all;
}
void same(std::string const& what, Numbers const& got, Numbers const& wanted) {
    REQUIRE_MESSAGE(got.size() == wanted.size(), what);
    double const most = largest(wanted);
    CHECK(most > 0);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        INFO(what << " " << i << ": " << got[i] << ", PyTorch " << wanted[i]);
        CHECK(std::abs(got[i] - wanted[i]) <= 1e-12 * most);
    }
}
template <class Spec> void compare(char const* name) {
    INFO(name);
    auto const file = Safetensors::read(std::string("tests/vectors/") + name + ".safetensors");
    Bound const b = bind<Spec, Sequence<8, 6>, NativeDouble, 1>();
    Call c;
    c.rows = 1, c.x = numbers(file, "x"), c.dy = numbers(file, "dy"), c.params.assign(b.parameters, 0);
    for (auto const& t : b.tensors) {
        auto const from = numbers(file, t.name);
        REQUIRE(from.size() == t.size());
        std::copy(from.begin(), from.end(), c.params.begin() + std::ptrdiff_t(t.offset));
    }
    LawReport report;
    b.run(b, c, report);
    CHECK_MESSAGE(report.ok(), report.text());
    same("y", c.y, numbers(file, "y")), same("dx", c.dx, numbers(file, "dx"));
    for (auto const& t : b.tensors) {
        auto const from = c.grads.begin() + std::ptrdiff_t(t.offset);
        same(t.name, Numbers(from, from + std::ptrdiff_t(t.size())), numbers(file, "grad." + t.name));
    }
}
} // namespace

TEST_CASE("memories agree with PyTorch's autograd through their own gradient") {
    compare<Memory<Heads<2>, Chunk<3>, Depth<1>>>("memory_one_layer");
    compare<Memory<Heads<2>, Chunk<3>, Depth<3>, Pre, Inner<Gelu>, InnerResidual, LossScale<1.5>,
                   GradientLimit<2>, ShortConv<0>, Expansion<1>>>("memory_deep");
    compare<Memory<Heads<2>, Chunk<3>, Depth<2>, InnerNorm, NoMomentum>>("memory_norm");
    compare<Memory<Heads<2>, Chunk<3>, Depth<2>, PreviousChunk, NeverForgets, FirstOrder, StepSize<.5>>>(
        "memory_first_order");
}
