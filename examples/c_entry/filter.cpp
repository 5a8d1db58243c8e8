// SPDX-License-Identifier: BSD-3-Clause
// A recurrent filter of three signals as a shared library; serve.py runs it from Python.
#include <inlay/inlay.hpp>
#include <inlay/io/c_entry.hpp>

using Filter = inlay::Model<inlay::Sequence<8, 3>, inlay::Gru<5>, inlay::Dense<2>>;

INLAY_C_ENTRY(filter, Filter)
