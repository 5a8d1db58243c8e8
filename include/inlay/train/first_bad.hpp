// SPDX-License-Identifier: BSD-3-Clause
// Where numbers that are not finite come from.
#pragma once

#include <inlay/core/joined.hpp>
#include <inlay/core/observe.hpp>
#include <inlay/core/path.hpp>
#include <inlay/model/summary.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// A number that is not finite: what it belongs to and, unless -1, its row in the batch and its token.
struct Culprit {
    std::string what;
    double value = 0;
    int row = -1, token = -1;
};
/// The first such number of a batch, with its row and, in a sequence, its token.
template <class T>
Culprit first_bad_number(T const* data, Lengths lengths, int batch, int rows, int width, int stride) {
    for (int b = 0; b < batch; ++b)
        for (int t = 0, n = lengths.at(b, rows); t < n; ++t)
            for (int i = 0; i < width; ++i)
                if (T const v = data[(std::ptrdiff_t(b) * rows + t) * stride + i]; !std::isfinite(v))
                    return {{}, double(v), b, rows > 1 ? t : -1};
    return {};
}

/// Watches a forward pass for the first block that writes such a number.
class FirstBad {
public:
    void enter(Path const& place) { places_.push_back(place); }
    template <class Child, class C, class P, class X, class Y> void leave(C const& c, P const&, X, Y y) {
        if constexpr (is_numbers<typename Child::Output>)
            if (found_.row < 0) {
                found_ = first_bad_number(y.data, y.lengths, c.rows, y.rows, y.width, y.stride);
                if (found_.row >= 0) found_.what = name(type_name<typename Child::Spec>());
            }
        places_.pop_back();
    }
    /// The block; no row where all was finite.
    Culprit const& found() const noexcept { return found_; }

private:
    std::string name(std::string_view spec) const {
        char brief[44];
        short_name(spec, brief);
        std::string all = "block ";
        char const* dot = "";
        for (auto const& p : places_)
            (all += dot) += p.name ? std::string(p.name) : std::to_string(p.index), dot = ".";
        return all + " (" + brief + ")";
    }
    std::vector<Path> places_;
    Culprit found_;
};

/// The first such number of an input.
template <class Input, class X> Culprit bad_input([[maybe_unused]] X x, [[maybe_unused]] int batch) {
    Culprit bad;
    if constexpr (is_record<Input>)
        each<std::size_t(Input::fields)>([&](auto j) {
            using Field = typename Input::template field<j>;
            if constexpr (Field::kind == FieldKind::numeric)
                for (int b = 0; b < batch && bad.row < 0; ++b)
                    if (double const v = double(get<j>(x.row[b]).value); !std::isfinite(v))
                        bad = {joined("field ", Field::name.text), v, b};
        });
    else if constexpr (is_numbers<Input>) {
        bad = first_bad_number(x.data, x.lengths, batch, x.rows, x.width, x.stride);
        bad.what = "input";
    }
    return bad;
}
/// The first such number of a model's parameters, or an empty name.
template <class M> Culprit bad_parameter(typename M::Params& params) {
    Culprit bad;
    M::Block::visit(params, Path{}, [&](auto, Path const& at, Kind, auto ref) {
        for (int r = 0; r < ref.rows && bad.what.empty(); ++r)
            for (int c = 0; c < ref.width && bad.what.empty(); ++c)
                if (!std::isfinite(ref(r, c))) bad = {"parameter " + to_string(at), double(ref(r, c))};
    });
    return bad;
}
/// Where it comes from in a batch of at most B rows: a field, a parameter, or the first block that writes one
/// when the batch runs again; an empty name where all is finite.
template <class M, int B, class C, class X, class Y>
Culprit find_culprit(C const& c, typename M::Params& params, X x, Y y,
                     typename M::Block::template Tape<B>& tape, Scratch s) {
    if (Culprit bad = bad_input<typename M::Input>(x, c.rows); bad.row >= 0) return bad;
    if (Culprit bad = bad_parameter<M>(params); !bad.what.empty()) return bad;
    FirstBad seen;
    M::Block::forward(with_observer(c, seen), params, x, y, tape, s);
    return seen.found();
}
} // namespace detail

} // namespace inlay::inline INLAY_ISA
