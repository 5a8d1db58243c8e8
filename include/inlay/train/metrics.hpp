// SPDX-License-Identifier: BSD-3-Clause
// Every metric: how good predictions are, in double, with ties settled.
#pragma once

#include <inlay/train/metrics/by_group.hpp>
#include <inlay/train/metrics/classes.hpp>
#include <inlay/train/metrics/numbers.hpp>
#include <inlay/train/metrics/ranking.hpp>
#include <inlay/train/scores.hpp>
