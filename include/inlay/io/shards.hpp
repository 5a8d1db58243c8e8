// SPDX-License-Identifier: BSD-3-Clause
// Weights that lie in several files beside an index, as large checkpoints do.
#pragma once

#include <inlay/io/json.hpp>
#include <inlay/io/safetensors_reader.hpp>

#include <set>

namespace inlay::inline INLAY_ISA {

namespace detail {
/// name -> file of an index. A file lies beside the index: a name that leads elsewhere is an error.
inline std::map<std::string, std::string> read_weight_map(std::string const& path) {
    auto const bytes = read_whole(path);
    Json const json = parse_json({reinterpret_cast<char const*>(bytes.data()), bytes.size()}, path, "", 8);
    Json const* const map = json.find("weight_map");
    auto const* const members = map ? map->get<Json::Object>() : nullptr;
    if (!members || members->empty()) fail(Error(path, "weight_map", "an object of names and files", "none"));
    std::map<std::string, std::string> files;
    for (JsonMember const& m : *members) {
        auto const* const file = m.value.get<std::string>();
        if (!file || file->empty() || file->find_first_of("/\\:") != std::string::npos || *file == "..")
            fail(Error(path, joined("weight_map, ", in_quotes(m.name)), "the name of a file beside the index",
                       in_quotes(to_json(m.value))));
        files.emplace(m.name, *file);
    }
    return files;
}
} // namespace detail

/// Reads the weights at a path: a safetensors file, or where the path ends in `.json` an index as Hugging
/// Face writes it (`model.safetensors.index.json`) with all files that it names. What the index places
/// elsewhere than where it is, or leaves out, is an Error that lists all of it.
inline Safetensors read_weights(std::string const& path) {
    if (!path.ends_with(".json")) return Safetensors::read(path);
    auto const files = detail::read_weight_map(path);
    std::set<std::string> names;
    for (auto const& [tensor, file] : files) names.insert(file);
    std::vector<Safetensors> parts;
    std::string expected, found;
    auto const wrong = [&](std::string const& wanted, std::string const& have) {
        char const* const next = expected.empty() ? "" : "; ";
        expected += next + wanted, found += next + have;
    };
    std::set<std::string> seen;
    for (auto const& name : names) {
        auto part = Safetensors::read((std::filesystem::path(path).parent_path() / name).string());
        for (TensorInfo const& t : part.tensors()) {
            auto const place = files.find(t.name);
            bool const here = place != files.end() && place->second == name;
            if (here) seen.insert(t.name);
            else if (place == files.end()) wrong("no " + t.name, t.name + " in " + name);
            else wrong(t.name + " in " + place->second + " only", "it in " + name);
        }
        parts.push_back(std::move(part));
    }
    for (auto const& [tensor, file] : files)
        if (!seen.contains(tensor)) wrong(tensor + " in " + file, "no " + tensor);
    if (!expected.empty()) detail::fail(Error(path, "weight_map", expected, found));
    return Safetensors::join(std::move(parts), path);
}

} // namespace inlay::inline INLAY_ISA
