// SPDX-License-Identifier: BSD-3-Clause
// Weights as a part of the program, for targets without files.
#pragma once

#include <inlay/io/atomic_file.hpp>
#include <inlay/io/weights.hpp>
#include <inlay/model/numbers.hpp>

namespace inlay::inline INLAY_ISA {

/// Writes all parameters as a C++ header that includes nothing: a namespace `name` with `model`, the model in
/// words, `layout` and `values`, which `fill` takes. Numbers are written as hexadecimal floats, exactly.
/// An Error where the name is no identifier or the file cannot be written.
template <class M> void save_header(Network<M> const& net, std::string const& path, std::string const& name) {
    auto const letter = [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; };
    bool fine = !name.empty() && letter(name[0]);
    for (char const c : name) fine = fine && (letter(c) || c == '_' || (c >= '0' && c <= '9'));
    if (!fine) detail::fail(Error(path, "name", "an identifier", detail::in_quotes(name)));
    auto const contents = detail::filling_of<M>(net.params());
    std::string out =
        "// Weights, written by inlay::save_header. inlay::fill puts them into a model.\n#pragma once\n\n";
    out += "namespace " + name + " {\ninline constexpr char model[] =\n    R\"(" + model_text<M>() + ")\";\n";
    out += detail::joined("inline constexpr unsigned long long layout = ", contents.layout, "U;\n");
    out += detail::joined("inline constexpr float values[", contents.count, "] = {");
    std::size_t n = 0;
    for (auto const& t : detail::named_tensors<M>(net.params()))
        for (int r = 0; r < t.ref.rows; ++r)
            for (int c = 0; c < t.ref.width; ++c) {
                char number[40];
                std::snprintf(number, sizeof number, "%s%af,", n++ % 8 ? " " : "\n    ",
                              double(float(t.ref(r, c))));
                out += number;
            }
    out += "\n};\n} // namespace " + name + "\n";
    detail::AtomicFile file{path};
    file.write(std::as_bytes(std::span{out}));
    file.commit();
}

} // namespace inlay::inline INLAY_ISA
