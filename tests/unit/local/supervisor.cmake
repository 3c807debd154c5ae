# SPDX-License-Identifier: Apache-2.0

# The supervisor: its pure parts, and the program itself.
target_sources(sparkhost_unit_tests PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/ending_machine_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/journal_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/launch_plan_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/launcher_protocol_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/process_identity_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervised.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervisor_claim_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervisor_control_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervisor_kill_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervisor_launcher_test.cpp
    ${CMAKE_CURRENT_LIST_DIR}/supervisor_test.cpp
    ${PROJECT_SOURCE_DIR}/src/backends/local/launcher_protocol.cpp)
add_dependencies(sparkhost_unit_tests sparkhost_supervisor)
set_property(SOURCE
    ${CMAKE_CURRENT_LIST_DIR}/supervised.cpp ${CMAKE_CURRENT_LIST_DIR}/supervisor_test.cpp
    TARGET_DIRECTORY sparkhost_unit_tests
    APPEND PROPERTY COMPILE_DEFINITIONS
    SPARKHOST_SUPERVISOR_PROGRAM="$<TARGET_FILE:sparkhost_supervisor>"
    $<$<STREQUAL:${SPARKHOST_SANITIZE},address>:SPARKHOST_SUPERVISOR_SANITIZED>)
