// SPDX-License-Identifier: BSD-3-Clause
// Every reference.
#pragma once

#include "activation.hpp"
#include "attention.hpp"
#include "combine.hpp"
#include "conv.hpp"
#include "cross.hpp"
#include "dense.hpp"
#include "dropout.hpp"
#include "embed.hpp"
#include "linear_attention.hpp"
#include "loss.hpp"
#include "metric.hpp"
#include "mlp.hpp"
#include "norm.hpp"
#include "optimizer.hpp"
#include "philox.hpp"
#include "pool.hpp"
#include "recurrent.hpp"
#include "reference.hpp"
#include "schedule.hpp"
#include "xxh64.hpp"
