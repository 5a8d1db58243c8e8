// SPDX-License-Identifier: BSD-3-Clause
// Losses, optimizers, the trainer and metrics.
#pragma once

#include <inlay/inlay.hpp>
#include <inlay/train/carried_states.hpp>
#include <inlay/train/evaluate.hpp>
#include <inlay/train/loss/losses.hpp>
#include <inlay/train/metrics/named_metric.hpp>
#include <inlay/train/trainer.hpp>
