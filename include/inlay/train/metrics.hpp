// SPDX-License-Identifier: BSD-3-Clause
// Every metric: how good predictions are, in double, with ties settled.
#pragma once

#include <inlay/train/metrics_classes.hpp>
#include <inlay/train/metrics_numbers.hpp>
#include <inlay/train/metrics_ranking.hpp>
#include <inlay/train/scores.hpp>
