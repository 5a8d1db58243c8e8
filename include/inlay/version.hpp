// SPDX-License-Identifier: BSD-3-Clause
// The version. CMake, the Conan recipe and the vcpkg manifest read or are checked against these lines.
#pragma once

#define INLAY_VERSION_MAJOR 0
#define INLAY_VERSION_MINOR 1
#define INLAY_VERSION_PATCH 0
