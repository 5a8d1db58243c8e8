// SPDX-License-Identifier: BSD-3-Clause
// A model's parameters to and from safetensors, by name and logical shape.
#pragma once

#include <inlay/core/path.hpp>
#include <inlay/io/json_value.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/io/shards.hpp>
#include <inlay/model/description.hpp>
#include <inlay/model/network.hpp>
#include <inlay/model/store.hpp>

#include <set>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class T> struct NamedTensor {
    std::string name;
    Kind kind;
    TensorRef<T> ref;
    bool is_vector() const noexcept {
        return kind == Kind::vector || (kind == Kind::buffer && ref.rows == 1);
    }
    std::vector<std::uint64_t> shape() const {
        if (is_vector()) return {std::uint64_t(ref.width)};
        return {std::uint64_t(ref.rows), std::uint64_t(ref.width)};
    }
};
template <class M, class Params> auto named_tensors(Params& params) {
    using T = std::conditional_t<std::is_const_v<Params>, typename M::T const, typename M::T>;
    std::vector<NamedTensor<T>> all;
    M::Block::visit(params, Path{}, [&](auto, Path const& at, Kind kind, TensorRef<T> ref) {
        all.push_back({to_string(at), kind, ref});
    });
    return all;
}
/// A tensor packed row by row, as files hold it.
template <class T>
TensorSource source_of(NamedTensor<T> const& t, DType dtype = real_dtype<std::remove_const_t<T>>) {
    using Number = std::remove_const_t<T>;
    return {t.name, dtype, t.shape(), [ref = t.ref, dtype](std::byte* to) {
                std::vector<Number> row(std::size_t(ref.width));
                for (int r = 0; r < ref.rows; ++r, to += row.size() * dtype_bits(dtype) / 8) {
                    for (int c = 0; c < ref.width; ++c) row[std::size_t(c)] = ref(r, c);
                    store_scalars(dtype, row.data(), row.size(), to);
                }
            }};
}
/// What `save` writes of a model beside its weights.
template <class M> std::string model_json() {
    ModelWords<M> const words;
    Json::Array blocks;
    for (auto const& block : words.blocks) blocks.push_back({block});
    return to_json(Json{Json::Object{{"input", {words.input}}, {"blocks", {std::move(blocks)}}}});
}
/// What is wrong with a file's tensors, gathered so that all of it is said at once.
class TensorList {
public:
    explicit TensorList(Safetensors const& file) : file_(file) {}

    void wrong(std::string const& expected, std::string const& found) {
        char const* const next = expected_.empty() ? "" : "; ";
        expected_ += next + expected;
        found_ += next + found;
    }
    /// A tensor that the file should hold, of floating point or of a dtype.
    void want(std::string const& name, std::vector<std::uint64_t> const& shape,
              std::optional<DType> dtype = {}) {
        if (!known_.insert(name).second) return;
        auto const* info = file_.find(name);
        std::string const expected = name + " " + shape_text(shape);
        if (!info) wrong(expected, "no " + name);
        else if (info->shape != shape) wrong(expected, name + " " + shape_text(info->shape));
        else if (dtype ? info->dtype != *dtype : !is_real(info->dtype))
            wrong(expected + " of " + std::string(dtype ? dtype_name(*dtype) : "floating point"),
                  name + " " + std::string(dtype_name(info->dtype)));
    }
    /// A tensor that the file may hold.
    void allow(std::string const& name) { known_.insert(name); }
    /// Throws Error where anything was wrong, or the file holds what is not known.
    void settle() {
        for (auto const& info : file_.tensors())
            if (!known_.contains(info.name))
                wrong("no " + info.name, info.name + " " + shape_text(info.shape));
        if (!expected_.empty()) fail(Error(file_.file(), "tensors", expected_, found_));
    }

private:
    Safetensors const& file_;
    std::set<std::string> known_;
    std::string expected_, found_;
};
/// Throws Error with all of them at once where tensors are missing, unused, of another shape or of no real
/// type.
template <class T> void expect_tensors(Safetensors const& file, std::vector<NamedTensor<T>> const& wanted) {
    TensorList list(file);
    for (auto const& t : wanted) list.want(t.name, t.shape());
    list.settle();
}
/// Fills a tensor that the file is known to hold.
template <class T> void fill_tensor(Safetensors const& file, NamedTensor<T> const& t) {
    auto const& info = *file.find(t.name);
    std::vector<T> row(std::size_t(t.ref.width));
    auto const* from = info.bytes.data();
    for (int r = 0; r < t.ref.rows; ++r, from += row.size() * dtype_bits(info.dtype) / 8) {
        load_scalars(info.dtype, from, row.size(), row.data());
        for (int c = 0; c < t.ref.width; ++c) t.ref(r, c) = row[std::size_t(c)];
    }
}
} // namespace detail

/// Writes all parameters to a safetensors file, whole or not at all, as numbers of `dtype`: F64, F32, F16 or
/// BF16, rounded to nearest even. Names are places (`1.0.weight`) or given ones; shapes are logical, so the
/// file fits every instruction set and PyTorch. The model in words goes into the metadata, under
/// `inlay.model`.
template <class M>
void save(Network<M> const& net, std::string const& path, std::map<std::string, std::string> metadata = {},
          DType dtype = real_dtype<typename M::T>) {
    if (!is_real(dtype))
        detail::fail(Error(path, "dtype", "F64, F32, F16 or BF16", std::string(dtype_name(dtype))));
    metadata.emplace("inlay.model", detail::model_json<M>());
    std::vector<TensorSource> sources;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        sources.push_back(detail::source_of(t, dtype));
    write_safetensors(path, sources, metadata);
}

/// Fills all parameters from an open file. Strict: a tensor that is missing, unused or of another shape is an
/// Error, and all of them are listed at once; the network is then as it was. F64, F32, F16 and BF16 are
/// converted, and again where the model has `Weights` of fewer bits.
template <class M> void load(Network<M>& net, Safetensors const& file) {
    if constexpr (detail::stores_less<typename M::Scalar>) {
        Network<typename M::Trained> wide(Seed{0});
        load(wide, file);
        return store(wide, net);
    } else {
        auto const wanted = detail::named_tensors<M>(net.params());
        detail::expect_tensors(file, wanted);
        for (auto const& t : wanted) detail::fill_tensor(file, t);
    }
}
/// As above, from a path to a file or to the index of several (`read_weights`).
template <class M> void load(Network<M>& net, std::string const& path) { load(net, read_weights(path)); }

} // namespace inlay::inline INLAY_ISA
