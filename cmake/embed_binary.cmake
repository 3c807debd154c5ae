# SPDX-License-Identifier: Apache-2.0

# Run as a script (-DINPUT= -DOUTPUT= -DFUNCTION= -DHEADER=) it writes a self-contained source file
# that carries a file's bytes. One string literal: compilers take that quickly, unlike a list of
# numbers.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    file(READ "${INPUT}" bytes HEX)
    string(LENGTH "${bytes}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
    string(REGEX REPLACE "(................................................................................................)"
        "\"\\1\"\n" bytes "${bytes}")
    string(REGEX REPLACE "\n([^\"].*)$" "\n\"\\1\"" bytes "${bytes}")
    file(WRITE "${OUTPUT}.new" "// SPDX-License-Identifier: Apache-2.0
// Made by cmake/embed_binary.cmake.
#include \"${HEADER}\"

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \"-Woverlength-strings\"
#endif

namespace sparkhost::detail {

std::string_view ${FUNCTION}() {
    static constexpr char bytes[] =
${bytes};
    return {bytes, ${size}};
}

}  // namespace sparkhost::detail

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
")
    file(RENAME "${OUTPUT}.new" "${OUTPUT}")
    return()
endif()

set(SPARKHOST_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

# sparkhost_embed_file(target file function header): adds to the target a source, made during the
# build, whose function (declared in that header of src/) gives the file's bytes.
function(sparkhost_embed_file target file function header)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp")
    add_custom_command(OUTPUT "${source}"
        COMMAND "${CMAKE_COMMAND}" "-DINPUT=${file}" "-DOUTPUT=${source}" "-DFUNCTION=${function}"
            "-DHEADER=${header}" -P "${SPARKHOST_EMBED_SCRIPT}"
        DEPENDS "${file}" ${ARGN} "${SPARKHOST_EMBED_SCRIPT}"
        COMMENT "Embedding ${function}" VERBATIM)
    target_sources(${target} PRIVATE "${source}")
endfunction()

function(sparkhost_embed_supervisor target)
    if(NOT TARGET sparkhost_supervisor)
        add_subdirectory("${PROJECT_SOURCE_DIR}/src/supervisor"
            "${PROJECT_BINARY_DIR}/src/supervisor")
    endif()
    sparkhost_embed_file(${target} "$<TARGET_FILE:sparkhost_supervisor>" supervisor_image
        backends/local/supervisor_image.hpp sparkhost_supervisor)
endfunction()
