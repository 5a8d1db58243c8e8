// SPDX-License-Identifier: BSD-3-Clause
// Products of matrices whose rows are padded to whole vectors: C = A B and A^T B (gemm), A B^T (gemm_nt).
#pragma once

#include <inlay/kernels/gemm/gemv_packed.hpp>
#include <inlay/kernels/gemm/nn.hpp>
#include <inlay/kernels/gemm/nt.hpp>
#include <inlay/kernels/gemm/small.hpp>
