// SPDX-License-Identifier: BSD-3-Clause
// Holds the precompiled headers of the tests; see CMakeLists.txt.
