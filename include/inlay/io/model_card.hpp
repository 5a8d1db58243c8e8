// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/io/atomic_file.hpp>
#include <inlay/io/json_value.hpp>
#include <inlay/model/mermaid.hpp>

#include <utility>

namespace inlay::inline INLAY_ISA {

/// What a model card says beside what the model says itself. Empty parts are left out.
struct ModelCard {
    std::string name = "model";
    std::string license{};
    std::string data{};                                    ///< what it was trained on, and by which licence
    std::string intended{};                                ///< what it is for
    std::string limits{};                                  ///< what it is not for
    std::string commit{};                                  ///< the sources that trained it
    std::vector<std::pair<std::string, double>> metrics{}; ///< name and value, on data of its own
};

/// Writes a card for a model as Markdown: a front matter in YAML as Hugging Face reads it, what the caller
/// says, the measured values, the table of `summary` and the picture of `mermaid`.
template <class M> void save_model_card(std::string const& path, ModelCard const& card) {
    struct Text {
        std::string text{};
        Text& operator<<(std::string_view more) {
            text += more;
            return *this;
        }
    } out;
    // A JSON string is a YAML one.
    auto const quoted = [](std::string const& s) {
        std::string q;
        detail::append_json(q, s);
        return q;
    };
    out << "---\nlibrary_name: inlay\n";
    if (!card.license.empty()) out << "license: " << quoted(card.license) << "\n";
    if (!card.metrics.empty()) {
        out << "model-index:\n- name: " << quoted(card.name) << "\n  results:\n  - metrics:\n";
        for (auto const& [name, value] : card.metrics) {
            std::string number;
            detail::append_json(number, value);
            out << "    - type: " << quoted(name) << "\n      value: " << number << "\n";
        }
    }
    out << "---\n\n# " << card.name << "\n";
    auto const part = [&](char const* title, std::string const& text) {
        if (!text.empty()) out << "\n## " << title << "\n\n" << text << "\n";
    };
    part("Intended use", card.intended);
    part("Limits", card.limits);
    part("Data", card.data);
    part("Sources", card.commit);
    if (!card.metrics.empty()) {
        out << "\n## Measured\n\n| metric | value |\n|---|---|\n";
        for (auto const& [name, value] : card.metrics) {
            char number[32];
            std::snprintf(number, sizeof number, "%.6g", value);
            out << "| " << name << " | " << number << " |\n";
        }
    }
    out << "\n## Model\n\n```text\n" << model_text<M>() << "\n\n";
    summary<M>(out);
    out << "```\n\n```mermaid\n";
    mermaid<M>(out);
    out << "```\n";
    detail::AtomicFile file{path};
    file.write(std::as_bytes(std::span{out.text}));
    file.commit();
}

} // namespace inlay::inline INLAY_ISA
