# SPDX-License-Identifier: Apache-2.0
# Run at install time. Copies the bodies, and what they include of src/, to <destination>/src,
# with the private includes spelt as they are found there, and writes <destination>/src.hpp.
#
# In: bodies (the .cpp files, absolute), source_dir, binary_dir, destination.

# copy_body(FILE BASE): copies BASE/FILE and what it includes; #include "x.hpp" becomes
# #include <sparkhost/src/x.hpp>
function(copy_body file base)
    file(READ "${base}/${file}" text)
    cmake_path(GET file PARENT_PATH folder)
    string(REGEX MATCHALL "#include \"[^\"]+\"" includes "${text}")
    list(REMOVE_DUPLICATES includes)
    foreach(include IN LISTS includes)
        string(REGEX REPLACE "#include \"([^\"]+)\"" "\\1" name "${include}")
        set(found "")
        foreach(candidate "${folder}/${name}" "${name}")
            cmake_path(NORMAL_PATH candidate)
            string(REGEX REPLACE "^/" "" candidate "${candidate}")
            foreach(tree "${source_dir}" "${binary_dir}")
                if(NOT found AND EXISTS "${tree}/${candidate}")
                    set(found "${candidate}")
                    set(found_in "${tree}")
                endif()
            endforeach()
        endforeach()
        if(NOT found)
            message(FATAL_ERROR "${base}/${file}: ${include} is not below src/")
        endif()
        string(REPLACE "${include}" "#include <sparkhost/src/${found}>" text "${text}")
        if(NOT EXISTS "${destination}/src/${found}")
            copy_body("${found}" "${found_in}")
        endif()
    endforeach()
    file(WRITE "${destination}/src/${file}" "${text}")
endfunction()

file(REMOVE_RECURSE "${destination}/src")
set(list "")
foreach(body IN LISTS bodies)
    set(base "${source_dir}")
    cmake_path(IS_PREFIX binary_dir "${body}" generated)
    if(generated)
        set(base "${binary_dir}")
    endif()
    cmake_path(RELATIVE_PATH body BASE_DIRECTORY "${base}" OUTPUT_VARIABLE name)
    copy_body("${name}" "${base}")
    string(APPEND list "#include <sparkhost/src/${name}>\n")
endforeach()

file(WRITE "${destination}/src.hpp" "// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HPP
#define SPARKHOST_SRC_HPP

// All bodies of sparkhost, for programs that link none of its libraries: include this file in
// exactly one .cpp. What they need themselves still has to be linked: CMake's target
// sparkhost::sources names it. Generated when sparkhost was installed.

${list}
#endif
")
message(STATUS "Installing: ${destination}/src.hpp")
