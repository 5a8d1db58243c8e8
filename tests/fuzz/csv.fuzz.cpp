// SPDX-License-Identifier: BSD-3-Clause
#include "table.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace fuzz;
    if (size < 2) return 0;
    File const file{text_of(data + 2, size - 2)};
    Csv csv{file.path};
    csv.options.skip_bad_rows = data[0] & 1;
    csv.options.quotes = !(data[0] & 2);
    csv.options.separator = data[0] & 4 ? ';' : ',';
    if (data[0] & 8) csv.options.missing = {};
    csv.options.piece = 1 + data[1] % 32u;
    check_rows(text_of(data + 2, size - 2), csv);
    if (data[0] & 16) csv.options.columns = {"y", "x", "job", "tags", "seen"};
    if (data[0] & 32) csv.options.skip_lines = 1;
    if (data[0] & 64) check_encoder<Quantiles<3>>(csv);
    else if (data[0] & 128) check_encoder<TargetBins<3, 1>, Weighted>(csv);
    else check_encoder(csv);
    return 0;
}
