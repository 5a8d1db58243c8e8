#!/bin/sh
# build.sh SOURCE PROGRAM: a build without CMake.
set -e
flags=$(pkg-config --cflags inlay) # on its own line, so that a failure ends the script
# shellcheck disable=SC2086
exec "${CXX:-c++}" -std=c++20 -O2 -march=x86-64-v3 $flags "$1" -o "$2"
