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
file(STRINGS "${build}/CMakeCache.txt" guarded REGEX "^SPARKHOST_WITH_(STANDALONE|YARN):.*=ON$")
if(guarded AND NOT EXISTS "${prefix}/share/sparkhost/sparkhost-guard.jar")
    message(FATAL_ERROR "the guard of clusters' drivers was not installed")
endif()
