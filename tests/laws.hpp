// SPDX-License-Identifier: BSD-3-Clause
// A block joins the laws with one line:
//
//     TEST_CASE("laws: dense") { laws<Dense<13>, Sequence<7, 5>>(reference::dense); }
//
// `laws` binds it to float at the native width and at one lane, and to double, and checks all laws of
// inlay/testing.hpp, and every forward against the reference. `laws_in_float` is for further sizes: native
// float only; `laws_in_double`, gradients included, for what blocks make that are tried at other widths
// elsewhere. INLAY_LAWS_SIZES=4 adds 256 and 128 bits to `laws`; 2 makes it native float only; 1, or
// INLAY_LAWS_ONE_SIZE (sanitizers, builds for other instruction sets), leaves the further sizes out too.
#pragma once

#if defined(INLAY_LAWS_ONE_SIZE)
#undef INLAY_LAWS_SIZES
#define INLAY_LAWS_SIZES 1
#elif !defined(INLAY_LAWS_SIZES)
#define INLAY_LAWS_SIZES 3
#endif

#include "allocation.hpp"
#include "reference/all.hpp"

#include <inlay/inlay.hpp>
#include <inlay/testing.hpp>

#include <doctest/doctest.h>

namespace tests {
namespace l = inlay::detail::laws;
using l::Bound;
using l::Call;
using l::Numbers;

/// A reference over one row of a batch.
using RowReference =
    std::function<reference::Result(reference::Parameters const&, Bound const&, Call const&, int)>;

inline reference::Parameters parameters_of(Bound const& b, Call const& c) {
    reference::Parameters p;
    for (auto const& t : b.tensors)
        p.by_name[t.name] = {t.rows, t.width,
                             Numbers(c.params.begin() + std::ptrdiff_t(t.offset),
                                     c.params.begin() + std::ptrdiff_t(t.offset + t.size()))};
    return p;
}
/// Row r as the references read it: tokens up to the true length.
inline reference::Sequence sequence_of(Bound const& b, Call const& c, int r) {
    reference::Sequence x;
    for (int t = 0; t < b.length(c, r); ++t) {
        auto const from = c.x.begin() + std::ptrdiff_t(std::size_t(r) * b.item + std::size_t(t) * b.token());
        x.emplace_back(from, from + std::ptrdiff_t(b.token()));
    }
    return x;
}
template <class Record> struct Described;
template <class... F> struct Described<inlay::Record<F...>> {
    using Rec = inlay::Record<F...>;
    static reference::Schema schema() {
        reference::Schema s;
        inlay::detail::each<sizeof...(F)>([&](auto j) {
            using G = inlay::At<j, F...>;
            constexpr std::size_t owner = Rec::template owner<j>();
            using Owner = typename Rec::template field<owner>;
            bool const list = inlay::detail::is_list_field<G>;
            s.push_back(
                {G::name.text, Rec::template vocabulary<j>, list, owner == j ? "" : Owner::name.text});
        });
        return s;
    }
    static reference::RecordRow row(Bound const& b, Call const& c, int r) {
        auto const packed = l::Flat<Rec>::pack(c.x.data() + std::size_t(r) * b.item);
        reference::RecordRow out;
        inlay::detail::each<sizeof...(F)>([&](auto j) {
            using G = inlay::At<j, F...>;
            auto const& v = inlay::get<j>(packed);
            reference::FieldValue field;
            if constexpr (G::kind == inlay::FieldKind::numeric) {
                field.value = double(v.value), field.is_numeric = true;
                if (G::ids > 0) field.ids.push_back(v.id);
                if constexpr (requires { v.part; }) field.part = double(v.part);
            } else inlay::detail::each_id<G>(v, [&](std::int32_t id) { field.ids.push_back(id); });
            if constexpr (inlay::detail::has_weights<G>) field.weights.assign(v.weight, v.weight + v.count);
            out.push_back(field);
        });
        return out;
    }
};
/// Makes one form of the references' two.
template <class Input, class Reference> RowReference row_reference(Reference ref) {
    if constexpr (inlay::is_record<Input>)
        return [ref](reference::Parameters const& p, Bound const& b, Call const& c, int r) {
            return ref(p, Described<Input>::schema(), Described<Input>::row(b, c, r));
        };
    else
        return [block = reference::Block(ref)](reference::Parameters const& p, Bound const& b, Call const& c,
                                               int r) { return block(p, sequence_of(b, c, r)); };
}

/// Values and magnitudes of a batch, laid out as outputs are; zeros past the end.
struct Wanted {
    Numbers value, magnitude;
};
inline Wanted wanted(RowReference const& ref, Bound const& b, Call const& c) {
    Wanted w{Numbers(b.item_out() * std::size_t(c.rows)), Numbers(b.item_out() * std::size_t(c.rows))};
    auto const p = parameters_of(b, c);
    for (int r = 0; r < c.rows; ++r) {
        auto const y = ref(p, b, c, r);
        for (std::size_t t = 0; t < y.value.size(); ++t)
            for (std::size_t i = 0; i < y.value[t].size(); ++i) {
                w.value.at(b.at_out(r, int(t), int(i))) = y.value[t][i];
                w.magnitude.at(b.at_out(r, int(t), int(i))) = y.magnitude.at(t).at(i);
            }
    }
    return w;
}

/// Forward is the reference: in double to 1e-12 of the magnitude, in float to 8 epsilon of it.
inline void law_of_values(Bound const& b, RowReference const& ref, inlay::LawReport& report) {
    l::Law law{b, report, "values"};
    for (int rows = b.capacity; rows > 0; --rows)
        for (bool full : {true, false}) {
            Call c = l::draw_call(b, rows);
            if (!full) l::draw_lengths(b, c);
            b.run(b, c, report);
            auto w = wanted(ref, b, c);
            for (double& m : w.magnitude)
                m = b.is_double ? 1e-12 * m + 1e-300 : 8 * b.epsilon * m + b.smallest;
            law.context = "batch of " + std::to_string(rows) + (full ? "" : ", short sequences");
            law.same_outputs(c, c.y, w.value, w.magnitude);
        }
}

/// Backward is the derivative of the reference: for a scalar whose own differences would be too coarse.
inline void law_of_slopes(Bound const& b, RowReference const& ref, inlay::LawReport& report) {
    reference::ValuesOnly const guard;
    l::Law const law{b, report, "slopes"};
    Call c = l::draw_call(b, b.capacity);
    l::draw_lengths(b, c);
    c.dy = l::draw_cotangent(b, c);
    b.run(b, c, report);
    auto const loss = [&](Numbers& in, std::size_t i, double h) {
        double const before = in[i];
        in[i] += h;
        auto const y = wanted(ref, b, c).value;
        in[i] = before;
        double sum = 0;
        for (std::size_t k = 0; k < y.size(); ++k) sum += c.dy[k] * y[k];
        return sum;
    };
    auto const check = [&](Numbers& in, Numbers const& got, auto has_slope, auto where) {
        double const tolerance = l::gradient_tolerance(b, got) + 1e-6;
        for (std::size_t i : l::sample(got.size(), 24)) {
            if (!has_slope(i)) continue;
            double const slope = (loss(in, i, 1e-6) - loss(in, i, -1e-6)) / 2e-6;
            if (!law.near(got[i], slope, tolerance)) law.fail(where(i), got[i], slope);
        }
    };
    auto const is_weight = [&](std::size_t i) {
        return std::none_of(b.tensors.begin(), b.tensors.end(), [&](auto const& t) {
            return t.kind == inlay::Kind::buffer && i >= t.offset && i < t.offset + t.size();
        });
    };
    check(c.params, c.grads, is_weight, [&](std::size_t i) { return l::place_of_parameter(b, i); });
    if (b.reads == l::Reads::numbers)
        check(
            c.x, c.dx, [](std::size_t) { return true; },
            [&](std::size_t i) { return l::place("input", i, b.item, b.token()); });
}

inline void check_one(Bound b, Bound const* truth, RowReference const& ref) {
    CAPTURE(b.name);
    inlay::LawReport report;
    if (ref) {
        b.magnitude = [&](Call const& c) { return wanted(ref, b, c).magnitude; };
        law_of_values(b, ref, report);
        if (!truth && !b.is_double) law_of_slopes(b, ref, report);
    }
    l::all_laws(b, report);
    if (truth) l::law_of_agreement(b, *truth, report);
    for (auto const& f : report.failures) FAIL_CHECK(f.text());
    CHECK(report.checks > 0);
}

template <class Spec, class Input, class Reference = std::nullptr_t>
void laws(Reference ref = {}, inlay::LawOptions const& options = {}) {
    RowReference r;
    if constexpr (!std::is_same_v<Reference, std::nullptr_t>) r = row_reference<Input>(ref);
    using namespace inlay;
#if INLAY_LAWS_SIZES < 3
    check_one(l::bind<Spec, Input, Native>(options), nullptr, r);
#else
    Bound const truth = l::bind<Spec, Input, l::NativeDouble>(options);
    check_one(truth, nullptr, r);
    check_one(l::bind<Spec, Input, Real<float, 1>>(options), &truth, r);
    check_one(l::bind<Spec, Input, Native>(options), &truth, r);
#endif
#if INLAY_LAWS_SIZES > 3
    if constexpr (Native::lanes > 4) check_one(l::bind<Spec, Input, Real<float, 4>>(options), &truth, r);
    if constexpr (Native::lanes > 8) check_one(l::bind<Spec, Input, Real<float, 8>>(options), &truth, r);
#endif
}
template <class Spec, class Input, class Reference = std::nullptr_t>
void laws_in_float([[maybe_unused]] Reference ref = {},
                   [[maybe_unused]] inlay::LawOptions const& options = {}) {
#if INLAY_LAWS_SIZES > 1
    RowReference r;
    if constexpr (!std::is_same_v<Reference, std::nullptr_t>) r = row_reference<Input>(ref);
    check_one(l::bind<Spec, Input, inlay::Native>(options), nullptr, r);
#endif
}
template <class Spec, class Input, class Reference> void laws_in_double([[maybe_unused]] Reference ref) {
#if INLAY_LAWS_SIZES > 1
    check_one(l::bind<Spec, Input, l::NativeDouble>(inlay::LawOptions{}), nullptr, row_reference<Input>(ref));
#endif
}

} // namespace tests

using namespace inlay;
using tests::laws;
using tests::laws_in_double;
using tests::laws_in_float;
