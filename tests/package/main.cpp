// What every consumer here builds: the least program that uses inlay.
#include <inlay/inlay.hpp>

#include <cstdio>

using Net = inlay::Model<inlay::Sequence<4, 3>, inlay::Dense<2>>;

int main() { std::printf("%zu parameters\n", static_cast<std::size_t>(Net::parameters)); }
