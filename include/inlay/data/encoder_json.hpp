// SPDX-License-Identifier: BSD-3-Clause
// An Encoder as text and back.
#pragma once

#include <inlay/data/encoder_class.hpp>

namespace inlay::inline INLAY_ISA {

template <class Rec> std::string Encoder<Rec>::to_json() const {
    if (!fitted_) detail::fail(Error("", "Encoder", "fit before to_json", "an empty encoder"));
    detail::Json::Array all;
    detail::each<fields>([&](auto j) {
        using Field = typename Rec::template field<j>;
        all.push_back({detail::Json::Object{{"field", {std::string(Field::name.text)}},
                                            {"code", codes_[j].template json<Field>()}}});
    });
    return detail::to_json(detail::Json{detail::Json::Object{
        {"version", {newest}}, {"separator", {std::string(1, options_.list_separator)}}, {"fields", {all}}}});
}

template <class Rec> Encoder<Rec> Encoder<Rec>::from_json(std::string_view text, std::string const& file) {
    Encoder e;
    auto const json = detail::parse_json(text, file, "encoder");
    auto const* version = json.find("version");
    auto const* number = version ? version->template get<std::uint64_t>() : nullptr;
    if (!number || *number < 1 || *number > newest)
        detail::fail(Error(file, "encoder, version",
                           detail::joined("1 to ", newest, ", which this version of inlay knows"),
                           version ? detail::to_json(*version) : "none"));
    auto const* separator = json.find("separator");
    auto const* text_of = separator ? separator->template get<std::string>() : nullptr;
    if (!text_of || text_of->size() != 1)
        detail::fail(Error(file, "encoder, separator", "one character", "another form"));
    e.options_.list_separator = text_of->front();
    auto const* all = json.find("fields");
    auto const* list = all ? all->template get<detail::Json::Array>() : nullptr;
    if (!list || list->size() != fields)
        detail::fail(Error(file, "encoder", detail::joined(fields, " fields"),
                           list ? std::to_string(list->size()) : "none"));
    detail::each<fields>([&](auto j) {
        using Field = typename Rec::template field<j>;
        auto const *name = (*list)[j].find("field"), *code = (*list)[j].find("code");
        auto const* found = name ? name->template get<std::string>() : nullptr;
        std::string const place = detail::joined("encoder, field ", j + 1);
        if (!found || *found != Field::name.text)
            detail::fail(Error(file, place, Field::name.text, found ? *found : "no name"));
        if (!code || !e.codes_[j].template read<Field>(*code, capacity<j>))
            detail::fail(Error(file, place,
                               learns_edges<j> ? "a scale and rising edges"
                               : is_number<j>  ? "a scale"
                                               : "a vocabulary that fits its ids",
                               "another form"));
    });
    e.fitted_ = true;
    return e;
}

} // namespace inlay::inline INLAY_ISA
