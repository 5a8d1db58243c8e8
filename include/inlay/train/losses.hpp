// SPDX-License-Identifier: BSD-3-Clause
// Every loss.
#pragma once

#include <inlay/train/loss_classes.hpp>
#include <inlay/train/loss_numbers.hpp>
#include <inlay/train/loss_ranking.hpp>
#include <inlay/train/loss_several.hpp>
