# What vcpkg's own scripts do for a portfile, as far as ours asks for it:
# cmake -D PORTFILE=... -D PORT=inlay -D CURRENT_PACKAGES_DIR=... -D CURRENT_INSTALLED_DIR=... -D CURRENT_BUILDTREES_DIR=...
#     -D COMPILER=... -P vcpkg_functions.cmake
cmake_minimum_required(VERSION 3.25)

function(inlay_run)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

function(inlay_no_rest function)
    if(ARGN)
        message(FATAL_ERROR "${function} was passed extra arguments: ${ARGN}")
    endif()
endfunction()

# Release only, as a port that sets VCPKG_BUILD_TYPE; disconnected, as vcpkg builds are.
function(vcpkg_cmake_configure)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
    inlay_no_rest(vcpkg_cmake_configure ${arg_UNPARSED_ARGUMENTS})
    if(NOT VCPKG_BUILD_TYPE STREQUAL "release")
        message(FATAL_ERROR "the port of a header-only library sets VCPKG_BUILD_TYPE to release")
    endif()
    inlay_run(${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${CURRENT_BUILDTREES_DIR} -G Ninja
        -D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_COMPILER=${COMPILER} -D BUILD_SHARED_LIBS=OFF
        -D CMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} -D CMAKE_PREFIX_PATH=${CURRENT_INSTALLED_DIR}
        -D CMAKE_INSTALL_LIBDIR:STRING=lib -D CMAKE_INSTALL_BINDIR:STRING=bin
        -D FETCHCONTENT_FULLY_DISCONNECTED=ON -D CMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON
        -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -D CMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF
        ${arg_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
    inlay_no_rest(vcpkg_cmake_install ${ARGN})
    inlay_run(${CMAKE_COMMAND} --build ${CURRENT_BUILDTREES_DIR} --target install)
endfunction()

# Moves the package's files to share/PORT, and counts the folders up to the prefix anew.
function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
    inlay_no_rest(vcpkg_cmake_config_fixup ${arg_UNPARSED_ARGUMENTS})
    set(from "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}")
    file(GLOB files "${from}/*")
    if(NOT files)
        message(FATAL_ERROR "'${from}' is empty or does not exist.")
    endif()
    file(COPY ${files} DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
    file(REMOVE_RECURSE "${from}")
    cmake_path(GET from PARENT_PATH parent)
    if(parent MATCHES "/cmake$")
        file(REMOVE_RECURSE "${parent}")
    endif()
    file(GLOB files "${CURRENT_PACKAGES_DIR}/share/${PORT}/*.cmake")
    set(up [[get_filename_component(_IMPORT_PREFIX "${_IMPORT_PREFIX}" PATH)]])
    foreach(file IN LISTS files)
        file(READ "${file}" text)
        string(REPLACE "\n${up}" "" text "${text}")
        set(first [[get_filename_component(_IMPORT_PREFIX "${CMAKE_CURRENT_LIST_FILE}" PATH)]])
        string(REPLACE "${first}" "${first}\n${up}\n${up}" text "${text}")
        file(WRITE "${file}" "${text}")
    endforeach()
endfunction()

# vcpkg rewrites absolute prefixes, and has pkg-config read the file with those of the packages that it needs.
function(vcpkg_fixup_pkgconfig)
    inlay_no_rest(vcpkg_fixup_pkgconfig ${ARGN})
    set(ENV{PKG_CONFIG_PATH} "${CURRENT_INSTALLED_DIR}/share/pkgconfig:${CURRENT_PACKAGES_DIR}/share/pkgconfig")
    inlay_run(pkg-config --print-errors --exists ${PORT})
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    inlay_no_rest(vcpkg_install_copyright ${arg_UNPARSED_ARGUMENTS})
    file(COPY_FILE ${arg_FILE_LIST} "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright")
endfunction()

# vcpkg includes a portfile, whose folder is CMAKE_CURRENT_LIST_DIR there.
include("${PORTFILE}")
