// SPDX-License-Identifier: BSD-3-Clause
#include "table.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace fuzz;
    if (size < 2) return 0;
    File const file{text_of(data + 2, size - 2)};
    Csv csv = Tsv{file.path};
    csv.options.skip_bad_rows = data[0] & 1;
    csv.options.piece = 1 + data[1] % 32u;
    check_rows(text_of(data + 2, size - 2), csv);
    check_encoder(csv);
    return 0;
}
