// SPDX-License-Identifier: BSD-3-Clause
// Checkpoints of others: their tensors, under their names and in their layout, into a model.
#pragma once

#include <inlay/io/weights.hpp>

#include <optional>

namespace inlay::inline INLAY_ISA {

/// How a file holds a matrix that is [out, in] here.
enum class Stored : std::uint8_t {
    alike,      ///< as [out, in]
    transposed, ///< as [in, out]
    reshaped    ///< in any shape of as many numbers, which are those of [out, in] row by row
};
/// One line of a name map. `{}` in a name stands for a number, the same ones on both sides: `h.{}.ln_1.bias`.
struct NameRule {
    std::string theirs; ///< a tensor of the file
    /// The tensors that it fills: of several, one after the other, each takes its own rows; none: it is known
    /// and not needed.
    std::vector<std::string> ours{};
    Stored stored = Stored::alike;
    int skipped = 0;  ///< rows of theirs in front, that are not here; written as zeros
    double times = 1; ///< a number here is so many times theirs
};
/// Says which tensor of a file fills which of a model. All of a model's tensors are to be filled, each by one
/// rule; a rule that fills none of them stands for nothing.
using NameMap = std::vector<NameRule>;

namespace detail {
using Numerals = std::vector<std::string>;
/// The numbers at the places of `{}`, or nothing where the name is not of this form.
inline std::optional<Numerals> numerals_in(std::string const& name, std::string const& pattern) {
    Numerals found;
    std::size_t at = 0;
    for (std::size_t p = 0; p < pattern.size();) {
        if (pattern.compare(p, 2, "{}") == 0) {
            std::size_t const end = std::min(name.find_first_not_of("0123456789", at), name.size());
            if (end == at) return {};
            found.push_back(name.substr(at, end - at));
            at = end, p += 2;
        } else if (at == name.size() || name[at++] != pattern[p++]) return {};
    }
    if (at != name.size()) return {};
    return found;
}
/// A pattern with numbers in the place of `{}`, in order.
inline std::string with_numerals(std::string name, Numerals const& numerals) {
    std::size_t at = 0;
    for (auto const& n : numerals) {
        at = name.find("{}", at);
        if (at == std::string::npos) break;
        name.replace(at, 2, n);
        at += n.size();
    }
    return name;
}

/// A tensor of a file and those of a model that it fills, in order.
template <class T> struct Filling {
    NameRule const* rule;
    std::string theirs;
    std::vector<NamedTensor<T> const*> ours{};

    std::uint64_t rows() const {
        auto n = std::uint64_t(rule->skipped);
        for (auto const* t : ours) n += rows_of(*t);
        return n;
    }
    std::size_t count() const {
        bool const vectors = ours[0]->is_vector();
        return std::size_t(rows()) * (vectors ? 1 : std::size_t(ours[0]->ref.width));
    }
    /// The shape that theirs should have.
    std::vector<std::uint64_t> shape() const {
        if (ours[0]->is_vector()) return {rows()};
        auto const width = std::uint64_t(ours[0]->ref.width);
        return turned() ? std::vector{width, rows()} : std::vector{rows(), width};
    }
    void fill(TensorInfo const& info) const {
        std::vector<T> values(info.count());
        read_scalars(info, values.data());
        each([&](T& own, std::size_t at) { own = T(double(values[at]) * rule->times); });
    }
    /// The inverse: theirs from ours.
    TensorSource source() const {
        using Number = std::remove_const_t<T>;
        return {theirs, real_dtype<Number>, shape(), [*this](std::byte* to) {
                    std::vector<Number> values(count());
                    each([&](T& own, std::size_t at) { values[at] = Number(double(own) / rule->times); });
                    write_scalars(values.data(), values.size(), to);
                }};
    }

private:
    /// Calls f with every number of ours and its place in theirs.
    template <class F> void each(F const& f) const {
        std::size_t const all = std::size_t(rows());
        auto first = std::size_t(rule->skipped); // row of theirs
        for (auto const* t : ours) {
            bool const vector = t->is_vector();
            std::size_t const n = std::size_t(rows_of(*t)), width = vector ? 1 : std::size_t(t->ref.width);
            for (std::size_t r = 0; r < n; ++r)
                for (std::size_t c = 0; c < width; ++c)
                    f(vector ? t->ref(0, int(r)) : t->ref(int(r), int(c)),
                      turned() && !vector ? c * all + first + r : (first + r) * width + c);
            first += n;
        }
    }
    bool turned() const { return rule->stored == Stored::transposed; }
    static std::uint64_t rows_of(NamedTensor<T> const& t) {
        return std::uint64_t(t.is_vector() ? t.ref.width : t.ref.rows);
    }
};

/// What fills the tensors of a model; what the map does not settle goes to `list`.
template <class T>
std::vector<Filling<T>> fillings(NameMap const& map, std::vector<NamedTensor<T>> const& wanted,
                                 TensorList& list) {
    std::vector<Filling<T>> all;
    std::map<std::string, int> filled;
    auto const alike = [](NamedTensor<T> const& a, NamedTensor<T> const& b) {
        bool const vectors = a.is_vector();
        return vectors == b.is_vector() && (vectors || a.ref.width == b.ref.width);
    };
    auto const named = [&](std::string const& name) -> NamedTensor<T> const* {
        for (auto const& t : wanted)
            if (t.name == name) return &t;
        return nullptr;
    };
    for (auto const& rule : map)
        for (auto const& t : wanted) {
            auto const numerals = rule.ours.empty() ? std::nullopt : numerals_in(t.name, rule.ours.front());
            if (!numerals) continue;
            Filling<T> one{&rule, with_numerals(rule.theirs, *numerals)};
            for (auto const& pattern : rule.ours) {
                std::string const name = with_numerals(pattern, *numerals);
                auto const* const ours = named(name);
                if (ours && !alike(*ours, t))
                    list.wrong(name + " to have rows as " + t.name, shape_text(ours->shape()));
                else if (ours) one.ours.push_back(ours), ++filled[name];
                else list.wrong("the model to have " + name + " of the name map", "no " + name);
            }
            all.push_back(std::move(one));
        }
    for (auto const& t : wanted)
        if (filled[t.name] != 1)
            list.wrong("the name map to fill " + t.name + " once", std::to_string(filled[t.name]) + " times");
    return all;
}
} // namespace detail

/// Fills all parameters from an open file by a name map, `gpt2_names()` for one. Strict: a tensor that is
/// missing, unused or of another shape, and a parameter that the map does not fill, is an Error, and all of
/// them are listed at once; the network is then as it was. F64, F32, F16 and BF16 are converted.
template <class M> void load(Network<M>& net, Safetensors const& file, NameMap const& map) {
    auto const wanted = detail::named_tensors<M>(net.params());
    detail::TensorList list(file);
    auto const all = detail::fillings(map, wanted, list);
    for (auto const& rule : map)
        if (rule.ours.empty())
            for (auto const& info : file.tensors())
                if (detail::numerals_in(info.name, rule.theirs)) list.allow(info.name);
    for (auto const& one : all) {
        if (one.ours.empty()) continue;
        auto const* info = file.find(one.theirs);
        bool const as_many = info && one.rule->stored == Stored::reshaped && info->count() == one.count();
        list.want(one.theirs, as_many ? info->shape : one.shape());
    }
    list.settle();
    for (auto const& one : all) one.fill(*file.find(one.theirs));
}
/// As above, from a path to a file or to the index of several (`read_weights`).
template <class M> void load(Network<M>& net, std::string const& path, NameMap const& map) {
    load(net, read_weights(path), map);
}

/// The other way: writes all parameters under the names and in the layout of a name map, for its `load` or
/// for the library that it stands for. Where a rule says reshaped, the file has the shape [out, in]. What the
/// map leaves out, or fills from several rules, is an Error that lists all of it.
template <class M> void save_as(Network<M> const& net, std::string const& path, NameMap const& map) {
    auto const tensors = detail::named_tensors<M>(net.params());
    auto const none = Safetensors::join({}, path);
    detail::TensorList list(none);
    auto const all = detail::fillings(map, tensors, list);
    list.settle();
    std::vector<TensorSource> sources;
    for (auto const& one : all) sources.push_back(one.source());
    write_safetensors(path, sources);
}

} // namespace inlay::inline INLAY_ISA
