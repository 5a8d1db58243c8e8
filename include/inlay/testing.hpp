// SPDX-License-Identifier: BSD-3-Clause
// For authors of blocks: does a block keep the laws that every block of the library keeps?
//
//     auto report = inlay::check_laws<MyBlock<8>, inlay::Sequence<7, 5>>();
//     if (!report.ok()) std::puts(report.text().c_str());
//
// No test framework is needed, and no other header includes this one.
#pragma once

#include <inlay/testing/gradients.hpp>
#include <inlay/testing/harness.hpp>
#include <inlay/testing/rows.hpp>
#include <inlay/testing/streaming.hpp>

#include <string_view>

namespace inlay::inline INLAY_ISA {

namespace detail::laws {
/// The name of a type as the compiler writes it.
template <class T> std::string name_of() {
#if defined(_MSC_VER) && !defined(__clang__)
    std::string_view s = __FUNCSIG__;
#else
    std::string_view s = __PRETTY_FUNCTION__;
    auto const from = s.find("T = ") + 4;
    auto const to = std::min(s.find(';', from), s.rfind(']'));
    s = s.substr(from, to - from);
#endif
    return std::string(s.substr(0, 160));
}
template <class Spec, class I, class R, int B = 3> Bound bind(LawOptions const& options = {}) {
    return Runner<Spec, I, R, B>::bound(name_of<Spec>() + " over " + name_of<I>(), options);
}
using NativeDouble = Real<double, native_lanes<double>>;

inline void all_laws(Bound const& b, LawReport& report) {
    law_of_gradients(b, report);
    law_of_accumulation(b, report);
    law_of_step(b, report);
    law_of_split(b, report);
    law_of_fresh_state(b, report);
    law_of_causality(b, report);
    law_of_lengths(b, report);
    law_of_rows(b, report);
    law_of_repetition(b, report);
    law_of_extremes(b, report);
}
/// What two scalars or widths compute is the same to rounding.
inline void law_of_agreement(Bound const& b, Bound const& truth, LawReport& report) {
    Law const law{b, report, "agreement"};
    Call c = draw_call(b, b.capacity);
    draw_lengths(b, c);
    c.dy = draw_cotangent(b, c);
    Call exact = c;
    b.run(b, c, report), truth.run(truth, exact, report);
    law.same_outputs(c, c.y, exact.y, tolerances(b, c, exact.y));
    law.same_parameters(c.grads, exact.grads, gradient_tolerance(b, exact.grads));
    law.same_inputs(c.dx, exact.dx, gradient_tolerance(b, exact.dx));
}
} // namespace detail::laws

/// Compares backward with central differences in double: error at most 1e-6 of the largest gradient + 1e-8.
template <class Spec, class Input> LawReport check_gradients(LawOptions const& options = {}) {
    namespace l = detail::laws;
    LawReport report;
    auto const b = l::bind<Spec, Input, l::NativeDouble>(options);
    l::law_of_gradients(b, report);
    l::law_of_accumulation(b, report);
    return report;
}

/// Checks all laws that need no second implementation, in double and in float at the native width and at one
/// lane. Allocations are counted where `detail::laws::allocations` says how.
template <class Spec, class Input> LawReport check_laws(LawOptions const& options = {}) {
    namespace l = detail::laws;
    LawReport report;
    auto const truth = l::bind<Spec, Input, l::NativeDouble>(options);
    l::all_laws(truth, report);
    for (auto const& b :
         {l::bind<Spec, Input, Native>(options), l::bind<Spec, Input, Real<float, 1>>(options)}) {
        l::all_laws(b, report);
        l::law_of_agreement(b, truth, report);
    }
    return report;
}

} // namespace inlay::inline INLAY_ISA
