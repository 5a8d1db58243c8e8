// SPDX-License-Identifier: BSD-3-Clause
// LAPACK in the place of PlainCholesky, for programs that link it: `Ease::fit<Lapack>(...)`, `-llapack`. No
// other header includes this one.
#pragma once

#include <inlay/config.hpp>

#include <cstddef>

extern "C" {
void dpotrf_(char const* uplo, int const* n, double* a, int const* lda, int* info);
void dpotri_(char const* uplo, int const* n, double* a, int const* lda, int* info);
}

namespace inlay::inline INLAY_ISA {

/// `dpotrf` and `dpotri`.
struct Lapack {
    /// Replaces the n x n matrix by its inverse, reading its lower triangle; false where it is not positive
    /// definite.
    static bool invert(int n, double* matrix) {
        int info = 0;
        // Columns before rows: what is the lower triangle here is the upper one there.
        dpotrf_("U", &n, matrix, &n, &info);
        if (info == 0) dpotri_("U", &n, matrix, &n, &info);
        if (info != 0) return false;
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < i; ++j) matrix[std::ptrdiff_t(j) * n + i] = matrix[std::ptrdiff_t(i) * n + j];
        return true;
    }
};

} // namespace inlay::inline INLAY_ISA
