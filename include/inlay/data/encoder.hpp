// SPDX-License-Identifier: BSD-3-Clause
// From text to rows.
#pragma once

#include <inlay/data/encoder_class.hpp>
#include <inlay/data/encoder_json.hpp>
