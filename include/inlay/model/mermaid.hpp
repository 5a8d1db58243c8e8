// SPDX-License-Identifier: BSD-3-Clause
// A picture of a model, drawn from its type.
#pragma once

#include <inlay/combine/gate.hpp>
#include <inlay/combine/keep.hpp>
#include <inlay/combine/named.hpp>
#include <inlay/combine/repeat.hpp>
#include <inlay/combine/residual.hpp>
#include <inlay/combine/tied.hpp>
#include <inlay/model/description.hpp>

namespace inlay::inline INLAY_ISA {
namespace detail {

/// Lines of a Mermaid flowchart; nodes are numbers.
class MermaidLines {
public:
    /// A node that `from` leads to; 0 is none.
    int node(int from, std::string const& label, std::string const& shape = "") {
        int const own = ++nodes_;
        lines_.push_back("n" + std::to_string(own) + "[\"" + escaped(label) +
                         (shape.empty() ? "" : "<br/>" + escaped(shape)) + "\"]");
        if (from) edge(from, own);
        return own;
    }
    /// A small round one.
    int sign(std::string const& label) {
        lines_.push_back("n" + std::to_string(++nodes_) + "((\"" + label + "\"))");
        return nodes_;
    }
    void edge(int from, int to, char const* arrow = " --> ") {
        lines_.push_back("n" + std::to_string(from) + arrow + "n" + std::to_string(to));
    }
    void open(std::string const& title) {
        lines_.push_back("subgraph g" + std::to_string(++groups_) + "[\"" + escaped(title) + "\"]");
    }
    void close() { lines_.emplace_back("end"); }
    std::vector<std::string> const& lines() const noexcept { return lines_; }

private:
    static std::string escaped(std::string const& text) {
        std::string out;
        for (char const c : text) {
            if (c == '<') out += "&lt;";
            else if (c == '>') out += "&gt;";
            else if (c == '"') out += "#quot;";
            else out += c;
        }
        return out;
    }
    std::vector<std::string> lines_;
    int nodes_ = 0, groups_ = 0;
};

/// What a block adds to the picture: `of<I>(lines, from)` returns the node of its output.
template <class Spec> struct MermaidForm {
    template <class I> static int of(MermaidLines& m, int from) {
        return m.node(from, Written<Spec>::text(), ShapeText<typename OutputOf<Spec, I>::type>().text);
    }
};
template <class... S> struct MermaidForm<Stack<S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        using Shapes = walk<I, S...>;
        each<sizeof...(S)>(
            [&](auto j) { from = MermaidForm<At<j, S...>>::template of<shape_at<j, Shapes>>(m, from); });
        return from;
    }
};
template <class... S> struct MermaidForm<Residual<S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        int const last = MermaidForm<Stack<S...>>::template of<I>(m, from), sum = m.sign("+");
        m.edge(last, sum), m.edge(from, sum);
        return sum;
    }
};
template <int N, class... S> struct MermaidForm<Repeat<N, S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        m.open(std::to_string(N) + " times");
        int const entry = m.node(0, "to each", ShapeText<I>().text);
        int const last = MermaidForm<Stack<S...>>::template of<I>(m, entry);
        m.close();
        m.edge(from, entry);
        return last;
    }
};
template <Name N, class S> struct MermaidForm<Named<N, S>> {
    template <class I> static int of(MermaidLines& m, int from) {
        m.open(N.text);
        int const last = MermaidForm<S>::template of<I>(m, from);
        m.close();
        return last;
    }
};
/// Branches side by side, and what joins them.
template <class... S> struct DrawnBranches {
    template <class I> static int of(MermaidLines& m, int from, char const* joint) {
        int const last[] = {MermaidForm<S>::template of<I>(m, from)...}, join = m.sign(joint);
        for (int const branch : last) m.edge(branch, join);
        return join;
    }
};
template <class... S> struct MermaidForm<Sum<S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        return DrawnBranches<S...>::template of<I>(m, from, "+");
    }
};
template <class... S> struct MermaidForm<Concat<S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        return DrawnBranches<S...>::template of<I>(m, from, "side by side");
    }
};
template <class... S> struct MermaidForm<Gate<S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        int const join = DrawnBranches<S...>::template of<I>(m, from, "weighted +");
        m.edge(from, join, " -.-> ");
        return join;
    }
};
template <class E, class... S> struct MermaidForm<Tied<E, S...>> {
    template <class I> static int of(MermaidLines& m, int from) {
        using Hidden = typename OutputOf<E, I>::type;
        int const in = MermaidForm<E>::template of<I>(m, from);
        int const last = MermaidForm<Stack<S...>>::template of<Hidden>(m, in);
        int const scores = m.node(last, "scores by the same table",
                                  ShapeText<typename OutputOf<Tied<E, S...>, I>::type>().text);
        m.edge(in, scores, " -.-> ");
        return scores;
    }
};
} // namespace detail

/// Writes a picture of a model as a Mermaid flowchart, which many hosts of Markdown show: blocks with their
/// output shapes, branches, residual paths, repetitions as groups. `out` is any stream of text, such as
/// std::cout.
template <class M, class Stream> void mermaid(Stream& out) {
    detail::MermaidLines m;
    int const input = m.node(0, "input", detail::ShapeText<typename M::Input>().text);
    detail::MermaidForm<typename M::Top>::template of<typename M::Input>(m, input);
    out << "flowchart TD\n";
    for (auto const& line : m.lines()) out << "    " << line << "\n";
}

} // namespace inlay::inline INLAY_ISA
