# inlay_target_isa(TARGET ISA): compiles a target of yours for `native`, or `x86-64-v2`, `x86-64-v3`, `x86-64-v4`,
# or any other name that the compiler's -march knows. Without it a compiler assumes the oldest x86-64 (SSE2).
function(inlay_target_isa target isa)
    if(NOT MSVC)
        set(flag -march=${isa})
    elseif(isa STREQUAL "x86-64-v2")
        set(flag "") # MSVC has no switch between SSE2 and AVX.
    elseif(isa STREQUAL "x86-64-v3")
        set(flag /arch:AVX2)
    elseif(isa STREQUAL "x86-64-v4")
        set(flag /arch:AVX512)
    else()
        message(FATAL_ERROR "inlay_target_isa(${target} ${isa}): expected x86-64-v2, x86-64-v3 or x86-64-v4 with MSVC")
    endif()
    target_compile_options(${target} PRIVATE ${flag})
endfunction()
