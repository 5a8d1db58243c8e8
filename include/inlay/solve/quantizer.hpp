// SPDX-License-Identifier: BSD-3-Clause
// Vectors as a few small codes.
#pragma once

#include <inlay/core/error.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/core/random.hpp>
#include <inlay/core/shape.hpp>
#include <inlay/solve/orthogonal.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>

namespace inlay::inline INLAY_ISA {

/// How a ProductQuantizer is trained.
struct QuantizerOptions {
    int groups = 8, centres = 256;
    int rounds = 25;   ///< of Lloyd's iteration
    int rotations = 0; ///< rounds of OPQ, each with a round of Lloyd's
    Seed seed{1};
};

/// Product quantization (Jegou et al. 2011): a vector of D numbers, cut into groups, as the number of the
/// nearest of K centres for each group; with rotations, of the vector times an orthogonal matrix that is
/// learned along (OPQ, Ge et al. 2013). Codes of items as ids, group m's code c as id m K + c, are read by
/// `Tokens<M, M * K>`, `Embed<h>`, `MeanPool` (VQ-Rec, arXiv 2210.12316).
///
/// Training: centres begin at rows drawn apart, each next with a probability by its squared distance; an
/// empty centre takes the row that is farthest from its own. Cost: n D K a round. Ties go to the lowest
/// centre, so codes are the same on every machine that rounds alike.
class ProductQuantizer {
public:
    /// Of rows.size() / width rows. Throws Error where groups do not divide the width, or there are no rows.
    static ProductQuantizer train(std::span<float const> rows, int width, QuantizerOptions const& how) {
        ProductQuantizer q;
        if (width < 1 || how.groups < 1 || width % how.groups != 0)
            detail::fail(Error("", "QuantizerOptions::groups", detail::joined("a divisor of ", width),
                               std::to_string(how.groups)));
        if (rows.empty() || rows.size() % std::size_t(width) != 0 || how.centres < 1)
            detail::fail(Error("", "ProductQuantizer::train",
                               detail::joined("rows of ", width, " numbers, and centres"),
                               detail::joined(rows.size(), " numbers, ", how.centres, " centres")));
        q.width_ = width, q.groups_ = how.groups, q.centres_ = how.centres, q.part_ = width / how.groups;
        q.rotation_.assign(std::size_t(width) * std::size_t(width), 0.0);
        for (int i = 0; i < width; ++i) q.rotation_[std::size_t(i) * std::size_t(width + 1)] = 1;
        std::vector<double> const x(rows.begin(), rows.end());
        std::vector<double> z = x;
        std::vector<std::int32_t> code(x.size() / std::size_t(q.part_));
        q.begin(z, how.seed);
        q.distortion_.push_back(q.assign(z, code));
        for (int r = 0; r < how.rotations; ++r) {
            q.move(z, code);
            q.turn(x, z, code);
            q.distortion_.push_back(q.assign(z, code));
        }
        for (int r = 0; r < how.rounds; ++r) {
            q.move(z, code);
            q.distortion_.push_back(q.assign(z, code));
        }
        return q;
    }

    int width() const noexcept { return width_; }
    int groups() const noexcept { return groups_; }
    int centres() const noexcept { return centres_; }
    /// R [width, width]; the identity without rotations.
    std::vector<double> const& rotation() const noexcept { return rotation_; }
    /// Of group m, [centres, width / groups].
    std::span<double const> centres_of(int m) const noexcept {
        std::size_t const n = std::size_t(centres_) * std::size_t(part_);
        return {centre_.data() + std::size_t(m) * n, n};
    }
    /// The sum of squared errors over the training rows, after each round; it never grows.
    std::vector<double> const& distortion() const noexcept { return distortion_; }

    /// The codes of one vector.
    void encode(std::span<float const> x, std::span<std::int32_t> code) const {
        std::vector<double> z(static_cast<std::size_t>(width_));
        std::vector<double> const from(x.begin(), x.end());
        rotate(from.data(), z.data());
        for (int m = 0; m < groups_; ++m) code[std::size_t(m)] = nearest(z.data() + m * part_, m).first;
    }
    /// The vector that codes stand for.
    void decode(std::span<std::int32_t const> code, std::span<float> x) const {
        std::vector<double> z;
        for (int m = 0; m < groups_; ++m) {
            double const* const own = centre(m, code[std::size_t(m)]);
            z.insert(z.end(), own, own + part_);
        }
        for (int i = 0; i < width_; ++i) {
            double sum = 0;
            for (int j = 0; j < width_; ++j)
                sum += rotation_[std::size_t(i) * std::size_t(width_) + std::size_t(j)] * z[std::size_t(j)];
            x[std::size_t(i)] = float(sum);
        }
    }

private:
    double* centre(int m, int k) noexcept {
        return centre_.data() + (std::ptrdiff_t(m) * centres_ + k) * part_;
    }
    double const* centre(int m, int k) const noexcept {
        return centre_.data() + (std::ptrdiff_t(m) * centres_ + k) * part_;
    }
    double distance(double const* a, double const* b) const noexcept {
        double sum = 0;
        for (int i = 0; i < part_; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
    std::pair<std::int32_t, double> nearest(double const* z, int m) const noexcept {
        std::pair<std::int32_t, double> best{0, std::numeric_limits<double>::infinity()};
        for (int k = 0; k < centres_; ++k)
            if (double const d = distance(z, centre(m, k)); d < best.second) best = {k, d};
        return best;
    }
    /// z = x R.
    void rotate(double const* x, double* z) const noexcept {
        std::fill_n(z, width_, 0.0);
        for (int i = 0; i < width_; ++i)
            kernels::axpy<native_lanes<double>>(width_, x[i], rotation_.data() + std::ptrdiff_t(i) * width_,
                                                z);
    }
    std::size_t count(std::vector<double> const& z) const noexcept { return z.size() / std::size_t(width_); }

    void begin(std::vector<double> const& z, Seed seed) {
        centre_.assign(std::size_t(groups_) * std::size_t(centres_) * std::size_t(part_), 0.0);
        std::size_t const n = count(z);
        for (int m = 0; m < groups_; ++m) {
            Key const key = Key{seed.value}.fold(std::uint64_t(m));
            std::vector<double> away(n, std::numeric_limits<double>::infinity());
            std::size_t chosen = std::size_t(key.below(n, 0));
            for (int k = 0; k < centres_; ++k) {
                std::copy_n(z.data() + chosen * std::size_t(width_) + m * part_, part_, centre(m, k));
                double total = 0;
                for (std::size_t i = 0; i < n; ++i)
                    total += away[i] = std::min(
                        away[i], distance(z.data() + i * std::size_t(width_) + m * part_, centre(m, k)));
                double left = total * key.uniform(std::uint64_t(k) + 1, 1);
                for (chosen = 0; chosen + 1 < n && left >= away[chosen]; ++chosen) left -= away[chosen];
            }
        }
    }
    double assign(std::vector<double> const& z, std::vector<std::int32_t>& code) const {
        double total = 0;
        for (std::size_t i = 0; i < count(z); ++i)
            for (int m = 0; m < groups_; ++m) {
                auto const [k, d] = nearest(z.data() + i * std::size_t(width_) + m * part_, m);
                code[i * std::size_t(groups_) + std::size_t(m)] = k;
                total += d;
            }
        return total;
    }
    /// Centres become the means of their rows; one without rows becomes the row that is farthest from its
    /// own.
    void move(std::vector<double> const& z, std::vector<std::int32_t>& code) {
        std::size_t const n = count(z);
        for (int m = 0; m < groups_; ++m) {
            std::vector<double> sum(std::size_t(centres_) * std::size_t(part_));
            std::vector<std::size_t> rows(static_cast<std::size_t>(centres_));
            auto const at = [&](std::size_t i) { return z.data() + i * std::size_t(width_) + m * part_; };
            auto const own = [&](std::size_t i) -> std::int32_t& {
                return code[i * std::size_t(groups_) + std::size_t(m)];
            };
            for (std::size_t i = 0; i < n; ++i) {
                ++rows[std::size_t(own(i))];
                for (int t = 0; t < part_; ++t) sum[std::size_t(own(i) * part_ + t)] += at(i)[t];
            }
            for (int k = 0; k < centres_; ++k)
                for (int t = 0; t < part_ && rows[std::size_t(k)] > 0; ++t)
                    centre(m, k)[t] = sum[std::size_t(k * part_ + t)] / double(rows[std::size_t(k)]);
            for (int k = 0; k < centres_; ++k) {
                if (rows[std::size_t(k)] > 0) continue;
                std::size_t farthest = 0;
                double most = -1;
                for (std::size_t i = 0; i < n; ++i)
                    if (double const d = distance(at(i), centre(m, own(i))); d > most) most = d, farthest = i;
                if (most <= 0) break; // no row is off
                std::copy_n(at(farthest), part_, centre(m, k));
                own(farthest) = k;
            }
        }
    }
    /// R for the codes, and z = x R.
    void turn(std::vector<double> const& x, std::vector<double>& z, std::vector<std::int32_t> const& code) {
        auto const w = std::size_t(width_);
        std::vector<double> product(w * w);
        for (std::size_t i = 0; i < count(x); ++i)
            for (std::size_t a = 0; a < w; ++a)
                for (int m = 0; m < groups_; ++m)
                    kernels::axpy<native_lanes<double>>(
                        part_, x[i * w + a], centre(m, code[i * std::size_t(groups_) + std::size_t(m)]),
                        product.data() + a * w + std::size_t(m * part_));
        rotation_ = detail::nearest_orthogonal(width_, product);
        for (std::size_t i = 0; i < count(x); ++i) rotate(x.data() + i * w, z.data() + i * w);
    }

    int width_ = 0, groups_ = 0, centres_ = 0, part_ = 0;
    std::vector<double> centre_, rotation_, distortion_;
};

} // namespace inlay::inline INLAY_ISA
