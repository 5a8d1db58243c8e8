// SPDX-License-Identifier: BSD-3-Clause
// Looking into a model while it runs.
#pragma once

#include <inlay/probe/activations.hpp>
#include <inlay/probe/attention_map.hpp>
#include <inlay/probe/audit.hpp>
#include <inlay/probe/concentration.hpp>
#include <inlay/probe/heads.hpp>
#include <inlay/probe/repetition.hpp>
#include <inlay/probe/sparsity.hpp>
#include <inlay/probe/watch.hpp>
