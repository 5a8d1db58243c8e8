// SPDX-License-Identifier: BSD-3-Clause
// A model behind plain C functions, for whatever can load a shared library.
#pragma once

#include <inlay/io/weights.hpp>

#include <algorithm>
#include <exception>
#include <memory>

#if defined(_WIN32)
#define INLAY_C_EXPORT __declspec(dllexport)
#else
#define INLAY_C_EXPORT __attribute__((visibility("default")))
#endif

namespace inlay::inline INLAY_ISA {
namespace detail {

/// What a handle of the C functions points at. Rows are packed, as C and NumPy have them.
template <class M> class CEntry {
public:
    using Input = typename M::Input;
    using Output = typename M::Output;
    using T = typename M::T;
    static_assert(is_numbers<Input> || is_ids<Input>,
                  "inlay: a C entry takes a Vector, a Sequence or Tokens");
    using X = typename Network<M>::Element;
    static constexpr int width = int(Packed<Input, T>::each) / Input::rows;

    explicit CEntry(char const* path) : net_(Seed{0}) { load(net_, std::string(path)); }

    void infer(X const* x, std::int32_t const* lengths, int rows, T* y) noexcept {
        for (int first = 0; first < rows; first += batch) {
            int const n = std::min(batch, rows - first);
            auto const count = std::size_t(n);
            auto const own = lengths ? std::span(lengths + first, count) : std::span<std::int32_t const>();
            std::span const part(x + std::size_t(first) * each, count * each);
            auto const out = net_.infer(part, *work_, own);
            for (int b = 0; b < n; ++b)
                for (int t = 0; t < Output::rows; ++t) y = std::copy_n(out(b, t), Output::width, y);
        }
    }
    bool step(X const* x, T* y) noexcept {
        if constexpr (M::streams) {
            std::span<T, std::size_t(M::step_width)> const to(y, std::size_t(M::step_width));
            if constexpr (is_ids<Input>) M::step(net_.params(), *state_, *x, to);
            else
                M::step(net_.params(), *state_, std::span<T const, std::size_t(width)>(x, std::size_t(width)),
                        to);
        }
        return M::streams;
    }
    void fresh() noexcept { reset<M>(*state_); }

private:
    static constexpr int batch = 16;
    static constexpr std::size_t each = Packed<Input, T>::each;
    Network<M> net_;
    std::unique_ptr<Workspace<M, Batch<batch>>> work_ = std::make_unique<Workspace<M, Batch<batch>>>();
    std::unique_ptr<typename M::State> state_ = std::make_unique<typename M::State>();
};

/// Why the last `create` of this thread gave nothing.
inline std::string& c_error() {
    thread_local std::string text;
    return text;
}
template <class M> CEntry<M>* c_create(char const* path) noexcept {
    try {
        auto entry = std::make_unique<CEntry<M>>(path);
        c_error().clear();
        return entry.release();
    } catch (std::exception const& e) {
        c_error() = e.what();
        return nullptr;
    }
}
template <class M> CEntry<M>& c_entry(void* handle) noexcept { return *static_cast<CEntry<M>*>(handle); }

} // namespace detail
} // namespace inlay::inline INLAY_ISA

/// C functions for a model, outside of every namespace, in one source file of a shared library:
///
/// - `void* NAME_create(const char* weights);` NULL where it cannot be loaded, and NAME_error() says why
/// - `const char* NAME_error(void);`
/// - `void NAME_sizes(int sizes[4]);` rows and width of the input, rows and width of the output
/// - `void NAME_infer(void* model, const X* x, const int32_t* lengths, int rows, float* y);`
/// - `int NAME_step(void* model, const X* x, float* y);` one token; 0 where the model cannot be streamed
/// - `void NAME_reset(void* model);` a fresh stream
/// - `void NAME_destroy(void* model);`
///
/// X is float, and int32_t for Tokens, whose ids must be below the vocabulary. Rows are packed one behind the
/// other; `lengths` may be NULL. A handle is for one thread at a time.
#define INLAY_C_ENTRY(NAME, ...)                                                                             \
    extern "C" {                                                                                             \
    INLAY_C_EXPORT void* NAME##_create(char const* weights) noexcept {                                       \
        return ::inlay::detail::c_create<__VA_ARGS__>(weights);                                              \
    }                                                                                                        \
    INLAY_C_EXPORT char const* NAME##_error() noexcept { return ::inlay::detail::c_error().c_str(); }        \
    INLAY_C_EXPORT void NAME##_sizes(int* sizes) noexcept {                                                  \
        using Entry = ::inlay::detail::CEntry<__VA_ARGS__>;                                                  \
        sizes[0] = Entry::Input::rows, sizes[1] = Entry::width;                                              \
        sizes[2] = Entry::Output::rows, sizes[3] = Entry::Output::width;                                     \
    }                                                                                                        \
    INLAY_C_EXPORT void NAME##_infer(void* model, ::inlay::detail::CEntry<__VA_ARGS__>::X const* x,          \
                                     std::int32_t const* lengths, int rows, float* y) noexcept {             \
        ::inlay::detail::c_entry<__VA_ARGS__>(model).infer(x, lengths, rows, y);                             \
    }                                                                                                        \
    INLAY_C_EXPORT int NAME##_step(void* model, ::inlay::detail::CEntry<__VA_ARGS__>::X const* x,            \
                                   float* y) noexcept {                                                      \
        return ::inlay::detail::c_entry<__VA_ARGS__>(model).step(x, y);                                      \
    }                                                                                                        \
    INLAY_C_EXPORT void NAME##_reset(void* model) noexcept {                                                 \
        ::inlay::detail::c_entry<__VA_ARGS__>(model).fresh();                                                \
    }                                                                                                        \
    INLAY_C_EXPORT void NAME##_destroy(void* model) noexcept {                                               \
        delete static_cast<::inlay::detail::CEntry<__VA_ARGS__>*>(model);                                    \
    }                                                                                                        \
    }
