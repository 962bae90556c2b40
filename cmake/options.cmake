# Compiler and linker flags shared by every target.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # g++ 12.2 destroys some temporaries in co_await expressions twice: it compiles, and then crashes.
  message(FATAL_ERROR "Build with clang-19 (./dev build does); found ${CMAKE_CXX_COMPILER_ID}")
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror
                    -fno-omit-frame-pointer -fdiagnostics-color=auto -march=x86-64-v2 -mpclmul)
add_link_options(-fuse-ld=lld-19 -Wl,--as-needed)
include_directories(${CMAKE_SOURCE_DIR}/src)

if(AICHEMY_SANITIZE)
  add_compile_options(-fsanitize=${AICHEMY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AICHEMY_SANITIZE})
endif()
if(AICHEMY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
