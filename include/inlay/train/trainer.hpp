// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <inlay/train/trainer_blame.hpp>
#include <inlay/train/trainer_class.hpp>
#include <inlay/train/trainer_fit.hpp>
#include <inlay/train/trainer_loss.hpp>
#include <inlay/train/trainer_steps.hpp>
