// SPDX-License-Identifier: BSD-3-Clause
// A file that is gone when the test is.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

struct File {
    std::filesystem::path folder;
    std::string path;
    explicit File(std::string_view content = {}) {
        static int number = 0;
        do folder = std::filesystem::temp_directory_path() / ("inlay-data-" + std::to_string(++number));
        while (!std::filesystem::create_directory(folder));
        path = (folder / "f").string();
        if (!content.empty()) std::ofstream{path, std::ios::binary} << content;
    }
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    ~File() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
};
