// SPDX-License-Identifier: BSD-3-Clause
// A block seen without its types: numbers are flat vectors of double, so that the laws are compiled once.
#pragma once

#include <inlay/core/tensor.hpp>
#include <inlay/testing/report.hpp>

#include <cstddef>
#include <functional>

namespace inlay::inline INLAY_ISA {
namespace detail::laws {

using Numbers = std::vector<double>;
using Bytes = std::vector<std::byte>;

/// What a block reads and writes in one call, and what went wrong in memory meanwhile.
struct Call {
    Numbers params, x;                  ///< x: rows * Bound::item numbers
    std::vector<std::int32_t> lengths;  ///< empty: all as long as the capacity
    std::vector<std::int64_t> position; ///< empty: all zero
    int rows = 0;
    bool taped = true, training = false;
    Bytes state;              ///< what comes in; empty: fresh
    bool wants_state = false; ///< and what goes out
    Numbers dy;               ///< empty: forward only
    Bytes d_state;            ///< the cotangent of what goes out; empty: none
    double prefill = 0;       ///< what dense gradients hold before
    bool wants_dx = true;

    Numbers y, dx, grads; ///< grads: slots merged into their tables
    Bytes state_out, d_state_in;
};
/// Tokens of one stream, one by one.
struct StepCall {
    Numbers params, x; ///< n * token numbers
    int n = 0;
    std::int64_t position = 0;
    bool training = false;
    Bytes state; ///< in and out
    Numbers y;   ///< n * Bound::width_out
};

struct TensorInfo {
    std::string name;
    Kind kind;
    int rows, width;
    std::size_t offset; ///< of its first number among the parameters
    bool slots = false; ///< its gradient is a list of rows, written and not added to
    std::size_t size() const { return std::size_t(rows) * std::size_t(width); }
};

enum class Reads { numbers, tokens, bag, record };

/// A block bound to an input and a scalar.
struct Bound {
    std::string name; ///< of the block, with its scalar
    bool is_double = false;
    double epsilon = 0, smallest = 0;
    Reads reads = Reads::numbers;
    int capacity = 0;                        ///< rows of a batch
    int rows = 1, width = 1, vocabulary = 0; ///< of the input
    int rows_out = 1, width_out = 1;
    std::size_t item = 1; ///< numbers of one row of the batch
    bool has_lengths = false, keeps_rows = false, streams = false, is_noexcept = true, has_state = false;
    std::size_t state_bytes = 0;
    std::vector<TensorInfo> tensors;
    std::size_t parameters = 0;
    LawOptions options;

    void (*run)(Bound const&, Call&, LawReport&) = nullptr;
    void (*step)(Bound const&, StepCall&, LawReport&) = nullptr;
    void (*initialize)(Numbers&, std::uint64_t seed) = nullptr;
    void (*draw_records)(Numbers&, int rows, std::uint64_t seed) = nullptr;
    /// What rounding is measured by: the sum of the absolute terms of each output. Optional.
    std::function<Numbers(Call const&)> magnitude;

    std::size_t item_out() const { return std::size_t(rows_out) * std::size_t(width_out); }
    std::size_t token() const { return reads == Reads::numbers ? std::size_t(width) : 1; }
    int length(Call const& c, int b) const { return c.lengths.empty() ? rows : c.lengths[std::size_t(b)]; }
    /// Rows of the output that mean something.
    int length_out(Call const& c, int b) const { return keeps_rows ? length(c, b) : rows_out; }
    std::size_t at_out(int b, int t, int i) const {
        return std::size_t(b) * item_out() + std::size_t(t) * std::size_t(width_out) + std::size_t(i);
    }
    /// Room for the states of a batch, all zero.
    Bytes fresh_states(int n) const { return Bytes(state_bytes * std::size_t(n)); }
};

/// Where a number of the parameters, or of an output, stands.
inline std::string place_of_parameter(Bound const& b, std::size_t i) {
    for (auto const& t : b.tensors)
        if (i >= t.offset && i < t.offset + t.size()) {
            auto const k = i - t.offset, w = std::size_t(t.width);
            return t.name + "[" + std::to_string(k / w) + ", " + std::to_string(k % w) + "]";
        }
    return "parameter " + std::to_string(i);
}
inline std::string place(std::string const& what, std::size_t i, std::size_t item, std::size_t width) {
    auto const k = i % item;
    return what + " of row " + std::to_string(i / item) + ", token " + std::to_string(k / width) + ", lane " +
           std::to_string(k % width);
}

/// The law that is being checked, for one block.
struct Law {
    Bound const& block;
    LawReport& report;
    std::string name, context{};

    void fail(std::string where, std::string got, std::string wanted) const {
        if (!context.empty()) where = context + ", " + where;
        report.add({name, block.name, std::move(where), std::move(got), std::move(wanted)});
    }
    void fail(std::string where, double got, double wanted) const {
        fail(std::move(where), number(got), number(wanted));
    }
    bool near(double got, double wanted, double tolerance) const {
        ++report.checks;
        return std::abs(got - wanted) <= tolerance; // false for NaN
    }
    /// Outputs that mean something, each within its tolerance (empty: bit-equal).
    void same_outputs(Call const& c, Numbers const& got, Numbers const& wanted,
                      Numbers const& tolerance) const {
        for (int b = 0; b < c.rows; ++b)
            for (int t = 0; t < block.length_out(c, b); ++t)
                for (int i = 0; i < block.width_out; ++i) {
                    auto const k = block.at_out(b, t, i);
                    if (!near(got[k], wanted[k], tolerance.empty() ? 0 : tolerance[k]))
                        fail(place("output", k, block.item_out(), std::size_t(block.width_out)), got[k],
                             wanted[k]);
                }
    }
    void same_parameters(Numbers const& got, Numbers const& wanted, double tolerance, double plus = 0) const {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (!near(got[i], wanted[i] + plus, tolerance))
                fail("gradient of " + place_of_parameter(block, i), got[i], wanted[i] + plus);
    }
    void same_inputs(Numbers const& got, Numbers const& wanted, double tolerance) const {
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (!near(got[i], wanted[i], tolerance))
                fail(place("gradient of input", i, block.item, block.token()), got[i], wanted[i]);
    }
};

inline double largest(Numbers const& x) {
    double m = 0;
    for (double v : x) m = std::abs(v) > m ? std::abs(v) : m;
    return m;
}
/// What two ways to the same outputs may differ by.
inline Numbers tolerances(Bound const& b, Call const& c, Numbers const& y) {
    double const epsilon = b.epsilon;
    if (!b.magnitude) return Numbers(y.size(), 256 * epsilon * (largest(y) > 1 ? largest(y) : 1));
    Numbers m = b.magnitude(c);
    for (double& v : m) v = 16 * epsilon * v + b.smallest;
    return m;
}
/// What two ways to the same gradients may differ by.
inline double gradient_tolerance(Bound const& b, Numbers const& g) {
    return 2048 * b.epsilon * largest(g) + b.smallest;
}

} // namespace detail::laws
} // namespace inlay::inline INLAY_ISA
