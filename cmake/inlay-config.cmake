include("${CMAKE_CURRENT_LIST_DIR}/inlay-xsimd.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/inlay-target-isa.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/inlay-targets.cmake")
