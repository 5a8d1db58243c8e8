// SPDX-License-Identifier: BSD-3-Clause
// Every loss.
#pragma once

#include <inlay/train/loss/classes.hpp>
#include <inlay/train/loss/numbers.hpp>
#include <inlay/train/loss/ranking.hpp>
#include <inlay/train/loss/several.hpp>
