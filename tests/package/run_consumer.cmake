# SPDX-License-Identifier: Apache-2.0
# Configures and builds a consumer from nothing, then runs each program it has made.
file(REMOVE_RECURSE "${build}")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${source}" -B "${build}" -G Ninja -C "${config}"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${build}" COMMAND_ERROR_IS_FATAL ANY)
file(GLOB programs "${build}/consumer_*")
if(NOT programs)
    message(FATAL_ERROR "the consumer has built no program")
endif()
foreach(program IN LISTS programs)
    execute_process(COMMAND "${program}" TIMEOUT 60 COMMAND_ERROR_IS_FATAL ANY)
endforeach()
