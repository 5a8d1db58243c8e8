// SPDX-License-Identifier: BSD-3-Clause
// A trainer to and from a file: everything that a fit needs to go on as if it had not been interrupted.
#pragma once

#include <inlay/io/json.hpp>
#include <inlay/io/state.hpp>
#include <inlay/io/weights.hpp>
#include <inlay/train/trainer.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// Numbers by name as members of a JSON object, written or read. A number that is not finite is a text.
class JsonOut {
public:
    void operator()(char const* name, std::uint64_t v) { out.push_back({name, Json{v}}); }
    void operator()(char const* name, int v) { out.push_back({name, Json{std::int64_t(v)}}); }
    void operator()(char const* name, bool v) { out.push_back({name, Json{v}}); }
    void operator()(char const* name, double v) {
        if (std::isfinite(v)) out.push_back({name, Json{v}});
        else out.push_back({name, Json{std::string(std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf")}});
    }
    Json::Object out;
};
class JsonIn {
public:
    JsonIn(Json const& from, std::string const& file) : from_(from), file_(file) {}
    void operator()(char const* name, std::uint64_t& v) const {
        if (auto const* n = at(name).get<std::uint64_t>()) v = *n;
        else wrong(name, "a count");
    }
    void operator()(char const* name, int& v) const {
        auto const n = at(name).number();
        if (!n || *n != std::floor(*n) || std::abs(*n) > 2e9) wrong(name, "a whole number");
        v = int(*n);
    }
    void operator()(char const* name, bool& v) const {
        if (auto const* b = at(name).get<bool>()) v = *b;
        else wrong(name, "true or false");
    }
    void operator()(char const* name, double& v) const {
        Json const& json = at(name);
        if (auto const n = json.number()) v = *n;
        else if (auto const* s = json.get<std::string>(); s && (*s == "nan" || *s == "inf" || *s == "-inf"))
            v = *s == "nan"   ? std::numeric_limits<double>::quiet_NaN()
                : *s == "inf" ? std::numeric_limits<double>::infinity()
                              : -std::numeric_limits<double>::infinity();
        else wrong(name, "a number");
    }

private:
    Json const& at(char const* name) const {
        if (auto const* found = from_.find(name)) return *found;
        fail(Error(file_, "metadata inlay.trainer", name, "none"));
    }
    [[noreturn]] void wrong(char const* name, char const* wanted) const {
        fail(Error(file_, joined("metadata inlay.trainer, ", name), wanted, to_json(at(name))));
    }
    Json const& from_;
    std::string const& file_;
};
template <class F, class S> void each_member(S& s, F&& f) {
    f("open", s.open), f("epochs", s.epochs), f("steps", s.steps), f("rows", s.rows), f("at", s.at);
    f("of", s.of), f("skipped", s.skipped), f("judged", s.judged), f("loss", s.loss), f("count", s.count);
    f("last_loss", s.last_loss), f("validation", s.validation), f("best", s.best), f("worse", s.worse);
    f("kept", s.kept);
}

/// What a trainer's files read and write of it.
struct Checkpoint {
    template <class Trainer> using NamedOf = NamedTensor<typename Trainer::T>;

    /// Parameters as `model.0.weight`, the optimizers' state as `optimizer.0.0.weight` and
    /// `optimizer.1.0.weight`, the average and the best weights as `average.0.weight` and `best.0.weight`.
    template <class Trainer>
    static std::vector<NamedOf<Trainer>> tensors(Trainer& t, bool average, bool best) {
        using M = typename Trainer::Model;
        using Params = typename M::Params;
        std::vector<NamedOf<Trainer>> all;
        auto const add = [&](std::string const& prefix, Params& params) {
            for (auto& tensor : named_tensors<M>(params))
                all.push_back({prefix + tensor.name, tensor.kind, tensor.ref});
        };
        add("model.", *t.params_);
        for (auto const& p : t.parameters_.list())
            for (int s = 0; s < 2; ++s)
                if (p.slot[s]) {
                    auto ref = p.ref;
                    ref.data = p.slot[s];
                    all.push_back({joined("optimizer.", s, ".", p.name), p.kind, ref});
                }
        if (average) add("average.", t.average_.params());
        if (best) add("best.", *reinterpret_cast<Params*>(t.best_.get()));
        return all;
    }
    /// The whole numbers that `get` returns when they are written.
    template <class Get>
    static TensorSource whole(std::string name, std::vector<std::uint64_t> shape, Get get) {
        using Number = typename std::remove_cvref_t<decltype(get())>::value_type;
        return {std::move(name), whole_dtype<Number>, std::move(shape), [get](std::byte* to) {
                    auto const& numbers = get();
                    store_whole(numbers.data(), numbers.size(), to);
                }};
    }
    static void read(Safetensors const& file, std::string const& name, auto& numbers) {
        load_whole(file.find(name)->bytes.data(), numbers.size(), numbers.data());
    }
    /// The states of the streams that a fit reads, bytes as this build lays them out, and where they are.
    template <class Trainer> static std::vector<TensorSource> carried(Trainer& t) {
        auto& c = t.carried_;
        auto const n = std::uint64_t(c.positions().size());
        return {{"carried.state",
                 DType::U8,
                 {n, c.state_bytes},
                 [&c](std::byte* to) { std::ranges::copy(c.bytes(), to); }},
                whole("carried.position", {n, 1}, [&c]() -> auto& { return c.positions(); }),
                whole("carried.next", {n, 1}, [&c]() -> auto& { return c.next_rows(); })};
    }
    /// By how many steps the average of each row of a table is behind, as `average_behind.0.weight`.
    template <class Trainer> static std::vector<TensorSource> behind(Trainer const& t) {
        std::vector<TensorSource> all;
        each_table(t, t.average_.begun(), [&](std::size_t i, std::string name, std::size_t rows) {
            all.push_back(whole(std::move(name), {rows}, [&t, i] { return t.average_.behind(i); }));
        });
        return all;
    }
    /// Calls f(i, name, rows) for the tables that an average follows row by row, if there is one.
    template <class Trainer, class F> static void each_table(Trainer const& t, bool average, F f) {
        auto const& list = t.parameters_.list();
        for (std::size_t i = 0; i < list.size(); ++i)
            if (auto const rows = t.average_.rows(i); average && rows > 0)
                f(i, "average_behind." + list[i].name, rows);
    }
    template <class Trainer> static auto const& options(Trainer const& t) { return t.options_; }
    /// What the network holds, as save(net, path) does.
    template <class Trainer> static void save_weights(Trainer const& t, std::string const& path) {
        using M = typename Trainer::Model;
        std::vector<TensorSource> sources;
        for (auto const& tensor : named_tensors<M>(std::as_const(*t.params_)))
            sources.push_back(source_of(tensor));
        write_safetensors(path, sources);
    }
    template <class Trainer> static void save(Trainer& t, std::string const& path) {
        JsonOut state;
        state("version", 1);
        state("seed", t.options_.seed.value);
        state("batch", int(t.step_rows()));
        state("step", t.step_);
        state("epoch", t.epoch_);
        state("seen", std::uint64_t(t.seen_));
        state("average", t.average_.begun());
        Json::Array rules;
        for (auto name : Trainer::rule_names()) rules.push_back(Json{std::string(name)});
        state.out.push_back({"optimizers", Json{std::move(rules)}});
        JsonOut fit;
        each_member(t.fit_, fit);
        state.out.push_back({"fit", Json{std::move(fit.out)}});
        std::vector<TensorSource> sources;
        for (auto const& tensor : tensors(t, t.average_.begun(), t.fit_.kept))
            sources.push_back(source_of(tensor));
        std::map<std::string, std::string> words{{"inlay.trainer", to_json(Json{std::move(state.out)})}};
        if (t.carried_.begun()) {
            for (auto& states : carried(t)) sources.push_back(std::move(states));
            words.emplace("inlay.state", state_kind<typename Trainer::Model>());
        }
        for (auto& counts : behind(t)) sources.push_back(std::move(counts));
        write_safetensors(path, sources, words);
    }
    template <class Trainer> static void load(Trainer& t, std::string const& path) {
        auto const file = Safetensors::read(path);
        auto const found = file.metadata().find("inlay.trainer");
        if (found == file.metadata().end())
            fail(Error(path, "metadata", "a trainer's state under inlay.trainer", "none"));
        Json const json = parse_json(found->second, path, "metadata inlay.trainer");
        JsonIn const in(json, path);
        expect<int>(in, path, "version", 1);
        expect<std::uint64_t>(in, path, "seed", t.options_.seed.value);
        expect<int>(in, path, "batch", int(t.step_rows()));
        expect_optimizers<Trainer>(json, path);
        std::uint64_t step = 0, epoch = 0, seen = 0;
        bool average = false;
        in("step", step), in("epoch", epoch), in("seen", seen), in("average", average);
        if (average != (average && t.average_))
            fail(Error(path, "metadata inlay.trainer, average", "none, as TrainOptions has none", "one"));
        FitState fit;
        if (auto const* inner = json.find("fit")) each_member(fit, JsonIn(*inner, path));
        else fail(Error(path, "metadata inlay.trainer", "fit", "none"));
        if (fit.kept && !t.best_) t.best_ = aligned_bytes(sizeof(typename Trainer::Model::Params));
        auto const wanted = tensors(t, average, fit.kept);
        bool const carries = file.find("carried.state") && has_a_state<typename Trainer::Model>;
        if (carries) t.carried_.make_room(t.step_rows());
        auto const states = carries ? carried(t) : std::vector<TensorSource>{};
        TensorList list(file);
        for (auto const& tensor : wanted) list.want(tensor.name, tensor.shape());
        for (auto const& s : states) list.want(s.name, s.shape, s.dtype);
        each_table(t, average, [&](std::size_t, std::string const& name, std::size_t rows) {
            if (file.find(name)) list.want(name, {rows}, DType::U64);
        });
        list.settle();
        if (carries) expect_states<typename Trainer::Model>(file, path);
        for (auto const& tensor : wanted)
            if (auto const dtype = file.find(tensor.name)->dtype; dtype != real_dtype<typename Trainer::T>)
                fail(Error(path, "tensor " + tensor.name,
                           std::string(dtype_name(real_dtype<typename Trainer::T>)),
                           std::string(dtype_name(dtype))));
        t.parameters_.forget();
        for (auto const& tensor : wanted) fill_tensor(file, tensor);
        t.carried_.forget();
        if (carries) {
            std::ranges::copy(file.find("carried.state")->bytes, t.carried_.bytes().data());
            read(file, "carried.position", t.carried_.positions());
            read(file, "carried.next", t.carried_.next_rows());
        }
        t.step_ = step;
        t.epoch_ = epoch;
        t.seen_ = std::int64_t(seen);
        t.average_.begin(average);
        each_table(t, average, [&](std::size_t i, std::string const& name, std::size_t rows) {
            std::vector<std::uint64_t> behind(rows); // a file without counts is up to date
            if (file.find(name)) read(file, name, behind);
            t.average_.set_behind(i, behind);
        });
        t.fit_ = fit;
    }

private:
    /// The states lie in the file as this build would lay them.
    template <class M> static void expect_states(Safetensors const& file, std::string const& path) {
        auto const found = file.metadata().find("inlay.state");
        std::string const wanted = state_kind<M>(), is = found == file.metadata().end() ? "" : found->second;
        if (is != wanted) fail(Error(path, "metadata inlay.state", wanted, is.empty() ? "none" : is));
    }
    template <class N>
    static void expect(JsonIn const& in, std::string const& path, char const* name, N const& wanted) {
        N found{};
        in(name, found);
        if (found != wanted)
            fail(Error(path, joined("metadata inlay.trainer, ", name), std::to_string(wanted),
                       std::to_string(found)));
    }
    template <class Trainer> static void expect_optimizers(Json const& json, std::string const& path) {
        std::string expected, found;
        for (auto name : Trainer::rule_names()) (expected += expected.empty() ? "" : ", ") += name;
        if (auto const* list = json.find("optimizers"); list && list->get<Json::Array>())
            for (auto const& name : *list->get<Json::Array>())
                if (auto const* text = name.get<std::string>()) (found += found.empty() ? "" : ", ") += *text;
        if (found != expected) fail(Error(path, "metadata inlay.trainer, optimizers", expected, found));
    }
};
} // namespace detail

/// Writes all that a trainer is to a safetensors file, whole or not at all: parameters, optimizer state, the
/// average and the best weights, counts and seeds, and how far a fit has come. From a callback of a fit too.
template <class M, class Loss, class B, class Opt, class Exec>
void save(Trainer<M, Loss, B, Opt, Exec>& trainer, std::string const& path) {
    detail::Checkpoint::save(trainer, path);
}
/// The inverse: `fit` with `.resume` then goes on as if it had never stopped, bit by bit where build, data
/// and options are the same. Throws Error, and leaves the trainer as it was, for a file of another model,
/// batch, seed or kind of optimizer.
template <class M, class Loss, class B, class Opt, class Exec>
void load(Trainer<M, Loss, B, Opt, Exec>& trainer, std::string const& path) {
    detail::Checkpoint::load(trainer, path);
}

} // namespace inlay::inline INLAY_ISA
