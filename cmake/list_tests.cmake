# SPDX-License-Identifier: Apache-2.0
# Run after linking a Boost.Test executable (see SparkhostTest.cmake): writes its top-level
# suites, and cases outside suites, as CTest tests.
execute_process(COMMAND "${executable}" --list_content=HRF
    RESULT_VARIABLE status OUTPUT_VARIABLE ignored ERROR_VARIABLE list)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${executable} does not list its tests (${status}):\n${list}")
endif()

set(quoted "")
foreach(word IN LISTS properties)
    string(APPEND quoted " [[${word}]]")
endforeach()

set(text "")
string(REPLACE "\n" ";" lines "${list}")
foreach(line IN LISTS lines)
    # indented lines are inside a suite; a star marks what is enabled
    if(line MATCHES "^([A-Za-z_][^ *:]*)\\*?")
        set(suite "${CMAKE_MATCH_1}")
        string(APPEND text "add_test([[${prefix}.${suite}]] [[${executable}]] "
            "[[--run_test=${suite}]] --color_output=no)\n")
        if(quoted)
            string(APPEND text
                "set_tests_properties([[${prefix}.${suite}]] PROPERTIES${quoted})\n")
        endif()
    endif()
endforeach()
# written anew only when whole, so that an interrupted run leaves no half of it
file(WRITE "${output}.new" "${text}")
file(RENAME "${output}.new" "${output}")
