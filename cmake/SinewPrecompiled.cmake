# Precompiled headers: what most sources include and nobody here changes, compiled once a build folder.
#
# Three sets: "sources" for libraries and programs, "tests" for GoogleTest programs, "tests_of_processes" for those that
# include <sinew/otp.hpp>. Otherwise only headers of the system are in them, so an edit in this tree rebuilds no more
# than it must. ccache finds objects again from another clone (cmake/precompile tells it what is inside).
set(sinew_headers_of_sources
    <algorithm> <array> <atomic> <cerrno> <charconv> <chrono> <cstddef> <cstdint> <cstdlib> <deque> <expected> <filesystem>
    <functional> <limits> <map> <memory> <mutex> <optional> <set> <source_location> <span> <stdexcept> <string>
    <string_view> <system_error> <thread> <type_traits> <unordered_map> <utility> <variant> <vector>
    <boost/describe/class.hpp> <boost/describe/enum.hpp>)
set(sinew_headers_of_tests ${sinew_headers_of_sources} <gmock/gmock.h> <gtest/gtest.h>)

set(sinew_headers_of_tests_of_processes ${sinew_headers_of_tests} <sinew/otp.hpp>)

set(sinew_precompiled_sets sources)
if(SINEW_TESTS)
    list(APPEND sinew_precompiled_sets tests tests_of_processes)
endif()
foreach(set IN LISTS sinew_precompiled_sets)
    file(WRITE ${CMAKE_BINARY_DIR}/precompiled/${set}.cpp.new "")
    file(COPY_FILE ${CMAKE_BINARY_DIR}/precompiled/${set}.cpp.new ${CMAKE_BINARY_DIR}/precompiled/${set}.cpp ONLY_IF_DIFFERENT)
    add_library(sinew_precompiled_${set} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/${set}.cpp)
    target_precompile_headers(sinew_precompiled_${set} PRIVATE ${sinew_headers_of_${set}})
    set_target_properties(sinew_precompiled_${set} PROPERTIES
        CXX_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/precompile)
endforeach()
if(SINEW_TESTS)
    find_package(GTest REQUIRED)
    target_link_libraries(sinew_precompiled_tests PRIVATE GTest::gmock)
    target_link_libraries(sinew_precompiled_tests_of_processes PRIVATE GTest::gmock sinew_otp)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Else the header would count as changed in each new clone.
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

# sinew_precompile(TARGET sources|tests|tests_of_processes)
# What CMake's REUSE_FROM does, but for the path: it would be another in each clone, and ccache would find nothing.
function(sinew_precompile TARGET SET)
    set(header ${PROJECT_BINARY_DIR}/CMakeFiles/sinew_precompiled_${SET}.dir/cmake_pch.hxx)
    set(shown ${header})
    if(CMAKE_GENERATOR STREQUAL "Ninja") # which runs compilers in the topmost build folder
        cmake_path(RELATIVE_PATH shown BASE_DIRECTORY ${CMAKE_BINARY_DIR})
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        set(made ${header}.pch)
        set(use "-include-pch ${shown}.pch")
    else()
        set(made ${header}.gch)
        set(use "-Winvalid-pch -fpch-deps -include ${shown}")
    endif()
    target_compile_options(${TARGET} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:${use}>")
    get_target_property(files ${TARGET} SOURCES)
    set_property(SOURCE ${files} APPEND PROPERTY OBJECT_DEPENDS ${made})
    # For sources that are compiled together, whose file is CMake's own.
    if(NOT TARGET sinew_precompiled_${SET}_made)
        add_custom_target(sinew_precompiled_${SET}_made DEPENDS ${made})
    endif()
    add_dependencies(${TARGET} sinew_precompiled_${SET}_made)
endfunction()
