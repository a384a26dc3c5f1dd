# What a project's CMakeLists.txt includes. It brings Sinew's libraries into the build (for this machine or, with
# Sinew's toolchain file, for a device): those that `sinew` has built already and names in SINEW_PREBUILT, otherwise
# their sources. It offers:
#
#   sinew_application(NAME MAIN src/main.cpp [SOURCES ...] [LIBRARIES ...])
#       the program NAME. Everything but MAIN is also a library, so that tests can use it. The targets are NAME_app and
#       NAME_parts: NAME may be a word that CMake or Sinew keeps to itself ("test", "all", "sinew").
#   sinew_application_test(NAME SOURCES ...)
#       a GoogleTest program over that library, run by `sinew test`; nothing when building for a device.
include_guard(GLOBAL)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH SINEW_ROOT)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
include(${SINEW_ROOT}/cmake/SinewCompiler.cmake)
if(SINEW_PREBUILT)
    include(${SINEW_PREBUILT}/sinew-libraries.cmake)
else()
    set(SINEW_COMPONENTS application CACHE STRING "Only the libraries an application uses" FORCE)
    set(SINEW_TESTS OFF CACHE BOOL "Sinew's own tests" FORCE)
    add_subdirectory(${SINEW_ROOT} ${CMAKE_BINARY_DIR}/sinew EXCLUDE_FROM_ALL)
endif()
if(NOT CMAKE_CROSSCOMPILING)
    enable_testing()
endif()

# The version in the project's sinew.toml, so that it stands in one place only.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sinew.toml)
file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/sinew.toml version_line REGEX "^version *= *\"" LIMIT_COUNT 1)
string(REGEX REPLACE "^version *= *\"([^\"]*)\".*" "\\1" SINEW_APPLICATION_VERSION "${version_line}")
# Included after the precompiled header, which knows no project's version.
set(SINEW_APPLICATION_VERSION_HEADER ${CMAKE_CURRENT_BINARY_DIR}/sinew-application-version.hpp)
file(CONFIGURE OUTPUT ${SINEW_APPLICATION_VERSION_HEADER} @ONLY CONTENT
"#undef SINEW_APPLICATION_VERSION
#define SINEW_APPLICATION_VERSION \"@SINEW_APPLICATION_VERSION@\"
")

# The sources of TARGET start with what nearly all of them include, compiled once (cmake/SinewPrebuilt.cmake).
function(sinew_precompile_application TARGET)
    if(SINEW_PREBUILT)
        target_compile_options(${TARGET} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include \"${SINEW_APPLICATION_HEADER}\">")
    else()
        target_precompile_headers(${TARGET} REUSE_FROM sinew_application_header)
    endif()
endfunction()

function(sinew_application NAME)
    cmake_parse_arguments(ARG "" "MAIN" "SOURCES;LIBRARIES" ${ARGN})
    if(NOT ARG_MAIN)
        message(FATAL_ERROR "sinew_application(${NAME}): name the file with SINEW_APPLICATION(...) as MAIN")
    endif()
    if(ARG_SOURCES)
        add_library(${NAME}_parts STATIC ${ARG_SOURCES})
        set(visibility PUBLIC)
    else()
        add_library(${NAME}_parts INTERFACE)
        set(visibility INTERFACE)
    endif()
    target_include_directories(${NAME}_parts ${visibility} ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_link_libraries(${NAME}_parts ${visibility} sinew::circuits sinew::otp sinew::base ${ARG_LIBRARIES})
    add_executable(${NAME}_app ${ARG_MAIN})
    set_target_properties(${NAME}_app PROPERTIES OUTPUT_NAME ${NAME})
    target_link_libraries(${NAME}_app PRIVATE ${NAME}_parts)
    # CMake would put its own precompiled header behind the version.
    set_source_files_properties(${ARG_MAIN} PROPERTIES
        COMPILE_OPTIONS "-include;${SINEW_APPLICATION_VERSION_HEADER}" SKIP_PRECOMPILE_HEADERS ON)
    foreach(part IN ITEMS ${NAME}_parts ${NAME}_app)
        get_target_property(kind ${part} TYPE)
        if(NOT kind STREQUAL "INTERFACE_LIBRARY")
            target_compile_options(${part} PRIVATE -Wall -Wextra)
            sinew_precompile_application(${part})
        endif()
    endforeach()
endfunction()

function(sinew_application_test NAME)
    if(CMAKE_CROSSCOMPILING)
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
    find_package(GTest REQUIRED)
    add_executable(${NAME}_test ${ARG_SOURCES})
    target_link_libraries(${NAME}_test PRIVATE ${NAME}_parts sinew::otp_testing GTest::gmock GTest::gtest_main)
    sinew_precompile_application(${NAME}_test)
    include(GoogleTest)
    gtest_discover_tests(${NAME}_test DISCOVERY_TIMEOUT 60)
endfunction()
