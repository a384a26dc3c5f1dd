# What `sinew` builds once and keeps for all projects (libs/tooling/src/prebuilt.cpp), and how it is installed:
#
#   sinew_programs    component "programs": what every device runs, in bin/
#   sinew_libraries   component "libraries": what applications link, in lib/, their header, compiled, in header/,
#                     and sinew-libraries.cmake, which cmake/SinewApplication.cmake includes
set(sinew_application_libraries base otp circuits)

if(NOT SINEW_COMPONENTS STREQUAL "application")
    set(programs sinew-init sinewd fwup sinew-sim)
    add_custom_target(sinew_programs DEPENDS ${programs})
    install(TARGETS ${programs} RUNTIME DESTINATION bin COMPONENT programs)
    return()
endif()

# The header of an application's sources. Compiled once it serves all of its sources and tests.
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/application_header.cpp CONTENT "")
add_library(sinew_application_header OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/application_header.cpp)
target_link_libraries(sinew_application_header PRIVATE sinew_circuits)
target_precompile_headers(sinew_application_header PRIVATE <sinew/circuits.hpp> <sinew/otp.hpp>)
set_target_properties(sinew_application_header PROPERTIES CXX_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/precompile)

list(TRANSFORM sinew_application_libraries PREPEND sinew_ OUTPUT_VARIABLE libraries)
add_custom_target(sinew_libraries DEPENDS ${libraries} sinew_application_header)
if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

install(TARGETS ${libraries} ARCHIVE DESTINATION lib COMPONENT libraries)
set(header ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/sinew_application_header.dir/cmake_pch.hxx)
install(FILES ${header} ${header}.gch ${header}.gch.sum DESTINATION header COMPONENT libraries)

set(text "# Made by cmake/SinewPrebuilt.cmake.\nfind_package(Threads REQUIRED)\n")
foreach(library IN LISTS sinew_application_libraries)
    get_target_property(includes sinew_${library} INTERFACE_INCLUDE_DIRECTORIES)
    get_target_property(links sinew_${library} INTERFACE_LINK_LIBRARIES)
    # Warnings and headers are of no concern to those who link.
    list(FILTER links EXCLUDE REGEX "sinew_warnings|Boost::headers")
    list(TRANSFORM links REPLACE "^sinew_" "sinew::")
    string(APPEND text "
add_library(sinew::${library} STATIC IMPORTED)
set_target_properties(sinew::${library} PROPERTIES
    IMPORTED_LOCATION \${CMAKE_CURRENT_LIST_DIR}/lib/libsinew_${library}.a
    INTERFACE_COMPILE_FEATURES cxx_std_23
    INTERFACE_INCLUDE_DIRECTORIES \"${includes}\"
    INTERFACE_LINK_LIBRARIES \"${links}\")
")
endforeach()
string(APPEND text "\nset(SINEW_APPLICATION_HEADER \${CMAKE_CURRENT_LIST_DIR}/header/cmake_pch.hxx)\n")
if(NOT CMAKE_CROSSCOMPILING)
    # What only tests link: it replaces operator new.
    add_dependencies(sinew_libraries sinew_otp_testing)
    install(FILES $<TARGET_OBJECTS:sinew_otp_testing> DESTINATION lib COMPONENT libraries)
    string(APPEND text "
add_library(sinew::otp_testing INTERFACE IMPORTED)
target_link_libraries(sinew::otp_testing INTERFACE \${CMAKE_CURRENT_LIST_DIR}/lib/allocations.cpp.o)
")
endif()
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/sinew-libraries.cmake "${text}")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sinew-libraries.cmake DESTINATION . COMPONENT libraries)
