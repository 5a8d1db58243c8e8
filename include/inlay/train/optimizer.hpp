// SPDX-License-Identifier: BSD-3-Clause
// Every optimizer. Forms and names follow PyTorch.
#pragma once

#include <inlay/train/optimizer/adagrad.hpp>
#include <inlay/train/optimizer/adam.hpp>
#include <inlay/train/optimizer/ftrl.hpp>
#include <inlay/train/optimizer/sgd.hpp>
