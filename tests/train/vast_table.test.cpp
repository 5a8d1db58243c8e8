// SPDX-License-Identifier: BSD-3-Clause
// Tables of more numbers than an int counts. They lie in pages that cost nothing until they are touched, so
// only what reads and writes single rows is tried here.
#include <inlay/io/weights.hpp>
#include <inlay/train.hpp>

#include <doctest/doctest.h>

#include <sys/mman.h>

using namespace inlay;

namespace {
constexpr int V = 200'000'000, D = 32;
using Reader = Model<Tokens<3, V>, Embed<D>>;
using Event = Record<Categorical<"item", V>, History<"seen", 2, SameAs<"item">>>;
using Visits = Model<Event, Embed<D>>;
using Small = Reader::with<Weights<Int8>>;

/// Zeros in the place of a T.
template <class T> class Untouched {
public:
    Untouched()
        : at_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0)) {
        REQUIRE(at_ != MAP_FAILED);
    }
    Untouched(Untouched const&) = delete;
    ~Untouched() { munmap(at_, sizeof(T)); }
    T& operator*() const { return *static_cast<T*>(at_); }
    /// The number at a place of the whole, counted here and not by the library.
    float& number(std::size_t i) const { return static_cast<float*>(at_)[i]; }

private:
    void* at_;
};
template <class M> using ParamsOf = Untouched<typename M::Params>;

std::size_t place(std::int32_t row, int column) { return std::size_t(row) * D + std::size_t(column); }
void draw(ParamsOf<Reader> const& p, std::int32_t row) {
    for (int i = 0; i < D; ++i) p.number(place(row, i)) = float(row % 1000) + 0.5F * float(i);
}
/// A block of a user's own, which counts in int.
struct Counted {
    template <int... N> static Tag<Shape<N...>> out(Tag<Shape<N...>>);
    template <class I, class R> struct Block : BlockDefaults {
        using Spec = Counted;
        using Output = I;
        static constexpr int parameters = 2'000'000'000;
    };
};
} // namespace

static_assert(Reader::parameters == 6'400'000'000 && Small::parameters == Reader::parameters);
static_assert(Visits::parameters == 6'400'000'000);
static_assert(Model<Vector<4>, Counted, Counted>::parameters == 4'000'000'000);
static_assert(Model<Vector<4>, Repeat<3, Counted>>::parameters == 6'000'000'000);
static_assert(Model<Vector<4>, Sum<Counted, Counted>>::parameters == 4'000'000'000);
static_assert(sizeof(Reader::Params) == 25'600'000'000);

// The first row is where an int is past its end, the second where 32 bits are.
constexpr std::int32_t ids[] = {67'108'864, 199'999'999, 7};

TEST_CASE("rows behind the first 2^31 numbers are read, step by step too, and learned") {
    ParamsOf<Reader> p;
    for (auto const id : ids) draw(p, id);
    alignas(64) float y[3 * D], dy[3 * D], token[D];
    NoTape none;
    Context<> const c{.rows = 1, .capacity = 1};
    In<Reader::Input, Reader::Scalar> const x{ids, sizeof ids};
    using Block = Reader::Block;
    Block::forward(c, *p, x, Out<Reader::Output, Reader::Scalar>{y}, none, Scratch{});
    for (int t = 0; t < 3; ++t) {
        Reader::Block::State state{};
        Block::step(c, *p, state, ids + t, token, Scratch{});
        for (int i = 0; i < D; ++i) {
            CHECK(y[t * D + i] == p.number(place(ids[t], i)));
            CHECK(token[i] == y[t * D + i]);
            dy[t * D + i] = float(1 + t);
        }
    }
    detail::Gradients<Reader, 1> g(1, 1);
    g.clear(0);
    Block::Tape<1> tape;
    Block::backward(c, *p, x, tape, In<Reader::Output, Reader::Scalar>{dy}, NoGrad{}, g.shard(0), Scratch{});
    g.sum(0, 1);
    ParamsOf<Reader> sums;
    auto const all = detail::named_tensors<Reader>(*p);
    g.each_run(0, D, [&](std::ptrdiff_t at, float const* d, std::ptrdiff_t n) {
        AdaGrad{.learning_rate = 0.5}.update(StepInfo{}, all[0].ref.data + at, d, &sums.number(0) + at,
                                             static_cast<float*>(nullptr), n);
    });
    for (int t = 0; t < 3; ++t)
        for (int i = 0; i < D; ++i) {
            CHECK(sums.number(place(ids[t], i)) == float((1 + t) * (1 + t)));
            CHECK(p.number(place(ids[t], i)) == doctest::Approx(double(y[t * D + i]) - 0.5));
            if (t == 1) CHECK(p.number(std::uint32_t(place(ids[t], i))) == 0);
        }
}

TEST_CASE("a record's fields read such rows, one by one and pooled") {
    ParamsOf<Visits> p;
    for (auto const id : ids)
        for (int i = 0; i < D; ++i) p.number(place(id, i)) = float(id % 1000 + i);
    Event::Row row{};
    get<0>(row).id = ids[1];
    get<1>(row).count = 2, get<1>(row).id[0] = ids[0], get<1>(row).id[1] = ids[1];
    alignas(64) float y[2 * D];
    NoTape none;
    Visits::Block::forward(Context<>{.rows = 1, .capacity = 1}, *p, In<Event, Visits::Scalar>{&row},
                           Out<Visits::Output, Visits::Scalar>{y}, none, Scratch{});
    for (int i = 0; i < D; ++i) {
        CHECK(y[i] == float(999 + i));
        CHECK(y[D + i] == (float(864 + i) + float(999 + i)) / 2);
    }
}

TEST_CASE("rows of 8 bits behind the first 2^31 are read") {
    ParamsOf<Small> p;
    float row[D], token[D];
    for (int i = 0; i < D; ++i) row[i] = float(127 - 4 * i); // of scale 1
    Small::Block::visit(*p, Path{}, [&](auto, Path const&, Kind, auto ref) {
        CHECK(std::size_t(ref.rows) * std::size_t(ref.stride) == 6'400'000'000);
        ref.put_row(ids[1], row);
    });
    Small::Block::State state{};
    Small::Block::step(Context<>{.rows = 1, .capacity = 1}, *p, state, ids + 1, token, Scratch{});
    for (int i = 0; i < D; ++i) CHECK(token[i] == row[i]);
}

TEST_CASE("files give such a table its place and what stands behind it another") {
    using Headed = Model<Tokens<3, V>, Embed<D>, Dense<2>>;
    ParamsOf<Headed> p;
    std::vector<TensorSource> sources;
    for (auto const& t : detail::named_tensors<Headed>(*p)) sources.push_back(detail::source_of(t));
    auto const header = detail::plan_safetensors("file", sources, {}).header;
    CHECK(header.find("\"data_offsets\":[0,25600000000]") != std::string::npos);
    CHECK(header.find("\"data_offsets\":[25600000008,25600000264]") != std::string::npos);
}
