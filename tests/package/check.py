#!/usr/bin/env python3
"""Installs inlay, moves what was installed, and builds the consumers beside this file from there and from the sources."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode:
        raise RuntimeError(f"$ {' '.join(map(str, command))}\n{done.stdout[-6000:]}")
    return done.stdout


class Package:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.prefix, self.moved = work / "first", work / "moved" / "prefix"

    def cmake(self, source, build, *arguments, xsimd=True):
        place = [f"-DINLAY_XSIMD_INCLUDE_DIR={self.options.xsimd}"] if xsimd else []
        call(self.options.cmake, "-S", source, "-B", build, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release",
             "-D", f"CMAKE_CXX_COMPILER={self.options.compiler}", "-D", "INLAY_FETCH_DEPS=OFF", *place, *arguments)

    def install(self):
        build = self.work / "inlay"
        # Only what git has or would add: an install must not lean on what lies about in the tree.
        self.cmake(ROOT, build, *(f"-DINLAY_BUILD_{what}=OFF" for what in ("TESTS", "EXAMPLES", "BENCHMARKS")))
        call(self.options.cmake, "--install", build, "--prefix", self.prefix)
        shutil.rmtree(build)
        for path in self.prefix.rglob("*"):
            if path.is_file() and any(str(place) in path.read_text() for place in (ROOT, self.prefix, self.work)):
                raise RuntimeError(f"{path} names the folder it was built or installed in")
        tops = sorted(str(path.relative_to(self.prefix)) for path in self.prefix.glob("*/*"))
        if tops != ["include/inlay", "share/cmake", "share/pkgconfig"]:
            raise RuntimeError(f"installed: {tops}")
        self.moved.parent.mkdir()
        self.prefix.rename(self.moved)

    def consumer(self, kind, *arguments, build=None, xsimd=True):
        # A copy, so that no consumer finds the sources by a relative path.
        folder = self.work / "consumers"
        if not folder.exists():
            shutil.copytree(HERE, folder)
        build = self.work / (build or f"build-{kind}")
        self.cmake(folder / kind, build, *arguments, xsimd=xsimd)
        call(self.options.cmake, "--build", build, "-j", "2")
        self.says_parameters(build / "consumer")

    def says_parameters(self, program):
        output = call(program)
        if output != "8 parameters\n":  # a matrix of 3 x 2 and a bias of 2
            raise RuntimeError(f"{program} printed {output!r}")

    def find_package(self):
        self.consumer("find_package", "-D", f"CMAKE_PREFIX_PATH={self.moved}")

    def refuses_another_version(self):
        folder = self.work / "newer"
        folder.mkdir()
        text = (HERE / "find_package/CMakeLists.txt").read_text().replace("inlay 0.1", "inlay 99.1")
        (folder / "CMakeLists.txt").write_text(text)
        try:
            self.cmake(folder, self.work / "build-newer", "-D", f"CMAKE_PREFIX_PATH={self.moved}")
        except RuntimeError as error:
            if "inlay-config.cmake, version:" not in str(error):
                raise
        else:
            raise RuntimeError("version 99.1 was found")

    def add_subdirectory(self):
        self.consumer("add_subdirectory", "-D", f"INLAY_SOURCE={ROOT}")

    def fetchcontent(self):
        self.consumer("fetchcontent", "-D", f"FETCHCONTENT_SOURCE_DIR_INLAY={ROOT}")

    def pkgconfig(self):
        # Where xsimd is only a folder of headers, it has no .pc file of its own: the least one stands in.
        (self.work / "xsimd.pc").write_text(f"Name: xsimd\nDescription: SIMD\nVersion: 13.2.0\nCflags: -I{self.options.xsimd}\n")
        paths = os.pathsep.join(map(str, [self.moved / "share/pkgconfig", self.work]))
        environment = {**os.environ, "PKG_CONFIG_PATH": paths}
        program = self.work / "pkgconfig-consumer"
        call(HERE / "pkgconfig/build.sh", HERE / "main.cpp", program,
             env={**environment, "CXX": self.options.compiler})
        self.says_parameters(program)

    def vcpkg(self):
        """Runs the overlay port by stand-ins for vcpkg's functions, and builds a consumer from the package."""
        work = self.work / "vcpkg"
        installed, package = work / "installed", work / "package"
        (installed / "include").mkdir(parents=True)
        (installed / "include/xsimd").symlink_to(self.options.xsimd / "xsimd")
        (installed / "share/pkgconfig").mkdir(parents=True)
        (installed / "share/pkgconfig/xsimd.pc").write_text("Name: xsimd\nDescription: SIMD\nVersion: 13.2.0\n")
        port = HERE / "vcpkg/inlay"
        call(self.options.cmake, f"-DPORTFILE={port / 'portfile.cmake'}", "-DPORT=inlay",
             f"-DCURRENT_PACKAGES_DIR={package}", f"-DCURRENT_INSTALLED_DIR={installed}",
             f"-DCURRENT_BUILDTREES_DIR={work / 'build'}", f"-DCOMPILER={self.options.compiler}",
             "-P", HERE / "vcpkg_functions.cmake")
        # What vcpkg looks at when a package is made.
        folders = sorted(str(path.relative_to(package)) for path in package.glob("*/*"))
        if folders != ["include/inlay", "share/inlay", "share/pkgconfig"]:
            raise RuntimeError(f"the package holds {folders}")
        for path in package.rglob("*"):
            if path.is_dir() and not any(path.iterdir()):
                raise RuntimeError(f"{path} is empty")
            if path.is_file() and any(str(place) in path.read_text() for place in (ROOT, work)):
                raise RuntimeError(f"{path} names the folder it was built or installed in")
        if (package / "share/inlay/copyright").read_bytes() != (ROOT / "LICENSE").read_bytes():
            raise RuntimeError("copyright is not the licence")
        manifest = json.loads((port / "vcpkg.json").read_text())
        needed = {d if isinstance(d, str) else d["name"] for d in manifest["dependencies"]}
        if needed != {"vcpkg-cmake", "vcpkg-cmake-config", "xsimd"}:
            raise RuntimeError(f"vcpkg.json asks for {sorted(needed)}")
        shutil.copytree(package, installed, dirs_exist_ok=True)
        self.consumer("find_package", "-D", f"CMAKE_PREFIX_PATH={installed}", build="vcpkg-consumer", xsimd=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cmake", default="cmake")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--xsimd", type=pathlib.Path, required=True)
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        package = Package(options, pathlib.Path(folder))
        steps = ["install", "find_package", "refuses_another_version", "add_subdirectory", "fetchcontent", "pkgconfig",
                 "vcpkg"]
        for step in steps:
            try:
                getattr(package, step)()
            except (RuntimeError, OSError) as error:
                failed += 1
                print(f"FAILED {step}\n{error}\n", flush=True)
    print(f"{len(steps) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
