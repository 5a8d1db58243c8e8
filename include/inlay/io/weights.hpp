// SPDX-License-Identifier: BSD-3-Clause
// A model's parameters to and from safetensors, by name and logical shape.
#pragma once

#include <inlay/core/path.hpp>
#include <inlay/io/safetensors.hpp>
#include <inlay/model/network.hpp>

namespace inlay::inline INLAY_ISA {

namespace detail {
template <class T> struct NamedTensor {
    std::string name;
    Kind kind;
    TensorRef<T> ref;
    std::vector<std::uint64_t> shape() const {
        if (kind == Kind::vector) return {std::uint64_t(ref.width)};
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
} // namespace detail

/// Writes all parameters to a safetensors file, whole or not at all. Names are places (`1.0.weight`) or given
/// ones; shapes are logical, so the file fits every instruction set and PyTorch.
template <class M>
void save(Network<M> const& net, std::string const& path,
          std::map<std::string, std::string> const& metadata = {}) {
    using T = typename M::T;
    std::vector<TensorSource> sources;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        sources.push_back({t.name, real_dtype<T>, t.shape(), [ref = t.ref](std::byte* to) {
                               std::vector<T> row(std::size_t(ref.width));
                               for (int r = 0; r < ref.rows; ++r, to += row.size() * sizeof(T)) {
                                   for (int c = 0; c < ref.width; ++c) row[std::size_t(c)] = ref(r, c);
                                   write_scalars(row.data(), row.size(), to);
                               }
                           }});
    write_safetensors(path, sources, metadata);
}

/// Fills all parameters from an open file. Strict: a tensor that is missing, unused or of another shape is an
/// Error, and all of them are listed at once; the network is then as it was. F64, F32, F16 and BF16 are
/// converted.
template <class M> void load(Network<M>& net, Safetensors const& file) {
    using T = typename M::T;
    auto const wanted = detail::named_tensors<M>(net.params());
    std::string expected, found;
    auto const add = [](std::string& list, std::string const& item) {
        list += (list.empty() ? "" : "; ") + item;
    };
    for (auto const& t : wanted) {
        auto const* info = file.find(t.name);
        std::string const want = t.name + " " + detail::shape_text(t.shape());
        if (!info) add(expected, want), add(found, "no " + t.name);
        else if (info->shape != t.shape())
            add(expected, want), add(found, t.name + " " + detail::shape_text(info->shape));
        else if (!is_real(info->dtype))
            add(expected, want + " of floating point"),
                add(found, t.name + " " + std::string(dtype_name(info->dtype)));
    }
    for (auto const& info : file.tensors())
        if (std::none_of(wanted.begin(), wanted.end(), [&](auto const& t) { return t.name == info.name; }))
            add(expected, "no " + info.name), add(found, info.name + " " + detail::shape_text(info.shape));
    if (!expected.empty()) detail::fail(Error(file.file(), "tensors", expected, found));
    for (auto const& t : wanted) {
        auto const& info = *file.find(t.name);
        std::vector<T> values(info.count());
        read_scalars(info, values.data());
        for (int r = 0; r < t.ref.rows; ++r)
            for (int c = 0; c < t.ref.width; ++c)
                t.ref(r, c) = values[std::size_t(r) * std::size_t(t.ref.width) + std::size_t(c)];
    }
}
/// As above, from a path.
template <class M> void load(Network<M>& net, std::string const& path) { load(net, Safetensors::read(path)); }

} // namespace inlay::inline INLAY_ISA
