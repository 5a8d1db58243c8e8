// SPDX-License-Identifier: BSD-3-Clause
// What queries see, as tests say it.
#pragma once

#include <inlay/kernels/attention/tile.hpp>

#include <vector>

struct Span {
    int always = 0, first = 0, last = 0;
    bool sees(int key) const { return key < always || (first <= key && key < last); }
};
template <class T> struct Spans {
    std::vector<Span> each;
    std::vector<T> always, first, last;
    explicit Spans(int n) : each(std::size_t(n)), always(std::size_t(n)), first(always), last(always) {}
    Span& operator[](int i) { return each[std::size_t(i)]; }
    Span const& operator[](int i) const { return each[std::size_t(i)]; }
    inlay::kernels::KeySpans<T> view() {
        inlay::kernels::KeySpans<T> const all{always.data(), first.data(), last.data()};
        int i = 0;
        for (Span const& s : each) all.set(i++, s.always, s.first, s.last);
        return all;
    }
};
