#!/usr/bin/env python3
"""The single header builds programs by itself, and the weights of one model become a part of another program."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "cmake")]
import compilers  # noqa: E402
import single_header  # noqa: E402

MODEL = """
using namespace inlay;
using M = Model<Vector<3>, Dense<4>, Tanh, Dense<2>>;
inline void print(M::Params const& params) {
    auto state = M::State();
    float const x[] = {0.5F, -1, 2};
    float y[2];
    M::step(params, state, x, y);
    std::printf("%a %a\\n", double(y[0]), double(y[1]));
}
"""
# All umbrellas, and a second unit that includes the same file.
WRITER = '#include "inlay.hpp"\n#include <cstdio>' + MODEL + """
int other();
int main() {
    Network<M> const net(Seed{3});
    save_header(net, "weights.hpp", "weights");
    print(net.params());
    return other();
}
"""
OTHER = """#include "inlay.hpp"
int other() {
    using M = inlay::Model<inlay::Vector<2>, inlay::Dense<1>>;
    return int(sizeof(inlay::Network<M>(inlay::Seed{1}).params()) == 0);
}
"""
# A target without files, heap, exceptions and RTTI.
READER = '#include "core.hpp"\n#include "weights.hpp"\n#include <cstdio>' + MODEL + """
static M::Params params;
int main() {
    if (!fill<M>(params, weights::layout, weights::values)) return 1;
    print(params);
}
"""


def check(options, compiler):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def build(program, *arguments):
            flags = ["-std=c++20", "-O1", "-march=x86-64-v3", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program]
            if options.xsimd and options.xsimd != "/usr/include":
                flags += ["-isystem", options.xsimd]
            if not compilers.is_clang(compiler):
                flags += compilers.GCC_12_WARNINGS
            subprocess.run([compiler, *flags, *arguments], cwd=folder, check=True)
            return subprocess.run([folder / program], cwd=folder, check=True, capture_output=True, text=True).stdout

        (folder / "inlay.hpp").write_text(single_header.single(["inlay.hpp", "data.hpp", "train.hpp",
                                                                "io/weights_header.hpp"]))
        (folder / "core.hpp").write_text(single_header.single(["inlay.hpp", "model/numbers.hpp"]))
        for file, text in (("writer.cpp", WRITER), ("other.cpp", OTHER), ("reader.cpp", READER)):
            (folder / file).write_text(text)
        written = build("writer", "writer.cpp", "other.cpp")
        read = build("reader", "-fno-exceptions", "-fno-rtti", "reader.cpp")
        return None if written == read and written.count("0x") == 2 else f"{written!r} is not {read!r}"


def main():
    options = compilers.arguments(__doc__).parse_args()
    compilers.check_compilers(options)
    compilers.report([(f"single header, {compiler}", lambda compiler=compiler: check(options, compiler))
                      for compiler in options.compilers[:1]])


if __name__ == "__main__":
    main()
