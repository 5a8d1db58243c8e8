#include <cmath>
#include <cstdio>

float first(int& lanes);
float second(int& lanes);

// Both give one result, each at its own width. DIFFERENT: the two were compiled for different machines.
int main() {
    int a = 0, b = 0;
    float const x = first(a), y = second(b);
    std::printf("%d lanes: %.9g; %d lanes: %.9g\n", a, double(x), b, double(y));
    bool const widths = DIFFERENT ? a < b : a == b;
    return widths && x != 0 && std::fabs(x - y) <= 1e-4f * std::fabs(x) ? 0 : 1;
}
