// SPDX-License-Identifier: BSD-3-Clause
// Training with tables of V rows of which a few occur: the others are not written, and not even read, by
// gradients, clipping, optimizer, average. They lie in pages that are closed meanwhile.
#pragma once

#include "fixtures.hpp"

#include <inlay/train/checkpoint.hpp>

#include <doctest/doctest.h>

#include <set>

#include <sys/mman.h>
#include <unistd.h>

namespace large {

using namespace inlay;

template <int V>
using Event = Record<Categorical<"user", V>, Categorical<"item", V>, History<"seen", 5, SameAs<"item">>>;
template <Name Field, int D> using Items = Stack<Select<Field>, Embed<D, Share<"items">>>;
/// A table of its own, a shared one, two that are hashed.
template <int V, int D>
using Ranker =
    Model<Event<V>, Sum<Cross<Hashed<V>, Of<"user", "item">>,
                        Stack<Concat<Stack<Select<"user">, Embed<D>, Flatten>,
                                     Stack<Items<"item", D>, Flatten>, Stack<Items<"seen", D>, Flatten>,
                                     Stack<Select<"item">, Embed<D, HashedRows<V / 2>>, Flatten>>,
                              Dense<1>>>>;

/// Pages of memory that nobody may read while this lives, but those that hold what is kept open.
class Closed {
public:
    void close(void* data, std::size_t bytes, std::vector<std::pair<std::size_t, std::size_t>> const& open) {
        auto const begin = reinterpret_cast<std::uintptr_t>(data), end = begin + bytes;
        std::set<std::uintptr_t> kept;
        for (auto const& [at, size] : open)
            for (auto p = (begin + at) / page; p <= (begin + at + size - 1) / page; ++p) kept.insert(p);
        for (auto p = (begin + page - 1) / page; (p + 1) * page <= end;) {
            auto last = p;
            while ((last + 1) * page <= end && !kept.contains(last)) ++last;
            if (last > p) {
                auto* const at = reinterpret_cast<void*>(p * page);
                REQUIRE(mprotect(at, (last - p) * page, PROT_NONE) == 0);
                runs_.emplace_back(at, (last - p) * page);
                bytes_ += (last - p) * page;
            }
            p = last + 1;
        }
    }
    std::size_t bytes() const { return bytes_; }
    Closed() = default;
    Closed(Closed const&) = delete;
    ~Closed() {
        for (auto const& [at, size] : runs_) mprotect(at, size, PROT_READ | PROT_WRITE);
    }

private:
    std::uintptr_t page = std::uintptr_t(sysconf(_SC_PAGESIZE));
    std::vector<std::pair<void*, std::size_t>> runs_;
    std::size_t bytes_ = 0;
};

/// Takes steps with all but the rows that occur shut; `then(trainer, net)` comes after.
template <int V, int D, class Then> void only_touched_rows(Then then) {
    using M = Ranker<V, D>;
    using T = Trainer<M, BinaryCrossEntropy, Batch<16>, AdamW>;
    static_assert(sizeof(typename M::Block::template Grads<2>) < 8192); // of a shard
    auto rows = Rows<Event<V>>::random(32, Seed{3});
    auto net = Network<M>(Seed{1});
    T trainer(net, {.optimizer = {.row_decay = 0.1},
                    .clip = {.norm = 0.5, .value = 1},
                    .accumulate = 2,
                    .average = 0.9});
    auto const all = fixtures::first(32);
    trainer.step(rows, all); // the average begins as a copy
    auto const rows_moved = [&](TensorRef<float> const& m) {
        std::vector<int> moved;
        for (int r = 0; r < m.rows; ++r)
            if (std::any_of(&m(r, 0), &m(r, 0) + m.width, [](float x) { return x != 0; })) moved.push_back(r);
        return moved;
    };
    std::set<std::int32_t> users, items, item;
    std::size_t pairs = 0;
    for (auto const& row : rows.row) {
        users.insert(get<0>(row).id), items.insert(get<1>(row).id), item.insert(get<1>(row).id);
        items.insert(get<2>(row).id, get<2>(row).id + get<2>(row).count);
        pairs += get<0>(row).id != 0 && get<1>(row).id != 0;
    }
    {
        Closed closed;
        int tables = 0;
        std::size_t weights = 0;
        for (auto const& p : trainer.parameters()) {
            if (p.kind != Kind::table) continue;
            ++tables;
            auto m = p.ref;
            m.data = p.slot[0];
            auto const moved = rows_moved(m);
            std::size_t const wanted = p.name == "items.weight"       ? items.size()
                                       : p.name == "0.1.0.0.1.weight" ? users.size()
                                       : p.name.starts_with("0.0")    ? pairs + 1
                                                                      : item.size();
            CAPTURE(p.name);
            CHECK(moved.size() == wanted);
            std::vector<std::pair<std::size_t, std::size_t>> open;
            for (int const r : moved)
                open.emplace_back(std::size_t(r) * std::size_t(p.ref.stride) * sizeof(float),
                                  std::size_t(p.ref.stride) * sizeof(float));
            for (auto const& tensor : detail::Checkpoint::tensors(trainer, true, false))
                if (tensor.name.ends_with("." + p.name)) // weights, moments, average
                    closed.close(tensor.ref.data, tensor.ref.size() * sizeof(float), open);
            weights += p.ref.size() * sizeof(float);
        }
        CHECK(tables == 4);
        CHECK(closed.bytes() > 3 * weights); // four arrays each, nearly all of them shut
        for (int n = 0; n < 20; ++n) trainer.step(rows, all);
        for (std::size_t i = 0; i < rows.size(); ++i) trainer.update(rows[i], float(i % 2));
    }
    then(trainer, net);
}

} // namespace large
