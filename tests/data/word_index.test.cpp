// SPDX-License-Identifier: BSD-3-Clause
#include <inlay/data/word_index.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace inlay::detail;

TEST_CASE("every word finds its place, and no other does") {
    std::mt19937 random{1};
    std::vector<std::string> words;
    std::map<std::string, int> places;
    WordIndex index;
    auto const text = [&](std::int32_t at) -> std::string_view { return words[std::size_t(at)]; };
    auto const find = [&](std::string const& word) { return index.find(WordKey{word}, word, text); };
    for (int i = 0; i < 20000; ++i) {
        // Few letters and lengths around eight: many begin alike, end in zeros, or differ in length only.
        std::string word(random() % 12, 'a');
        for (char& c : word) c = "ab\0\xFF"[random() % 4];
        auto const known = places.find(word);
        REQUIRE(find(word) == (known == places.end() ? -1 : known->second));
        if (known != places.end()) continue;
        places.emplace(word, int(words.size()));
        words.push_back(word);
        index.add(WordKey{word});
    }
    CHECK(index.size() == words.size());
    CHECK(words.size() > 5000);
    for (std::size_t i = 0; i < words.size(); ++i) REQUIRE(find(words[i]) == int(i));
    CHECK(WordIndex{}.find(WordKey{"x"}, "x", text) == -1);
}
