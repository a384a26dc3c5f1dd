# The helpers every CMakeLists.txt in this tree uses, and the one table of which library may use which.
#
#   sinew_library(NAME SOURCES ... [DEPENDS sinew libraries ...] [PRIVATE third-party targets ...])
#   sinew_test(NAME SOURCES ... DEPENDS libraries ...)        a GoogleTest program named NAME_test
#   sinew_benchmark(NAME SOURCES ... DEPENDS libraries ...)   a Google Benchmark program named NAME_bench
#   sinew_fuzz_target(NAME SOURCES ... DEPENDS libraries ... [CORPUS folder])   a libFuzzer program named fuzz_NAME; in
#                                                             other builds with tests replay_NAME, a test with its corpus
#   sinew_examples(NAME STAGE source FILES pages and headers ... DEPENDS libraries ...)   examples, compiled
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

# Without tests, which is how the tool and all that `sinew` builds are made, twelve sources are compiled at once: that takes
# half the time. With tests a file is compiled alone: clang-tidy reads them one by one, and an edit costs one file.
function(sinew_compile_together TARGET)
    if(NOT SINEW_TESTS)
        set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
        # It speaks of classes in headers, which these would be if other files included them.
        target_compile_options(${TARGET} PRIVATE -Wno-subobject-linkage)
    endif()
endfunction()

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
    sinew_precompile(sinew_${NAME} sources)
    sinew_compile_together(sinew_${NAME})
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
    if(GTest::gtest_main IN_LIST ARG_PRIVATE AND ARG_DEPENDS MATCHES "(^|;)(otp|circuits|device)(;|$)")
        sinew_precompile(${NAME} tests_of_processes)
    elseif(GTest::gtest_main IN_LIST ARG_PRIVATE)
        sinew_precompile(${NAME} tests)
    else()
        sinew_precompile(${NAME} sources)
    endif()
    sinew_compile_together(${NAME})
    foreach(dependency IN LISTS ARG_DEPENDS)
        target_link_libraries(${NAME} PRIVATE sinew_${dependency})
    endforeach()
endfunction()

# SINGLE_THREADED: what is tested starts no thread of its own, so the thread sanitizer isn't asked.
# THREADS: threads are what it is about; the thread sanitizer is asked by ./dev test, about the others by ./dev test --all.
function(sinew_test NAME)
    cmake_parse_arguments(ARG "SINGLE_THREADED;THREADS" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
    if(NOT SINEW_TESTS OR SINEW_FUZZ OR (ARG_SINGLE_THREADED AND SINEW_SANITIZE STREQUAL "thread"))
        return()
    endif()
    find_package(GTest REQUIRED)
    sinew_program(${NAME}_test SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE} GTest::gmock GTest::gtest_main rapidcheck)
    set_target_properties(${NAME}_test PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    sinew_run_in_shards(${NAME} ${NAME}_test)
    add_dependencies(tests ${NAME}_test)
    if(ARG_THREADS)
        add_dependencies(tests_of_threads ${NAME}_test)
        foreach(shard RANGE 3)
            set_tests_properties(${NAME}.shard_${shard} PROPERTIES LABELS threads)
        endforeach()
    endif()
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

# Compiles the C++ examples of pages and public headers (FILES, folders of headers too) in the places that STAGE has for
# them; see cmake/stage_examples.py. Nothing runs.
function(sinew_examples NAME)
    if(NOT SINEW_TESTS OR SINEW_FUZZ OR SINEW_SANITIZE STREQUAL "thread")
        return()
    endif()
    cmake_parse_arguments(ARG "" "STAGE" "FILES;DEPENDS" ${ARGN})
    find_package(GTest REQUIRED)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/examples/${NAME}.cpp)
    set(shown "")
    foreach(file IN LISTS ARG_STAGE ARG_FILES)
        cmake_path(ABSOLUTE_PATH file NORMALIZE)
        cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
        list(APPEND shown ${file})
    endforeach()
    list(POP_FRONT shown stage)
    add_custom_command(OUTPUT ${source}
        COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/stage_examples.py ${stage} ${source} ${shown}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
        DEPENDS ${ARG_STAGE} ${PROJECT_SOURCE_DIR}/cmake/stage_examples.py ${PROJECT_SOURCE_DIR}/cmake/extract_snippets.py
        DEPFILE ${CMAKE_CURRENT_BINARY_DIR}/examples/${NAME}.d
        VERBATIM)
    add_library(${NAME}_examples OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${NAME}_examples PRIVATE GTest::gmock)
    foreach(dependency IN LISTS ARG_DEPENDS)
        target_link_libraries(${NAME}_examples PRIVATE sinew_${dependency})
    endforeach()
    # Without the warnings: they would be about what an example leaves out.
    target_compile_options(${NAME}_examples PRIVATE -Wno-unused-result -Wno-unused-value)
    set_target_properties(${NAME}_examples PROPERTIES OPTIMIZE_DEPENDENCIES ON) # it waits for no library
    sinew_precompile(${NAME}_examples tests)
    add_dependencies(tests ${NAME}_examples)
endfunction()

# A fuzz target. Its corpus (default: corpus/NAME beside its sources) is grown by ./dev fuzz, and replayed by the unit tests.
function(sinew_fuzz_target NAME)
    if(NOT SINEW_TESTS OR (SINEW_SANITIZE AND NOT SINEW_SANITIZE MATCHES "address"))
        return()
    endif()
    cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPENDS;INCLUDES;PRIVATE" ${ARGN})
    if(NOT ARG_CORPUS)
        set(ARG_CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${NAME})
    endif()
    if(NOT IS_DIRECTORY ${ARG_CORPUS})
        message(FATAL_ERROR "fuzz target ${NAME} has no corpus: ${ARG_CORPUS}")
    endif()
    if(SINEW_FUZZ)
        set(program fuzz_${NAME})
        sinew_program(${program} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
        target_link_options(${program} PRIVATE -fsanitize=fuzzer)
        set_property(GLOBAL APPEND_STRING PROPERTY SINEW_FUZZ_LIST "${program} ${ARG_CORPUS}\n")
        get_property(list GLOBAL PROPERTY SINEW_FUZZ_LIST)
        file(WRITE ${CMAKE_BINARY_DIR}/fuzz-targets.txt "${list}")
    else()
        set(program replay_${NAME})
        sinew_program(${program} SOURCES ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/test/support/replay_corpus.cpp
            DEPENDS ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
        set_target_properties(${program} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
        add_test(NAME corpus.${NAME} COMMAND ${program} ${ARG_CORPUS})
        add_dependencies(tests ${program})
    endif()
    target_include_directories(${program} PRIVATE ${ARG_INCLUDES})
endfunction()
