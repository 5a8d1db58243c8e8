// SPDX-License-Identifier: BSD-3-Clause
// Several documents in one sequence, of which a token sees its own.
#pragma once

#include <inlay/blocks/attention/part.hpp>
#include <inlay/blocks/attention/policies.hpp>
#include <inlay/core/context.hpp>
#include <inlay/kernels/attention/tile.hpp>

namespace inlay::inline INLAY_ISA {

/// Word of a misfit.
struct an_id_of_the_vocabulary;

/// y_t = how many documents ended before token t, where a document ends with the id Separator.
///
/// Shapes: `Tokens<T, V>` to `Shape<T, 1>`: whole numbers, that begin again at 0 after 2^20. No parameters,
/// no gradient. State: the number. Error: what is no sequence of ids, a Separator that is none of them. Cost:
/// a comparison a token. PyTorch: `F.pad(ids == s, (1, 0))[..., :-1].cumsum(-1)`.
template <int Separator> struct DocumentIndex {
    using Wanted = an_id_of_the_vocabulary;
    template <int T, int V>
        requires(Separator >= 0 && Separator < V)
    static Tag<Shape<T, 1>> out(Tag<Tokens<T, V>>);

    template <class I, class R> struct Block : BlockDefaults {
        using Spec = DocumentIndex;
        using Output = Shape<I::rows, 1>;
        using T = typename R::type;
        static constexpr bool streams = true;
        static constexpr int stride = Out<Output, R>::stride;
        struct State {
            std::int64_t documents;
        };

        template <class C, class Tp>
        static void forward(C const& c, Params const&, In<I, R> x, Out<Output, R> y, Tp&, Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b) {
                auto const* const in = c.template state_in<State>(b);
                State now{in ? in->documents : 0};
                for (int t = 0; t < x.length(b); ++t) write(now, x(b)[t], y(b, t));
                detail::clear_rows_from(y, b, x.length(b));
                if (auto* const out = c.template state_out<State>(b)) *out = now;
            }
        }
        template <class C>
        static void step(C const&, Params const&, State& s, std::int32_t const* x, T* y, Scratch) noexcept {
            write(s, *x, y);
        }
        template <class C, class Tp, class G>
        static void backward(C const& c, Params const&, In<I, R>, Tp const&, In<Output, R>, NoGrad, G&,
                             Scratch) noexcept {
            for (int b = 0; b < c.rows; ++b)
                if (auto* const d_in = c.template d_state_in<State>(b)) d_in->documents = 0;
        }

    private:
        static void write(State& s, std::int32_t id, T* y) noexcept {
            kernels::clear(y, stride);
            y[0] = T(s.documents);
            if (id == Separator) s.documents = (s.documents + 1) % (1 << 20);
        }
    };
};

/// A token sees its own document: tokens next to each other with the same whole number in the side tensor
/// Side, `[T, 1]`: `Let<"document", DocumentIndex<0>, Embed<D>, SoftmaxAttn<Documents<"document">>>`.
template <Name Side> struct Documents {
    using PolicyKind = WhichDocuments;
    using Is = List<that_knows_documents>;
    using Refuses = List<that_outlives_documents>;
};

namespace detail {
template <class S, class Policy> struct DocumentMask : NoPart<WhichDocuments> {
    template <class... A> static void limit(A&&...) noexcept {}
    template <class... A> static void keep(A&&...) noexcept {}
    template <class... A> static std::int64_t step(A&&...) noexcept { return 0; }
};
template <class S, Name Side> struct DocumentMask<S, Documents<Side>> : NoPart<WhichDocuments> {
    static constexpr bool used = true;
    /// What a stream keeps: the number of its last document, and the place where that began.
    struct Memory {
        std::int64_t number, start;
    };

    /// Narrows what n new tokens see.
    template <class C, class T>
    static void limit(C const& c, int b, typename S::Order order, int n, Memory const* in,
                      kernels::KeySpans<T> spans) noexcept {
        Memory now = in ? *in : Memory{};
        auto const row = [&](std::int64_t place) { return S::front + order.row(place); };
        for (int t = 0; t < n; ++t) {
            enter(now, number(c, b, t), order.before + t);
            spans.first[t] = std::max(spans.first[t], T(row(now.start)));
        }
        int end = row(order.before + n);
        for (int t = n - 1; t >= 0; --t) {
            if (t + 1 < n && number(c, b, t) != number(c, b, t + 1)) end = row(order.before + t + 1);
            spans.set(t, int(spans.always[t]), int(spans.first[t]), std::min(int(spans.last[t]), end));
        }
    }
    template <class C>
    static void keep(C const& c, int b, typename S::Order order, int n, Memory const* in,
                     Memory& out) noexcept {
        Memory now = in ? *in : Memory{};
        for (int t = 0; t < n; ++t) enter(now, number(c, b, t), order.before + t);
        out = now;
    }
    /// The place where the document of a token began.
    template <class C> static std::int64_t step(C const& c, Memory& memory, std::int64_t place) noexcept {
        enter(memory, number(c, 0, 0), place);
        return memory.start;
    }

private:
    template <class C> static std::int64_t number(C const& c, int b, int t) noexcept {
        static_assert(HasSide<Side, decltype(c.extras)>,
                      "inlay: Documents names a side tensor that no Let or Keep around it makes");
        return std::int64_t(side<Side>(c.extras).value(b, t)[0]);
    }
    static void enter(Memory& m, std::int64_t number, std::int64_t place) noexcept {
        if (number != m.number && place > 0) m.start = place;
        m.number = number;
    }
};
} // namespace detail

} // namespace inlay::inline INLAY_ISA
