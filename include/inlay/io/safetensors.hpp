// SPDX-License-Identifier: BSD-3-Clause
// Tensors by name in a file that PyTorch and others read and write.
#pragma once

#include <inlay/io/safetensors_reader.hpp>
#include <inlay/io/safetensors_writer.hpp>
