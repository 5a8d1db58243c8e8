// SPDX-License-Identifier: BSD-3-Clause
// Files: weights, tables of data, and what turns text into rows.
#pragma once

#include <inlay/data/event_rows.hpp>
#include <inlay/data/libsvm.hpp>
#include <inlay/data/read_log.hpp>
#include <inlay/data/save.hpp>
#include <inlay/data/tokens.hpp>
#include <inlay/inlay.hpp>
#include <inlay/io/dispatch.hpp>
#include <inlay/io/known_models.hpp>
#include <inlay/io/recommender_names.hpp>
#include <inlay/io/rtneural.hpp>
#include <inlay/io/state.hpp>
#include <inlay/io/torch_names.hpp>
