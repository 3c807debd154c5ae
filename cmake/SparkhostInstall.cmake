# SPDX-License-Identifier: Apache-2.0
# Install rules: the libraries that were built, the public headers, the CMake package; with
# SPARKHOST_INSTALL_SOURCES also the bodies, for those who want no library to link.
include(CMakePackageConfigHelpers)

get_property(install_targets GLOBAL PROPERTY SPARKHOST_INSTALL_TARGETS)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sparkhost)

install(TARGETS ${install_targets} EXPORT sparkhost_targets FILE_SET HEADERS)
install(EXPORT sparkhost_targets NAMESPACE sparkhost:: FILE sparkhost-targets.cmake
    DESTINATION ${package_dir})

# The bodies: each source of the libraries once, and sparkhost/src.hpp that includes them all.
set(SPARKHOST_HAS_SOURCES ${SPARKHOST_INSTALL_SOURCES})
if(SPARKHOST_INSTALL_SOURCES)
    set(body_links "")
    set(bodies "")
    set(body_dir ${PROJECT_BINARY_DIR}/bodies)
    foreach(target IN LISTS install_targets)
        get_target_property(type ${target} TYPE)
        if(type STREQUAL "INTERFACE_LIBRARY" OR target STREQUAL "sparkhost_testing")
            continue()
        endif()
        get_target_property(sources ${target} SOURCES)
        get_target_property(base ${target} SOURCE_DIR)
        get_target_property(links ${target} LINK_LIBRARIES)
        foreach(source IN LISTS sources)
            cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${base}" NORMALIZE)
            if(source MATCHES "\\.cpp$")
                list(APPEND bodies "${source}")
            endif()
        endforeach()
        if(links)  # one that needs nothing has none
            list(APPEND body_links ${links})
        endif()
    endforeach()
    list(FILTER body_links EXCLUDE REGEX "^sparkhost")
    list(REMOVE_DUPLICATES body_links)
    string(REPLACE ";" " " SPARKHOST_BODY_LINKS "${body_links}")
    install(CODE "
        set(bodies \"${bodies}\")
        set(source_dir \"${PROJECT_SOURCE_DIR}/src\")
        set(binary_dir \"${PROJECT_BINARY_DIR}/src\")
        set(destination \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/sparkhost\")
        include(\"${PROJECT_SOURCE_DIR}/cmake/install_bodies.cmake\")")
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sparkhost-config.cmake.in
    ${PROJECT_BINARY_DIR}/sparkhost-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sparkhost-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/sparkhost-config.cmake
    ${PROJECT_BINARY_DIR}/sparkhost-config-version.cmake DESTINATION ${package_dir})
if(SPARKHOST_WITH_YARN)
    install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindLibZip.cmake DESTINATION ${package_dir})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/sparkhost)
if(TARGET sparkhost_guard)
    # for those who place it where the nodes of a cluster read it
    get_target_property(guard_jar sparkhost_guard SPARKHOST_GUARD_JAR)
    install(FILES ${guard_jar} DESTINATION ${CMAKE_INSTALL_DATADIR}/sparkhost)
endif()
if(TARGET sparkhost-server)
    install(TARGETS sparkhost-server)
endif()
