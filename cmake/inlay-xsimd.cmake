# Gives the target `xsimd`, version 13 or newer. Used by this build and, installed, by inlay-config.cmake.
# Order: a target that exists, INLAY_XSIMD_INCLUDE_DIR, installed headers, an installed package, a download.

set(inlay_xsimd_floor 13)

# xsimd is headers and nothing else, so headers are looked for first: Debian 13's CMake package stops the configuration
# where xtl is not installed, which inlay does not need.
function(inlay_xsimd_from_headers include_dir)
    add_library(xsimd INTERFACE IMPORTED GLOBAL)
    target_include_directories(xsimd INTERFACE "${include_dir}")
endfunction()

function(inlay_xsimd_version include_dir out)
    set(major 0)
    if(EXISTS "${include_dir}/xsimd/config/xsimd_config.hpp")
        file(STRINGS "${include_dir}/xsimd/config/xsimd_config.hpp" line REGEX "define XSIMD_VERSION_MAJOR [0-9]+")
        string(REGEX REPLACE ".* ([0-9]+).*" "\\1" major "${line}")
    endif()
    set(${out} "${major}" PARENT_SCOPE)
endfunction()

if(NOT TARGET xsimd AND INLAY_XSIMD_INCLUDE_DIR)
    inlay_xsimd_version("${INLAY_XSIMD_INCLUDE_DIR}" inlay_xsimd_major)
    if(inlay_xsimd_major LESS inlay_xsimd_floor)
        message(FATAL_ERROR "inlay: INLAY_XSIMD_INCLUDE_DIR: expected xsimd ${inlay_xsimd_floor} or newer in "
            "${INLAY_XSIMD_INCLUDE_DIR}, found ${inlay_xsimd_major} (0: no xsimd there)")
    endif()
    inlay_xsimd_from_headers("${INLAY_XSIMD_INCLUDE_DIR}")
endif()

if(NOT TARGET xsimd)
    find_path(inlay_xsimd_found xsimd/xsimd.hpp NO_CACHE
        HINTS "${xsimd_ROOT}" ENV xsimd_ROOT "${xsimd_DIR}/../../.." PATH_SUFFIXES include)
    inlay_xsimd_version("${inlay_xsimd_found}" inlay_xsimd_major)
    if(inlay_xsimd_major GREATER_EQUAL inlay_xsimd_floor)
        inlay_xsimd_from_headers("${inlay_xsimd_found}")
    endif()
endif()

# Conan, for one, has a package but no place for headers. xsimd's package accepts one major version a request; a
# request without a version would define the target from one that is too old.
foreach(inlay_xsimd_major RANGE ${inlay_xsimd_floor} 20)
    if(NOT TARGET xsimd)
        find_package(xsimd ${inlay_xsimd_major} CONFIG QUIET)
    endif()
endforeach()

if(NOT TARGET xsimd AND INLAY_FETCH_DEPS)
    include(FetchContent)
    # The headers only: a SOURCE_SUBDIR without a CMakeLists.txt keeps xsimd's own build out of ours.
    FetchContent_Declare(inlay_xsimd
        URL https://github.com/xtensor-stack/xsimd/archive/refs/tags/13.2.0.tar.gz
        URL_HASH SHA256=edd8cd3d548c185adc70321c53c36df41abe64c1fe2c67bc6d93c3ecda82447a
        DOWNLOAD_EXTRACT_TIMESTAMP TRUE
        SOURCE_SUBDIR include)
    FetchContent_MakeAvailable(inlay_xsimd)
    inlay_xsimd_from_headers("${inlay_xsimd_SOURCE_DIR}/include")
endif()

if(NOT TARGET xsimd)
    message(FATAL_ERROR "inlay: xsimd ${inlay_xsimd_floor} or newer was not found. Install it (Debian 13: "
        "libxsimd-dev; vcpkg and Conan: xsimd), or set INLAY_XSIMD_INCLUDE_DIR to the folder that holds "
        "xsimd/xsimd.hpp, or set INLAY_FETCH_DEPS=ON to download it.")
endif()
