// SPDX-License-Identifier: BSD-3-Clause
// A fit allocates before its first step and not again: this program counts every allocation there is.
#include "executors.hpp"

#include <inlay/train.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

// GCC inlines half of a replaced pair and then finds the halves different.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {
std::atomic<long> allocations{0};
void* counted(std::size_t n, std::size_t alignment = 16) {
    ++allocations;
    void* const p = std::aligned_alloc(alignment, (n + alignment) / alignment * alignment);
    if (!p) throw std::bad_alloc{};
    return p;
}
} // namespace

void* operator new(std::size_t n) { return counted(n); }
void* operator new[](std::size_t n) { return counted(n); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#if defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t n) noexcept {
    ++allocations;
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t each) noexcept {
    ++allocations;
    return __libc_calloc(n, each);
}
void* realloc(void* p, std::size_t n) noexcept {
    ++allocations;
    return __libc_realloc(p, n);
}
}
#endif

using namespace inlay;

namespace {

using Visit = Record<Categorical<"a", 10>, Numeric<"x">, Categorical<"b", 200>, History<"h", 5, SameAs<"b">>>;
using Ranker =
    Model<Visit,
          Sum<Cross<Hashed<512>, Each, Of<"a", "b">>, Stack<Embed<4>, Flatten, Dense<9>, Relu, Dense<1>>>>;
using Reader = Model<Tokens<8, 11>, Embed<6>, Residual<Dense<6>, Tanh>, Dense<11>>;
using Recurrent = Model<Tokens<8, 11>, Embed<6>, Gru<6>, Dense<11>>;

/// Allocations of the updates but the first.
template <class M, class Loss, class B, class Opt, class Data>
long while_updating(Data const& rows, TrainOptions<Opt> const& options) {
    Network<M> net(Seed{1});
    Trainer<M, Loss, B, Opt> trainer(net, options);
    trainer.update(rows[0], rows.target[0]);
    long const before = allocations;
    for (std::size_t i = 1; i < rows.size(); ++i) trainer.update(rows[i], rows.target[i]);
    return allocations - before;
}

/// Allocations between the first step's beginning and the last run of a fit, validations included.
template <class M, class Loss, class B, class Opt, class Data>
long while_fitting(Data const& rows, FitOptions<Data> const& options, long& runs,
                   TrainOptions<Opt> const& training = {}) {
    long at_first = 0, at_last = 0;
    std::function<void()> const before = [&] {
        at_last = allocations;
        if (runs++ == 0) at_first = at_last;
    };
    Network<M> net(Seed{1});
    Trainer<M, Loss, B, Opt, executors::Watched> trainer(net, training, {&before});
    trainer.fit(rows, options);
    return at_last - at_first;
}

} // namespace

TEST_CASE("the hook counts") {
    long const before = allocations;
    delete new std::string(100, 'x');
    CHECK(allocations > before);
#if defined(__GLIBC__)
    long const then = allocations;
    void* volatile p = std::malloc(10);
    std::free(p);
    CHECK(allocations > then);
#endif
}

TEST_CASE("100 steps of a fit allocate nothing") {
    long runs = 0;
    SUBCASE("a record, with validation and patience") {
        auto const rows = Rows<Visit>::random(400, Seed{1});
        CHECK(while_fitting<Ranker, BinaryCrossEntropy, Batch<32>,
                            Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>>(
                  rows, {.steps = 110, .validation = 0.2, .patience = 100, .progress = true}, runs) == 0);
    }
    SUBCASE("a text") {
        auto const rows = Rows<Tokens<8, 11>>::random(100, Seed{1});
        CHECK(while_fitting<Reader, CrossEntropy, Batch<16>, AdamW>(rows, {.steps = 110, .validate = &rows},
                                                                    runs) == 0);
    }
    SUBCASE("streams of a text") {
        auto const rows = Rows<Tokens<8, 11>>::random(100, Seed{1});
        Streams const streams(rows, {40});
        CHECK(while_fitting<Recurrent, CrossEntropy, Batch<16>, AdamW>(
                  streams, {.steps = 110, .validate = &streams}, runs, {.accumulate = 2}) == 0);
    }
    SUBCASE("all there is: several batches a step, clipped, averaged, told of") {
        auto const rows = Rows<Visit>::random(400, Seed{1});
        std::uint64_t steps = 0;
        FitOptions<Rows<Visit>> options{.steps = 110, .validation = 0.2, .patience = 100};
        options.on_step = [&](StepEvent const& e) { steps = e.step; };
        CHECK(while_fitting<Ranker, BinaryCrossEntropy, Batch<32>, AdamW>(
                  rows, options, runs, {.clip = {.norm = 1, .value = 1}, .accumulate = 3, .average = 0.9}) ==
              0);
        CHECK(steps == 110);
    }
    CHECK(runs > 110);
}

TEST_CASE("updates by event allocate nothing") {
    auto const rows = Rows<Visit>::random(200, Seed{1});
    using Rules = Optimize<On<Cross, Ftrl>, Otherwise<AdaGrad>>;
    CHECK(while_updating<Ranker, BinaryCrossEntropy, Batch<1>, Rules>(rows, {}) == 0);
    CHECK(while_updating<Ranker, BinaryCrossEntropy, Batch<64>, Rules>(
              rows, {.clip = {.norm = 1}, .average = 0.9}) == 0);
}
