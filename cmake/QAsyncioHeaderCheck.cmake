# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT

# Target qasyncio_header_check: every public header compiles alone, and under the strictest settings that a Qt
# program may choose. Not part of `all`; scripts/test --lint builds it.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/*.h")
list(FILTER headers EXCLUDE REGEX "(^|/)detail/")
set(units)
foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} unit)
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/header_check/${unit}.cpp")
    # Twice: the second inclusion shows a missing include guard.
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include <@header@>\n#include <@header@>\n" @ONLY)
    list(APPEND units ${unit})
endforeach()
if(units)
    add_library(qasyncio_header_check OBJECT EXCLUDE_FROM_ALL ${units})
    set_target_properties(qasyncio_header_check PROPERTIES AUTOMOC OFF)
    target_link_libraries(qasyncio_header_check PRIVATE QAsyncio::QAsyncio QAsyncio::Test)
    target_compile_definitions(qasyncio_header_check PRIVATE
        QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_NO_CAST_FROM_BYTEARRAY
        QT_NO_URL_CAST_FROM_STRING QT_NO_NARROWING_CONVERSIONS_IN_CONNECT)
    qasyncio_warnings(qasyncio_header_check)
endif()
