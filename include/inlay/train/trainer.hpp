// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/trainer/blame.hpp>
#include <inlay/train/trainer/class.hpp>
#include <inlay/train/trainer/fit.hpp>
#include <inlay/train/trainer/loss.hpp>
#include <inlay/train/trainer/steps.hpp>
