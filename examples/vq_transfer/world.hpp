// SPDX-License-Identifier: BSD-3-Clause
// Items with vectors and users who choose among them, of two domains: read from files, or made up.
#pragma once

#include <inlay/core/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Domain {
    int items = 0, width = 0;
    std::vector<float> vectors;              ///< of the items, one behind the other
    std::vector<std::vector<int>> sequences; ///< items that a user had, oldest first
};

/// A line an item, its numbers; a line a user, items by their line from 0.
inline Domain read_domain(char const* vectors, char const* sequences) {
    Domain d;
    std::ifstream items(vectors), users(sequences);
    if (!items || !users)
        throw std::runtime_error(std::string("cannot read ") + (items ? sequences : vectors));
    for (std::string line; std::getline(items, line); ++d.items) {
        std::istringstream words(line);
        for (float x; words >> x;) d.vectors.push_back(x);
        if (d.items == 0) d.width = int(d.vectors.size());
        if (d.width == 0 || int(d.vectors.size()) != (d.items + 1) * d.width)
            throw std::runtime_error(std::string(vectors) + ": lines of different lengths");
    }
    for (std::string line; std::getline(users, line);) {
        std::istringstream words(line);
        std::vector<int> one;
        for (int item; words >> item;) {
            if (item < 0 || item >= d.items)
                throw std::runtime_error(std::string(sequences) + ": an item that has no vector");
            one.push_back(item);
        }
        if (one.size() > 1) d.sequences.push_back(one);
    }
    return d;
}

/// Items are directions in a space of tastes, which is the same for all domains, and so is what leads to
/// what: the next item is near a fixed rotation of the last one and near the user's own taste. A domain has
/// its own items, in its own part of the space. What one sees of an item is a vector of 32 numbers, "its
/// text": the direction through a fixed matrix, with noise.
inline Domain made_up(std::uint64_t domain, int items, int users, int length) {
    constexpr std::size_t tastes = 6, text = 32;
    using inlay::Key;
    using Point = std::array<double, tastes>;
    Key const world{7}, own = Key{11}.fold(domain);
    auto const dot = [](Point const& a, Point const& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    auto const unit = [&](Point p) {
        double const size = std::sqrt(dot(p, p));
        for (double& x : p) x /= size;
        return p;
    };
    Domain d{items, int(text), {}, {}};
    std::vector<Point> point(std::size_t(items), Point{});
    for (std::size_t i = 0; i < point.size(); ++i) {
        for (std::size_t k = 0; k < tastes; ++k) point[i][k] = 0.4 * own.normal(k) + own.fold(1).normal(i, k);
        point[i] = unit(point[i]);
        for (std::size_t t = 0; t < text; ++t) {
            double sum = 0.15 * own.fold(2).normal(i, t);
            for (std::size_t k = 0; k < tastes; ++k) sum += world.normal(t, k) * point[i][k];
            d.vectors.push_back(float(sum));
        }
    }
    std::vector<double> chance(point.size());
    for (std::uint64_t u = 0; u < std::uint64_t(users); ++u) {
        Key const user = own.fold(u + 1000);
        Point taste{};
        for (std::size_t k = 0; k < tastes; ++k) taste[k] = user.fold(3).normal(k);
        taste = unit(taste);
        std::vector<int> had{int(user.below(point.size(), 1))};
        for (std::uint64_t step = 2; int(had.size()) < length; ++step) {
            auto const& last = point[std::size_t(had.back())];
            Point wanted{}; // pairs of tastes turn by a right angle
            for (std::size_t k = 0; k < tastes; ++k)
                wanted[k] = (k % 2 ? last[k - 1] : -last[k + 1]) + 0.7 * taste[k];
            wanted = unit(wanted);
            double sum = 0;
            for (std::size_t i = 0; i < point.size(); ++i)
                sum += chance[i] = std::exp(10 * dot(wanted, point[i]));
            double left = user.uniform(step, 1) * sum;
            std::size_t next = 0;
            while (next + 1 < point.size() && (left -= chance[next]) > 0) ++next;
            if (std::find(had.begin(), had.end(), int(next)) == had.end()) had.push_back(int(next));
        }
        d.sequences.push_back(had);
    }
    return d;
}
