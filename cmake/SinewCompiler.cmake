# Compiler settings shared by everything that is built in this tree.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

find_program(SINEW_CCACHE ccache)
if(SINEW_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers need to be named in the sloppiness; see cmake/SinewPrecompiled.cmake.
    set(CMAKE_CXX_COMPILER_LAUNCHER /usr/bin/env CCACHE_PCH_EXTSUM=true
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SINEW_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${SINEW_CCACHE})
endif()

# Programs land in build/<preset>/bin when Sinew is the top-level project.
if(PROJECT_IS_TOP_LEVEL)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endif()

# Paths in binaries (assertions, source_location) are relative to the source tree: builds are reproducible.
add_compile_options(-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=)
if(NOT SINEW_SANITIZE AND NOT SINEW_FUZZ)
    # What others get tells nobody where it was made. ccache may have made a path relative to the build's folder.
    cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH sinew_tree)
    foreach(folder IN ITEMS ${CMAKE_CURRENT_SOURCE_DIR} ${sinew_tree})
        cmake_path(RELATIVE_PATH folder BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE relative)
        add_compile_options(-ffile-prefix-map=${folder}/= -ffile-prefix-map=${relative}/=)
    endforeach()
    if(CMAKE_SYSROOT)
        cmake_path(RELATIVE_PATH CMAKE_SYSROOT BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE relative)
        add_compile_options(-ffile-prefix-map=${CMAKE_SYSROOT}/=/ -ffile-prefix-map=${relative}/=/)
    endif()
    # What makes a hole harder to use, as Debian's own packages have it; test/system/test_hardening.py reads the result.
    add_compile_options(-fstack-protector-strong
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
    add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(NOT TARGET sinew_warnings) # a project includes this file, too, before it brings in this tree
    add_library(sinew_warnings INTERFACE)
    # Whoever only uses Sinew isn't stopped by what another compiler finds, nor told that sources which are compiled together
    # use the same name.
    target_compile_options(sinew_warnings INTERFACE -Wall -Wextra -Wconversion $<$<BOOL:${SINEW_TESTS}>:-Wshadow> $<$<BOOL:${SINEW_TESTS}>:-Werror>)
    # Members that a designated initialiser leaves at their defaults are what it is for.
    target_compile_options(sinew_warnings INTERFACE
        $<IF:$<CXX_COMPILER_ID:Clang>,-Wno-missing-designated-field-initializers,-Wno-missing-field-initializers>)
    # libstdc++ 12's own stable_sort uses a deprecated function, for which clang blames the caller.
    add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
endif()

if(SINEW_SANITIZE)
    add_compile_options(-fsanitize=${SINEW_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SINEW_SANITIZE})
    if(SINEW_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # The static runtime's operator new can't be replaced by that of libs/otp/testing.
        execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-resource-dir OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
        add_link_options(-shared-libsan -Wl,-rpath,${runtime}/lib/linux)
    endif()
    if(SINEW_SANITIZE MATCHES "undefined")
        # They cost a tenth of each object, and the address sanitizer sees what they would; vptr reports libstdc++'s own objects.
        add_compile_options(-fno-sanitize=vptr,null,object-size)
        add_link_options(-fno-sanitize=vptr,null,object-size)
    endif()
endif()
if(SINEW_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "SINEW_FUZZ needs clang: configure with `cmake --preset fuzz`")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -O1)
    add_link_options(-fsanitize=address,undefined)
endif()
