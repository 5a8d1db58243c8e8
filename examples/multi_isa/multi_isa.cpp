// SPDX-License-Identifier: BSD-3-Clause
// One binary for every x86-64 machine: picks the best version that this one runs, once, and compares all of
// them.
#include "ranker.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    std::vector<RankerCalls const*> versions{ranker_v2()};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) versions.push_back(ranker_v3());
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        versions.push_back(ranker_v4());

    constexpr int rows = 7;
    float x[rows * 12], first[rows];
    for (int i = 0; i < rows * 12; ++i) x[i] = float(i * 37 % 19) / 9 - 1;
    versions.front()->score(x, rows, first);
    float worst = 0;
    for (auto const* version : versions) {
        float y[rows];
        version->score(x, rows, y);
        for (int i = 0; i < rows; ++i) worst = std::max(worst, std::abs(y[i] - first[i]));
    }
    std::printf("%zu versions, %s taken; they agree to %.1e\n", versions.size(), versions.back()->isa,
                double(worst));
    return worst < 1e-5f && (versions.size() < 2 || versions[1]->isa != versions[0]->isa) ? 0 : 1;
}
