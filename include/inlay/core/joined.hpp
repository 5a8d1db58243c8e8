// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/config.hpp>

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// A text or an integer of a message.
class TextPart {
public:
    TextPart(std::string_view text) : text_(text) {}
    template <std::integral I> TextPart(I number) {
        bool negative = false;
        if constexpr (std::signed_integral<I>) negative = number < 0;
        auto rest = static_cast<unsigned long long>(number);
        if (negative) rest = 0 - rest;
        char* at = digits_ + sizeof digits_;
        do *--at = char('0' + rest % 10);
        while (rest /= 10);
        if (negative) *--at = '-';
        text_ = {at, std::size_t(digits_ + sizeof digits_ - at)};
    }
    TextPart(TextPart const&) = delete;
    TextPart& operator=(TextPart const&) = delete;
    std::string_view text() const noexcept { return text_; }

private:
    char digits_[24];
    std::string_view text_;
};
inline std::string join(std::initializer_list<TextPart> parts) {
    std::string out;
    for (TextPart const& part : parts) out += part.text();
    return out;
}

/// Texts and integers one after the other. GCC 12 warns wrongly (-Wrestrict) at "literal" + std::string().
template <class... Parts> std::string joined(Parts const&... parts) { return join({TextPart(parts)...}); }

} // namespace detail
} // namespace inlay::inline INLAY_ISA
