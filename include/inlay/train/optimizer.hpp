// SPDX-License-Identifier: BSD-3-Clause
// Every optimizer. Forms and names follow PyTorch.
#pragma once

#include <inlay/train/adagrad.hpp>
#include <inlay/train/adam.hpp>
#include <inlay/train/ftrl.hpp>
#include <inlay/train/sgd.hpp>
