# An overlay port of this checkout: vcpkg install inlay --overlay-ports=tests/package/vcpkg
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

set(VCPKG_BUILD_TYPE release) # header-only

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DINLAY_BUILD_TESTS=OFF
        -DINLAY_BUILD_BENCHMARKS=OFF
        -DINLAY_BUILD_EXAMPLES=OFF
        -DINLAY_FETCH_DEPS=OFF
        -DINLAY_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/${PORT})
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
