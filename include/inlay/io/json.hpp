// SPDX-License-Identifier: BSD-3-Clause
// JSON as the files of this room need it: strict, every fault with its position, no number rounded unasked.
#pragma once

#include <inlay/io/json_value.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace inlay::inline INLAY_ISA {
namespace detail {

class JsonParser {
public:
    JsonParser(std::string_view text, std::string const& file, std::string const& place, int depth)
        : text_(text), file_(file), place_(place), depth_(depth) {}

    Json document() {
        Json result = value(0);
        blanks();
        if (at_ < text_.size()) wrong("the end of the JSON text");
        return result;
    }

private:
    [[noreturn]] void wrong(std::string expected) const {
        wrong_at(at_, std::move(expected), at_ < text_.size() ? in_quotes(text_.substr(at_), 20) : "its end");
    }
    [[noreturn]] void wrong_at(std::size_t at, std::string expected, std::string found) const {
        std::string const byte = joined("byte ", at);
        fail(Error{file_, place_.empty() ? byte : place_ + ", " + byte, std::move(expected),
                   std::move(found)});
    }

    bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
    bool next_is_digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }
    bool take(char c) {
        if (!next_is(c)) return false;
        ++at_;
        return true;
    }
    bool take(std::string_view word) {
        if (!text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    void blanks() {
        while (next_is(' ') || next_is('\t') || next_is('\n') || next_is('\r')) ++at_;
    }

    Json value(int depth) {
        blanks();
        if (next_is('{') || next_is('[')) {
            if (depth == depth_) wrong(joined("JSON nested at most ", depth_, " deep"));
            return take('{') ? object(depth + 1) : array(depth + 1);
        }
        if (next_is('"')) return {string()};
        if (take("true")) return {true};
        if (take("false")) return {false};
        if (take("null")) return {nullptr};
        if (next_is('-') || next_is_digit()) return number();
        wrong("a JSON value");
    }

    Json object(int depth) {
        Json::Object members;
        std::set<std::string> names; // not a loop over members: a header may hold a million
        blanks();
        if (take('}')) return {std::move(members)};
        do {
            blanks();
            std::size_t const start = at_;
            if (!next_is('"')) wrong("a name in quotes");
            std::string name = string();
            if (!names.insert(name).second) wrong_at(start, "each name once", in_quotes(name) + " again");
            blanks();
            if (!take(':')) wrong("\":\" after a name");
            Json member = value(depth);
            members.push_back({std::move(name), std::move(member)});
            blanks();
        } while (take(','));
        if (!take('}')) wrong("\",\" or \"}\"");
        return {std::move(members)};
    }

    Json array(int depth) {
        ++at_; // the bracket that value() saw
        Json::Array items;
        blanks();
        if (take(']')) return {std::move(items)};
        do {
            items.push_back(value(depth));
            blanks();
        } while (take(','));
        if (!take(']')) wrong("\",\" or \"]\"");
        return {std::move(items)};
    }

    void digits() {
        if (!next_is_digit()) wrong("a digit");
        while (next_is_digit()) ++at_;
    }

    Json number() {
        std::size_t const start = at_;
        bool const negative = take('-');
        bool whole = true;
        if (take('0')) {
            if (next_is_digit())
                wrong_at(start, "a number without leading zeros", in_quotes(text_.substr(start), 20));
        } else {
            digits();
        }
        if (take('.')) whole = false, digits();
        if (take('e') || take('E')) {
            whole = false;
            if (!take('+')) take('-');
            digits();
        }
        char const *const first = text_.data() + start, *const last = text_.data() + at_;
        std::uint64_t natural = 0;
        std::int64_t integer = 0;
        double real = 0;
        if (whole && !negative && std::from_chars(first, last, natural).ec == std::errc{}) return {natural};
        bool const minus_zero = negative && whole && first[1] == '0';
        if (whole && negative && !minus_zero && std::from_chars(first, last, integer).ec == std::errc{})
            return {integer};
        if (std::from_chars(first, last, real).ec != std::errc{})
            wrong_at(start, "a number within the range of double", std::string(first, last).substr(0, 40));
        return {real};
    }

    unsigned hex4() {
        unsigned code = 0;
        std::string_view const digits = text_.substr(std::min(at_, text_.size()), 4);
        auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (digits.size() < 4 || read.ptr != digits.data() + 4) wrong("four hexadecimal digits after \\u");
        at_ += 4;
        return code;
    }

    void escape(std::string& out) {
        std::size_t const start = at_ - 1;
        static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (take('u')) {
            unsigned code = hex4();
            if (code >= 0xD800U && code < 0xE000U) {
                bool const paired = code < 0xDC00U && take("\\u");
                unsigned const low = paired ? hex4() : 0U;
                if (low < 0xDC00U || low > 0xDFFFU)
                    wrong_at(start, "a surrogate pair", in_quotes(text_.substr(start, 12)));
                code = 0x10000U + ((code - 0xD800U) << 10U) + (low - 0xDC00U);
            }
            return append_utf8(out, code);
        }
        std::size_t const letter = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
        if (letter == std::string_view::npos) wrong("one of \"\\/bfnrtu after a backslash");
        ++at_;
        out += meanings[letter];
    }

    std::string string() {
        std::size_t const start = at_++;
        std::string out;
        while (!take('"')) {
            if (at_ >= text_.size()) wrong_at(start, "a string with a closing quote", "none");
            if (take('\\')) {
                escape(out);
                continue;
            }
            if (static_cast<unsigned char>(text_[at_]) < 0x20U) wrong("control characters to be escaped");
            std::size_t const length = utf8_length(text_, at_);
            if (length == 0) wrong("UTF-8");
            out += text_.substr(at_, length);
            at_ += length;
        }
        return out;
    }

    std::string_view text_;
    std::string const &file_, &place_;
    int depth_;
    std::size_t at_ = 0;
};

/// Parses one JSON text (RFC 8259). Beyond the RFC, an error are: a name that occurs twice in an object once
/// escapes are read, text that is not UTF-8, nesting past `depth`, a number outside double. The error says
/// `file` and `place, byte N`, N counted from 0.
inline Json parse_json(std::string_view text, std::string const& file, std::string const& place,
                       int depth = 64) {
    return JsonParser{text, file, place, depth}.document();
}

} // namespace detail
} // namespace inlay::inline INLAY_ISA
