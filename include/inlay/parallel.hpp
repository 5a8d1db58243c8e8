// SPDX-License-Identifier: BSD-3-Clause
// Executors that use more than one thread.
#pragma once

#include <inlay/parallel/threads.hpp>
