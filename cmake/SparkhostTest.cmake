# SPDX-License-Identifier: Apache-2.0

# Makes one CTest test of each top-level suite of a Boost.Test executable, by asking it for its
# list after it has been linked. An executable that is not built is one failing test.
#
#   sparkhost_discover_tests(target PREFIX unit [PROPERTIES name value…])
#
# Names begin with the sanitizer's: asan.unit.…, tsan.unit.…
function(sparkhost_discover_tests target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX" "PROPERTIES")
    set(tests "${CMAKE_CURRENT_BINARY_DIR}/${target}_list.cmake")
    set(entry "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
    add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${tests}"
        COMMAND ${CMAKE_COMMAND} -D "executable=$<TARGET_FILE:${target}>" -D "output=${tests}"
            -D "prefix=${SPARKHOST_TEST_PREFIX}${arg_PREFIX}" -D "properties=${arg_PROPERTIES}"
            -P "${PROJECT_SOURCE_DIR}/cmake/list_tests.cmake"
        VERBATIM)
    file(WRITE "${entry}" "if(EXISTS \"${tests}\")
    include(\"${tests}\")
else()
    add_test(\"${SPARKHOST_TEST_PREFIX}${arg_PREFIX}_not_built\" \"${target}_not_built\")
endif()
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${entry}")
endfunction()
