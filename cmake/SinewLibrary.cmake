# The helpers every CMakeLists.txt in this tree uses, and the one table of which library may use which.
#
#   sinew_library(NAME SOURCES ... [DEPENDS sinew libraries ...] [PRIVATE third-party targets ...])
#   sinew_test(NAME SOURCES ... DEPENDS libraries ...)        a GoogleTest program named NAME_test
#   sinew_benchmark(NAME SOURCES ... DEPENDS libraries ...)   a Google Benchmark program named NAME_bench
#   sinew_fuzz_target(NAME SOURCES ... DEPENDS libraries ... [CORPUS folder])   a libFuzzer program named fuzz_NAME
#   sinew_program(NAME SOURCES ... [DEPENDS libraries ...] [PRIVATE third-party targets ...])

# Arrows point down only. A library may use those listed here (and, through them, what they may use), nothing else.
set(SINEW_MAY_USE_base "")
set(SINEW_MAY_USE_otp base)
set(SINEW_MAY_USE_circuits otp base)
set(SINEW_MAY_USE_firmware base)
set(SINEW_MAY_USE_device_base base)
set(SINEW_MAY_USE_device device_base circuits firmware otp base)
set(SINEW_MAY_USE_system device_base device firmware base)
set(SINEW_MAY_USE_tooling system device_base device firmware otp base)

function(sinew_library NAME)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    if(NOT DEFINED SINEW_MAY_USE_${NAME})
        message(FATAL_ERROR "sinew_library(${NAME}): add the library to the table in cmake/SinewLibrary.cmake")
    endif()
    add_library(sinew_${NAME} STATIC ${ARG_SOURCES})
    add_library(sinew::${NAME} ALIAS sinew_${NAME})
    target_include_directories(sinew_${NAME} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_compile_features(sinew_${NAME} PUBLIC cxx_std_23)
    target_link_libraries(sinew_${NAME} PRIVATE sinew_warnings ${ARG_PRIVATE})
    foreach(dependency IN LISTS ARG_DEPENDS)
        if(NOT dependency IN_LIST SINEW_MAY_USE_${NAME})
            message(FATAL_ERROR "sinew_library(${NAME}) may not use ${dependency}: arrows point down only "
                                "(allowed: ${SINEW_MAY_USE_${NAME}})")
        endif()
        target_link_libraries(sinew_${NAME} PUBLIC sinew_${dependency})
    endforeach()
endfunction()

function(sinew_program NAME)
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    add_executable(${NAME} ${ARG_SOURCES})
    target_link_libraries(${NAME} PRIVATE sinew_warnings ${ARG_PRIVATE})
    foreach(dependency IN LISTS ARG_DEPENDS)
        target_link_libraries(${NAME} PRIVATE sinew_${dependency})
    endforeach()
endfunction()

# SINGLE_THREADED: what is tested starts no thread of its own, so the thread sanitizer isn't asked.
function(sinew_test NAME)
    cmake_parse_arguments(ARG "SINGLE_THREADED" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    if(NOT SINEW_TESTS OR SINEW_FUZZ OR (ARG_SINGLE_THREADED AND SINEW_SANITIZE STREQUAL "thread"))
        return()
    endif()
    find_package(GTest REQUIRED)
    sinew_program(${NAME}_test SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE} GTest::gmock GTest::gtest_main rapidcheck)
    sinew_run_in_shards(${NAME} ${NAME}_test)
    add_dependencies(tests ${NAME}_test)
endfunction()

# Tells ctest to run a program of GoogleTest, with the options that follow, in four processes that share its tests.
# A process for each test would spend most of its time on starting, with sanitizers.
function(sinew_run_in_shards NAME PROGRAM)
    foreach(shard RANGE 3)
        add_test(NAME ${NAME}.shard_${shard} COMMAND ${PROGRAM} ${ARGN})
        set_tests_properties(${NAME}.shard_${shard} PROPERTIES
            ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${shard};GTEST_BRIEF=1")
    endforeach()
endfunction()

function(sinew_benchmark NAME)
    if(NOT SINEW_TESTS OR SINEW_FUZZ OR SINEW_SANITIZE)
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    find_package(benchmark REQUIRED)
    sinew_program(${NAME}_bench SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE} benchmark::benchmark)
endfunction()

# A fuzz target. Its corpus (default: corpus/NAME beside its sources) is replayed and grown by ./dev fuzz.
function(sinew_fuzz_target NAME)
    if(NOT SINEW_FUZZ)
        return()
    endif()
    cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    if(NOT ARG_CORPUS)
        set(ARG_CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${NAME})
    endif()
    if(NOT IS_DIRECTORY ${ARG_CORPUS})
        message(FATAL_ERROR "fuzz target ${NAME} has no corpus: ${ARG_CORPUS}")
    endif()
    sinew_program(fuzz_${NAME} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
    target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND_STRING PROPERTY SINEW_FUZZ_LIST "fuzz_${NAME} ${ARG_CORPUS}\n")
    get_property(list GLOBAL PROPERTY SINEW_FUZZ_LIST)
    file(WRITE ${CMAKE_BINARY_DIR}/fuzz-targets.txt "${list}")
endfunction()
