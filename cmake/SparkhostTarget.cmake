# SPDX-License-Identifier: Apache-2.0

# Warnings and sanitizers (SPARKHOST_SANITIZE: address, thread, fuzzer) for one of our own targets; never for those who use it.
function(sparkhost_target target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
        -Wno-missing-field-initializers)
    if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # g++ 12 sees overlaps in "literal" + std::string, and pairs Asio's coroutine frames with
        # the wrong operator new; neither is there
        target_compile_options(${target} PRIVATE -Wno-restrict -Wno-mismatched-new-delete)
    endif()
    if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # what stands in a source of its own looks like a header's here, or hides a neighbour's
        target_compile_options(${target} PRIVATE -Wno-subobject-linkage -Wno-shadow)
    endif()
    if(SPARKHOST_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(SPARKHOST_SANITIZE STREQUAL "address")
        target_compile_options(${target} PRIVATE -fsanitize=address,undefined
            -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    elseif(SPARKHOST_SANITIZE STREQUAL "fuzzer")
        # clang 14 cannot assemble coroutines with -fsanitize=function
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined
            -fno-sanitize=function -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    elseif(SPARKHOST_SANITIZE STREQUAL "thread")
        # g++ 12 does not model std::atomic_thread_fence and says so
        target_compile_options(${target} PRIVATE -fsanitize=thread -fno-omit-frame-pointer)
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -Wno-tsan)
        endif()
        target_link_options(${target} PUBLIC -fsanitize=thread)
    endif()
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# A compiled library of ours: sparkhost_library(sqlite) makes sparkhost_sqlite, sparkhost::sqlite.
function(sparkhost_library name)
    set(target sparkhost_${name})
    if(name STREQUAL "sparkhost")
        set(target sparkhost)
    endif()
    add_library(${target})
    add_library(sparkhost::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    sparkhost_target(${target})
    set_property(GLOBAL APPEND PROPERTY SPARKHOST_INSTALL_TARGETS ${target})
endfunction()
