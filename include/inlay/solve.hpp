// SPDX-License-Identifier: BSD-3-Clause
// What is solved at once and not trained. With LAPACK: inlay/solve/lapack.hpp besides.
#pragma once

#include <inlay/solve/ease.hpp>
#include <inlay/solve/quantizer.hpp>
