# SPDX-License-Identifier: BSD-3-Clause
# svasim_test(NAME SOURCES file... LIBRARIES target... [TIMEOUT seconds]): a Check test program.
function(svasim_test name)
        cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
        add_executable(${name} ${ARG_SOURCES})
        target_link_libraries(${name} PRIVATE svasim_flags ${ARG_LIBRARIES} PkgConfig::CHECK)
        # ck_assert's own expansions do not survive -Wconversion
        set_source_files_properties(${ARG_SOURCES} PROPERTIES COMPILE_OPTIONS "-Wno-conversion;-Wno-sign-conversion")
        add_test(NAME ${name} COMMAND ${name})
        if(NOT ARG_TIMEOUT)
                set(ARG_TIMEOUT 120)
        endif()
        set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "CK_DEFAULT_TIMEOUT=60")
endfunction()
