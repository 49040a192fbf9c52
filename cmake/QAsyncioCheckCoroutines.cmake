# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT

# qasyncio_check_coroutines(<target>)
# Makes the target <target>_check_coroutines: it fails if a source file of <target>, or a header below the project's folder
# that it includes, has one of the await expressions that g++ 12.2 miscompiles (docs/compilers.md), and names each line.
# Needs clang-query (Debian: clang-tools-19). Whichever compiler builds the target, the sources have to compile with clang.
#
# Run as a script it is what that target does: -DQUERY= -DROOT= -DTOOL= -DSOURCES= -DARGUMENTS=
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    cmake_policy(VERSION 3.25)
    string(REGEX REPLACE "([][+.*()^$?{}|\\\\])" "\\\\\\1" root "${ROOT}")
    file(READ "${QUERY}" query)
    string(REPLACE "@ROOT@/(include|src|qml|demo|tests|bench)/" "${root}/" query "${query}")
    set(query_file "${WORK}/gcc12_coroutines.query")
    file(WRITE "${query_file}" "${query}")
    set(findings)
    foreach(source IN LISTS SOURCES)
        execute_process(COMMAND "${TOOL}" -f "${query_file}" "${source}" -- ${ARGUMENTS} -w
            OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE status)
        if(status OR "${output}${errors}" MATCHES "(^|\n|: )(fatal )?error: |Error while")
            message(FATAL_ERROR "${TOOL} fails on ${source}:\n${output}${errors}")
        endif()
        string(REGEX MATCHALL "[^\n]+:[0-9]+:[0-9]+: note: \"(lambda|aggregate|conditional|list|condition)\" binds here" found
            "${output}")
        list(APPEND findings ${found})
    endforeach()
    list(REMOVE_DUPLICATES findings)
    foreach(finding IN LISTS findings)
        string(REGEX REPLACE "^(.+:[0-9]+):[0-9]+: note: \"(.+)\" binds here$" "\\1: g++ 12.2 miscompiles this: \\2" text
            "${finding}")
        message(NOTICE "${text} (docs/compilers.md of QAsyncio)")
    endforeach()
    if(findings)
        message(FATAL_ERROR "await expressions that g++ 12.2 miscompiles")
    endif()
    return()
endif()

set(QASYNCIO_CHECK_COROUTINES_SCRIPT "${CMAKE_CURRENT_LIST_FILE}" CACHE INTERNAL "What qasyncio_check_coroutines() runs")

function(qasyncio_check_coroutines target)
    find_program(QASYNCIO_CLANG_QUERY NAMES clang-query-19 clang-query
        DOC "For qasyncio_check_coroutines(): it is in Debian's clang-tools-19")
    if(NOT QASYNCIO_CLANG_QUERY)
        message(STATUS "${target}_check_coroutines needs clang-query: left out")
        return()
    endif()
    get_filename_component(folder "${QASYNCIO_CHECK_COROUTINES_SCRIPT}" DIRECTORY)
    get_target_property(sources ${target} SOURCES)
    get_target_property(source_folder ${target} SOURCE_DIR)
    get_target_property(binary_folder ${target} BINARY_DIR)
    set(checked)
    foreach(source IN LISTS sources)
        get_filename_component(path "${source}" ABSOLUTE BASE_DIR "${source_folder}")
        if(path MATCHES "\\.(cpp|cc|cxx)$" AND NOT path MATCHES "^${binary_folder}/")
            list(APPEND checked "${path}")
        endif()
    endforeach()
    # The lists are joined by something that is no list to the shell; include folders that moc writes into come with them.
    set(includes "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
    set(definitions "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
    set(arguments "-std=c++20;-fPIC;$<$<BOOL:${includes}>:-I$<JOIN:${includes},;-I>>"
        "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>")
    if(CMAKE_AUTOMOC)
        list(APPEND arguments "-I${binary_folder}/${target}_autogen/include")
    endif()
    add_custom_target(${target}_check_coroutines
        COMMAND ${CMAKE_COMMAND} "-DQUERY=${folder}/gcc12_coroutines.query" "-DROOT=${PROJECT_SOURCE_DIR}"
            "-DTOOL=${QASYNCIO_CLANG_QUERY}" "-DWORK=${binary_folder}" "-DSOURCES=${checked}" "-DARGUMENTS=${arguments}"
            -P "${QASYNCIO_CHECK_COROUTINES_SCRIPT}"
        COMMENT "Looking for await expressions in ${target} that g++ 12.2 miscompiles"
        VERBATIM)
    if(TARGET ${target}_autogen)
        add_dependencies(${target}_check_coroutines ${target}_autogen)
    endif()
endfunction()
