import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class InlayRecipe(ConanFile):
    name = "inlay"
    description = "Models assembled at compile time from blocks"
    license = "BSD-3-Clause"
    topics = ("machine-learning", "simd", "header-only")
    package_type = "header-library"
    implements = ["auto_header_only"]
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = "include/*", "cmake/inlay-target-isa.cmake", "LICENSE"
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include", "inlay", "version.hpp"))
        self.version = ".".join(re.search(rf"INLAY_VERSION_{part} (\d+)", text).group(1)
                                for part in ("MAJOR", "MINOR", "PATCH"))

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("xsimd/[>=13 <15]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "cmake/inlay-target-isa.cmake", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "inlay")
        self.cpp_info.set_property("cmake_target_name", "inlay::inlay")
        self.cpp_info.set_property("cmake_build_modules", ["cmake/inlay-target-isa.cmake"])
        self.cpp_info.set_property("pkg_config_name", "inlay")
