#!/usr/bin/env python3
"""Makes the Conan package without any remote, and builds and runs its test package. Skipped where there is no Conan 2.

Conan comes from the PATH, from build/deps/conan, or by pip into that folder. Its home is temporary.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OWN = ROOT / "build" / "deps" / "conan"
SKIPPED = 77


def output_of(*command, **options):
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=300, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout


def find_conan():
    for program in ("conan", OWN / "bin" / "conan"):
        code, output = output_of(program, "--version")
        if code == 0 and "Conan version 2" in output:
            return program
    for command in ((sys.executable, "-m", "venv", OWN), (OWN / "bin" / "pip", "install", "-q", "--retries", "1",
                                                          "--timeout", "10", "conan>=2.9,<3")):
        code, output = output_of(*command)
        if code:
            shutil.rmtree(OWN, ignore_errors=True)
            print(f"skipped: the Conan package, since there is no Conan 2, and pip cannot install it: "
                  f"{output.strip().splitlines()[-1] if output.strip() else command}")
            sys.exit(SKIPPED)
    return OWN / "bin" / "conan"


def xsimd_version(include):
    text = (include / "xsimd/config/xsimd_config.hpp").read_text()
    return ".".join(re.search(rf"define XSIMD_VERSION_{part} (\d+)", text).group(1)
                    for part in ("MAJOR", "MINOR", "PATCH"))


def create(conan, options, work):
    environment = {**os.environ, "CONAN_HOME": str(work / "home"), "CXX": options.compiler,
                   "CC": options.compiler.replace("clang++", "clang").replace("g++", "gcc")}

    def run(*arguments):
        code, output = output_of(conan, *arguments, cwd=work, env=environment)
        if code:
            raise RuntimeError(f"$ conan {' '.join(map(str, arguments))}\n{output[-6000:]}")
        return output

    # Copies, since Conan writes beside a test package, and so that no consumer finds the sources by a relative path.
    shutil.copytree(HERE, work / "package")
    shutil.copytree(pathlib.Path(options.xsimd) / "xsimd", work / "package/conan_xsimd/include/xsimd")
    run("profile", "detect")
    settings = ("--no-remote", "-s", "compiler.cppstd=20")
    run("create", work / "package/conan_xsimd", "--version", xsimd_version(pathlib.Path(options.xsimd)), *settings)
    output = run("create", ROOT, "--test-folder", work / "package/conan", *settings, "-c",
                 "tools.cmake.cmaketoolchain:generator=Ninja")
    if "\n8 parameters\n" not in output:  # a matrix of 3 x 2 and a bias of 2
        raise RuntimeError(f"the test package did not run:\n{output[-6000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--xsimd", required=True)
    options = parser.parse_args()
    conan = find_conan()
    with tempfile.TemporaryDirectory() as folder:
        create(conan, options, pathlib.Path(folder))
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
