# SPDX-License-Identifier: Apache-2.0
# Installs a finished build into an empty prefix.
file(REMOVE_RECURSE "${prefix}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${build}" --prefix "${prefix}"
    COMMAND_ERROR_IS_FATAL ANY)
foreach(file include/sparkhost/host.hpp share/licenses/sparkhost/LICENSE)
    if(NOT EXISTS "${prefix}/${file}")
        message(FATAL_ERROR "${file} was not installed")
    endif()
endforeach()
