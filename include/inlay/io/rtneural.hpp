// SPDX-License-Identifier: BSD-3-Clause
// Models of RTNeural's JSON files: Keras layers, one after the other, that process a signal sample by sample.
#pragma once

#include <inlay/blocks/activation.hpp>
#include <inlay/blocks/conv.hpp>
#include <inlay/blocks/recurrent.hpp>
#include <inlay/core/joined.hpp>
#include <inlay/io/json.hpp>
#include <inlay/io/mapped_file.hpp>
#include <inlay/io/weights.hpp>

#include <array>
#include <span>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A file's layers, and the tensors of a model that they fill when all of them fit.
template <class T> class RtNeuralReader {
public:
    RtNeuralReader(std::string const& path, std::vector<NamedTensor<T>> tensors)
        : path_(path), json_(parse_json(MappedFile{path}.text(), path, "")), tensors_(std::move(tensors)) {
        Json const* const layers = member(json_, "layers", "the file");
        auto const* const list = layers->get<Json::Array>();
        if (!list) wrong("layers", "an array", "something else");
        for (auto const& layer : *list) {
            layers_.push_back(&layer);
            activations_.push_back(text(layer, "activation"));
        }
    }
    void expect_width(int width) const {
        auto const found = last_number(*member(json_, "in_shape", "the file"));
        if (found != width) wrong("in_shape", joined(width, " numbers a sample"), joined(found));
    }
    void block(std::size_t index) { prefix_ = std::to_string(index) + "."; }

    template <int N, class... P> void take(Tag<Dense<N, P...>>) {
        open(text_of_next() == "time-distributed-dense" ? "time-distributed-dense" : "dense");
        auto const& w = tensor("weight");
        auto const in = std::size_t(w.width), out = std::size_t(w.rows);
        auto const from = numbers(0, {{in, out}});
        fill(w, [&](std::size_t o, std::size_t i) { return from[i * out + o]; });
        auto const bias = numbers(1, {{out}});
        fill(tensor("bias"), [&](std::size_t, std::size_t o) { return bias[o]; });
    }
    template <int Taps, class... P> void take(Tag<CausalConv1d<Taps, P...>>) {
        using Spec = CausalConv1d<Taps, P...>;
        static_assert(Spec::channels > 0 && Spec::has_bias,
                      "inlay: RTNeural's conv1d is a CausalConv1d with Channels and Bias");
        open("conv1d");
        expect_number("kernel_size", Taps), expect_number("dilation", Spec::apart);
        auto const& w = tensor("weight");
        auto const in = std::size_t(w.width / Taps), out = std::size_t(w.rows), taps = std::size_t(Taps);
        auto const from = numbers(0, {{taps, in, out}});
        fill(w, [&](std::size_t o, std::size_t c) { return from[(c % taps * in + c / taps) * out + o]; });
        auto const bias = numbers(1, {{out}});
        fill(tensor("bias"), [&](std::size_t, std::size_t o) { return bias[o]; });
    }
    template <int H> void take(Tag<Gru<H>>) {
        open("gru");
        std::size_t const h = H, all = 3 * h;
        gates(H, std::array<std::size_t, 3>{1, 0, 2}); // Keras has z before r
        auto const bias = numbers(2, {{2, all}});
        std::size_t which = 0;
        for (char const* name : {"bias_ih", "bias_hh"}) {
            fill(tensor(name), [&](std::size_t, std::size_t i) {
                std::size_t const gate = i / h < 2 ? 1 - i / h : 2;
                return bias[which * all + gate * h + i % h];
            });
            ++which;
        }
    }
    template <int H> void take(Tag<Lstm<H>>) {
        open("lstm");
        gates(H, std::array<std::size_t, 4>{0, 1, 2, 3});
        auto const bias = numbers(2, {{std::size_t(4 * H)}});
        fill(tensor("bias_ih"), [&](std::size_t, std::size_t i) { return bias[i]; });
        fill(tensor("bias_hh"), [](std::size_t, std::size_t) { return 0.0; });
    }
    void take(Tag<Tanh>) { activate("tanh"); }
    void take(Tag<Relu>) { activate("relu"); }
    void take(Tag<Sigmoid>) { activate("sigmoid"); }
    template <class Other> void take(Tag<Other>) {
        static_assert(!sizeof(Other*), "inlay: load_rtneural knows Dense, CausalConv1d, Gru, Lstm, Tanh, "
                                       "Relu and Sigmoid");
    }
    /// Nothing may be left.
    void settle() {
        pass_activation();
        if (at_ < layers_.size())
            wrong(place(), "no more layers than the model has", in_quotes(text_of_next()));
        for (auto const& [to, values] : filled_)
            for (int r = 0; r < to.rows; ++r)
                for (int c = 0; c < to.width; ++c)
                    to(r, c) = T(values[std::size_t(r) * std::size_t(to.width) + std::size_t(c)]);
    }

private:
    std::string path_;
    Json json_;
    std::vector<NamedTensor<T>> tensors_;
    std::vector<Json const*> layers_;
    std::vector<std::string> activations_; ///< what is left to do of each layer's
    std::vector<std::pair<TensorRef<T>, std::vector<double>>> filled_;
    std::size_t at_ = 0; ///< the layer that comes next
    std::string prefix_;

    std::string place() const { return joined("layer ", at_); }
    [[noreturn]] void wrong(std::string const& where, std::string const& wanted,
                            std::string const& found) const {
        fail(Error(path_, where, wanted, found));
    }
    Json const* member(Json const& of, char const* name, std::string const& where) const {
        auto const* const found = of.find(name);
        if (!found) wrong(where, "a member " + in_quotes(name), "none");
        return found;
    }
    static std::string text(Json const& of, char const* name) {
        auto const* const found = of.find(name);
        auto const* const words = found ? found->get<std::string>() : nullptr;
        return words ? *words : "";
    }
    std::string text_of_next() const {
        return at_ < layers_.size() ? text(*layers_[at_], "type") : "no layer";
    }
    int last_number(Json const& json) const {
        auto const* const array = json.get<Json::Array>();
        auto const number = (array && !array->empty() ? array->back() : json).number();
        return number && std::abs(*number) < 1e9 ? int(*number) : -1;
    }
    void expect_number(char const* name, int wanted) const {
        auto const found = last_number(*member(*layers_[at_ - 1], name, joined("layer ", at_ - 1)));
        if (found != wanted) wrong(joined("layer ", at_ - 1, ", ", name), joined(wanted), joined(found));
    }
    /// What the layer before says of its activation has to have been a block of the model.
    void pass_activation() const {
        if (at_ > 0 && !activations_[at_ - 1].empty())
            wrong(joined("layer ", at_ - 1), "no activation", in_quotes(activations_[at_ - 1]));
    }
    void open(char const* type) {
        pass_activation();
        if (text_of_next() != type) wrong(place(), in_quotes(type), in_quotes(text_of_next()));
        std::string const kind = type;
        if (kind == "gru" || kind == "lstm") activations_[at_].clear(); // its own, which RTNeural ignores too
        ++at_;
    }
    void activate(char const* name) {
        bool const own = text_of_next() == "activation" && (at_ == 0 || activations_[at_ - 1].empty());
        if (own) ++at_;
        std::string const found = at_ > 0 ? activations_[at_ - 1] : "";
        if (found != name) wrong(joined("layer ", at_ > 0 ? at_ - 1 : 0), in_quotes(name), in_quotes(found));
        activations_[at_ - 1].clear();
    }
    TensorRef<T> tensor(char const* name) const {
        for (auto const& t : tensors_)
            if (t.name == prefix_ + name) return t.ref;
        wrong("the model", "a tensor " + prefix_ + name, "none");
    }
    void flatten(Json const& json, std::span<std::size_t const> shape, std::string const& where,
                 std::vector<double>& to) const {
        auto const* const array = json.get<Json::Array>();
        if (!array || array->size() != shape[0])
            wrong(where, joined(shape[0], " in an array"), array ? joined(array->size()) : "no array");
        for (auto const& item : *array)
            if (shape.size() > 1) flatten(item, shape.subspan(1), where, to);
            else if (auto const number = item.number()) to.push_back(*number);
            else wrong(where, "numbers", "something else");
    }
    /// Array `which` of the layer's weights.
    std::vector<double> numbers(std::size_t which, std::vector<std::size_t> const& shape) const {
        auto const where = joined("layer ", at_ - 1);
        Json const* const all = member(*layers_[at_ - 1], "weights", where);
        auto const* const weights = all->get<Json::Array>();
        if (!weights || weights->size() <= which)
            wrong(where, joined("weights ", which), joined(weights ? weights->size() : 0));
        std::vector<double> values;
        flatten((*weights)[which], shape, joined(where, ", weights ", which), values);
        return values;
    }
    template <class F> void fill(TensorRef<T> const& to, F const& value) {
        std::vector<double> values;
        for (int r = 0; r < to.rows; ++r)
            for (int c = 0; c < to.width; ++c) values.push_back(value(std::size_t(r), std::size_t(c)));
        filled_.emplace_back(to, std::move(values));
    }
    /// Both matrices of a recurrence: gate g of ours is gate order[g] of theirs.
    template <std::size_t G> void gates(int hidden, std::array<std::size_t, G> const& order) {
        auto const h = std::size_t(hidden);
        std::size_t which = 0;
        for (char const* name : {"weight_ih", "weight_hh"}) {
            auto const to = tensor(name);
            auto const from = numbers(which++, {{std::size_t(to.width), G * h}});
            fill(to,
                 [&](std::size_t o, std::size_t i) { return from[i * G * h + order[o / h] * h + o % h]; });
        }
    }
};

} // namespace detail

/// Fills all parameters from a model that Keras trained and RTNeural's `save_model` wrote as JSON.
///
/// The network's blocks are the file's layers in order: `Dense<N>` (`dense`, `time-distributed-dense`),
/// `CausalConv1d<Taps, Channels<N>, Dilation<d>, Bias>` (`conv1d`), `Gru<H>`, `Lstm<H>`, and `Tanh`, `Relu`,
/// `Sigmoid` for `activation`s, those that a layer names included:
/// `Model<Sequence<512, 1>, Gru<16>, Dense<1>>`. `step` then is RTNeural's `forward`. Throws Error, which
/// names layer and place, where file and model differ; the network is then as it was.
template <class Input, class... Blocks>
void load_rtneural(Network<Model<Input, Blocks...>>& net, std::string const& path) {
    using M = Model<Input, Blocks...>;
    detail::RtNeuralReader<typename M::T> reader(path, detail::named_tensors<M>(net.params()));
    reader.expect_width(Input::width);
    std::size_t index = 0;
    (..., (reader.block(index++), reader.take(Tag<Blocks>{})));
    reader.settle();
}

} // namespace inlay::inline INLAY_ISA
