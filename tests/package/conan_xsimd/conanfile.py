from conan import ConanFile
from conan.tools.files import copy


class XsimdHeaders(ConanFile):
    """xsimd's headers from the folder of this recipe, for machines that reach no Conan remote."""
    name = "xsimd"
    package_type = "header-library"
    implements = ["auto_header_only"]
    exports_sources = "include/*"
    no_copy_source = True

    def package(self):
        copy(self, "include/*", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_target_name", "xsimd")
