// SPDX-License-Identifier: BSD-3-Clause
// The index of a checkpoint in several files: two files lie beside it, whatever it says.
#include "fuzz.hpp"

#include <inlay/io/safetensors.hpp>
#include <inlay/io/shards.hpp>

#include <filesystem>
#include <fstream>

namespace {
/// A folder of its own with the shards "a" (tensors x and y) and "b" (tensor z).
class Folder {
public:
    Folder()
        : path_((std::filesystem::exists("/dev/shm") ? "/dev/shm/inlay-shards-" : "/tmp/inlay-shards-") +
                std::to_string(::getpid()) + "/") {
        std::filesystem::create_directory(path_);
        shard("a", {"x", "y"});
        shard("b", {"z"});
    }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string index(std::string_view text) const {
        std::ofstream(path_ + "index.json", std::ios::binary) << text;
        return path_ + "index.json";
    }

private:
    void shard(std::string const& name, std::vector<char const*> const& tensors) const {
        std::vector<inlay::TensorSource> sources;
        for (char const* tensor : tensors)
            sources.push_back(
                {tensor, inlay::DType::F32, {2}, [](std::byte* to) { std::fill_n(to, 8, std::byte{1}); }});
        inlay::write_safetensors(path_ + name, sources);
    }
    std::string path_;
};
} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace inlay;
    static Folder const folder;
    std::string const path = folder.index(fuzz::text_of(data, size));
    (void)fuzz::refusal([&] {
        auto const map = detail::read_weight_map(path);
        for (auto const& [tensor, file] : map)
            FUZZ_CHECK(std::filesystem::path(file).filename() == file && file != "..");
        Safetensors const all = read_weights(path);
        FUZZ_CHECK(all.tensors().size() == map.size());
        for (auto const& [tensor, file] : map) {
            auto const* const found = all.find(tensor);
            FUZZ_CHECK(found != nullptr && found->bytes.size() == 8);
            FUZZ_CHECK(file == (tensor == "z" ? "b" : "a"));
        }
    });
    return 0;
}
