// SPDX-License-Identifier: BSD-3-Clause
// What a prediction is made of, and what a hashed table mixes up.
#pragma once

#include <inlay/combine/gated_cross.hpp>
#include <inlay/combine/parallel.hpp>
#include <inlay/core/rows.hpp>
#include <inlay/probe/watch.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace inlay::inline INLAY_ISA {

/// A part of a logit.
struct LogitShare {
    std::string place{};               ///< of the block, as names of tensors: `0.1`
    std::vector<std::string> fields{}; ///< of a cross; none for its bias, and for other blocks
    std::vector<std::int32_t> ids{};   ///< of those fields, in this row
    std::int32_t slot = -1;            ///< the row of the cross's table
    double gate = 1;                   ///< of a gated cross
    double value = 1;                  ///< of a cross: the weight of an id that has one
    double share = 0;                  ///< what is added to the logit
};

namespace detail {
template <class B>
concept IsExactCross = requires(typename B::Params const& p) {
    typename B::Keys;
    p.weight.data[0];
};

template <class Sum> inline constexpr bool is_sum = false;
template <class... Branches> inline constexpr bool is_sum<Sum<Branches...>> = true;

/// The tree of sums under the last block of a model.
template <class Rec> class AuditWatch {
public:
    void enter(Path const& place) {
        if (!muted_) place_.enter(place);
    }
    template <class Block, class C, class P, class X, class Y>
    void leave(C const& c, P const& p, [[maybe_unused]] X x, Y y) {
        if (muted_) return;
        if constexpr (std::is_same_v<typename Block::Output, Shape<1>>) {
            Part part{place_.text(), is_sum<typename Block::Spec>, {}};
            if constexpr (IsExactCross<Block>) crosses<Block>(c, p, x, part);
            else part.shares.push_back({.place = part.place, .share = double(y(0)[0])});
            parts_.push_back(std::move(part));
        }
        place_.leave();
    }
    /// Sums are replaced by their branches.
    std::vector<LogitShare> shares() const {
        std::vector<LogitShare> all;
        for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) // the last block ends last
            if (part->place.find('.') == std::string::npos) {
                add(*part, all);
                break;
            }
        return all;
    }

private:
    struct Part {
        std::string place;
        bool is_sum;
        std::vector<LogitShare> shares;
    };
    void add(Part const& part, std::vector<LogitShare>& all) const {
        if (!part.is_sum) {
            all.insert(all.end(), part.shares.begin(), part.shares.end());
            return;
        }
        for (auto const& child : parts_)
            if (child.place.rfind(part.place + ".", 0) == 0 &&
                child.place.find('.', part.place.size() + 1) == std::string::npos)
                add(child, all);
    }
    template <class Block, class C, class P, class X> void crosses(C const& c, P const& p, X x, Part& part) {
        using Keys = typename Block::Keys;
        auto const& row = x.row[0];
        std::vector<double> gate(std::size_t(Keys::groups), 1.0);
        if constexpr (requires { &Block::template gates<C>; }) {
            auto const room = aligned_bytes(Block::scratch(1) + 64);
            muted_ = true; // the gate's network has been seen already
            auto const g = Block::gates(c, p, x, Scratch{room.get()});
            muted_ = false;
            for (std::size_t q = 0; q < gate.size(); ++q) gate[q] = double(g(0)[q]);
        }
        part.shares.push_back({.place = part.place, .slot = 0, .share = double(p.weight.data[0])});
        Keys::each_valued(row, [&](int k, std::int32_t slot, float value) {
            double const g = gate[std::size_t(Keys::group_of[std::size_t(k)])];
            LogitShare one{.place = part.place, .slot = slot, .gate = g, .value = double(value)};
            one.share = g * one.value * double(p.weight.data[slot]);
            one.ids = Keys::ids_at(row, k);
            for (int const f : Keys::fields_at(k)) one.fields.push_back(name_of(f));
            part.shares.push_back(std::move(one));
        });
    }
    static std::string name_of(int field) {
        std::string name;
        each<std::size_t(Rec::fields)>([&](auto j) {
            if (int(j) == field) name = Rec::template field<j>::name.text;
        });
        return name;
    }
    PlaceNow place_;
    std::vector<Part> parts_;
    bool muted_ = false;
};
} // namespace detail

/// Each cross, bias and other branch of a model's last block with its share of the logit of one row, largest
/// first in size; the shares sum to the logit. A model whose last block is a Sum, or sums of sums, is taken
/// apart into their branches, and exact crosses, gated or not, into what fired; any other block is one share.
/// The model gives one number.
template <class M>
    requires is_record<typename M::Input>
std::vector<LogitShare> audit(Network<M> const& net, typename M::Input::Row const& row) {
    static_assert(std::is_same_v<typename M::Output, Shape<1>>,
                  "inlay: audit wants a model that gives one number");
    detail::AuditWatch<typename M::Input> observer;
    watch(net, In<typename M::Input, typename M::Scalar>{&row}, observer);
    auto shares = observer.shares();
    auto const order = [](LogitShare const& s) { return std::tuple(-std::abs(s.share), s.place, s.slot); };
    std::sort(shares.begin(), shares.end(),
              [&](LogitShare const& a, LogitShare const& b) { return order(a) < order(b); });
    return shares;
}

/// How many different crosses a data set has, and how many of them share a weight.
struct Collisions {
    std::size_t slots = 0;    ///< of the table, without the bias
    std::size_t keys = 0;     ///< different crosses
    std::size_t used = 0;     ///< slots with at least one
    std::size_t collided = 0; ///< crosses whose slot another one has, too

    double share() const noexcept { return keys == 0 ? 0 : double(collided) / double(keys); }
    /// The share to be expected of so many keys and slots: 1 - (1 - 1 / slots)^(keys - 1).
    double expected() const noexcept {
        return keys == 0 ? 0 : 1 - std::pow(1 - 1 / double(slots), double(keys - 1));
    }
};

/// Collisions of a Cross over the rows of a data set: `collisions<Cross<Hashed<1 << 16>, Each>>(rows)`.
/// Of<"a"> and the a under Each are one key. Memory: 16 bytes a cross that fires.
template <class Spec, class... F> Collisions collisions(Rows<Record<F...>> const& rows) {
    using Block = typename Spec::template Block<Record<F...>, Native>;
    using Keys = typename Block::Keys;
    std::vector<std::pair<std::int32_t, std::uint64_t>> seen;
    for (std::size_t i = 0; i < rows.size(); ++i)
        Keys::each(rows[i], [&](int k, std::int32_t slot) {
            auto const fields = Keys::fields_at(k);
            auto const ids = Keys::ids_at(rows[i], k);
            std::vector<std::uint64_t> words;
            for (std::size_t f = 0; f < fields.size(); ++f) {
                words.push_back(std::uint64_t(fields[f]));
                words.push_back(std::uint64_t(ids[f]));
            }
            seen.emplace_back(slot, xxh64_words(words.data(), int(words.size()), 0x5eed));
        });
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    Collisions c{.slots = std::size_t(Keys::slots), .keys = seen.size()};
    for (std::size_t i = 0; i < seen.size();) {
        std::size_t next = i;
        while (next < seen.size() && seen[next].first == seen[i].first) ++next;
        ++c.used;
        if (next - i > 1) c.collided += next - i;
        i = next;
    }
    return c;
}

} // namespace inlay::inline INLAY_ISA
