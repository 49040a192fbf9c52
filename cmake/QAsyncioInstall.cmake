# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT

# `cmake --install` puts libraries, headers and a package file in place; a user then writes
#     find_package(QAsyncio REQUIRED)
#     target_link_libraries(app PRIVATE QAsyncio::QAsyncio)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(qasyncio_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/QAsyncio")
foreach(target IN ITEMS QAsyncio QAsyncioTest)
    if(TARGET ${target})
        string(REGEX REPLACE "^QAsyncio(.+)$" "\\1" export_name ${target})
        set_target_properties(${target} PROPERTIES
            EXPORT_NAME ${export_name}
            VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
        install(TARGETS ${target} EXPORT QAsyncioTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
            RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
            INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    endif()
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_SOURCE_DIR}/tools/gdb/qasyncio.py" DESTINATION ${CMAKE_INSTALL_DATADIR}/qasyncio/gdb)
install(EXPORT QAsyncioTargets NAMESPACE QAsyncio:: DESTINATION ${qasyncio_package_dir})

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/QAsyncioConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/QAsyncioConfig.cmake" INSTALL_DESTINATION ${qasyncio_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/QAsyncioConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/QAsyncioConfig.cmake"
    "${PROJECT_BINARY_DIR}/QAsyncioConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/QAsyncioCompilerProbe.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/compiler_probe.cpp"
    "${CMAKE_CURRENT_LIST_DIR}/QAsyncioCheckCoroutines.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/gcc12_coroutines.query"
    DESTINATION ${qasyncio_package_dir})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES "${PROJECT_SOURCE_DIR}/README.md" DESTINATION ${CMAKE_INSTALL_DOCDIR})
