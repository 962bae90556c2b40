# One interface target per library named in src/layers.txt. Headers of third parties are system headers:
# our warnings stop at their door.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)

function(third_party name)
  add_library(third_party_${name} INTERFACE)
  target_link_libraries(third_party_${name} INTERFACE ${ARGN})
endfunction()

third_party(fmt fmt)
third_party(simdjson simdjson)
third_party(xxhash xxhash)
third_party(isal isal)
third_party(openssl OpenSSL::SSL OpenSSL::Crypto)
third_party(zstd zstd)
third_party(lz4 lz4)
third_party(snappy snappy)
third_party(zlib z)
third_party(sqlite sqlite3)
third_party(postgresql pq)
target_include_directories(third_party_postgresql SYSTEM INTERFACE /usr/include/postgresql)
third_party(crypt crypt)
third_party(rocksdb rocksdb)
third_party(icu icui18n icuuc icudata)
third_party(onig onig)
third_party(stemmer stemmer)
third_party(geos geos_c)
third_party(yaml yaml-cpp)
third_party(cli11)
third_party(editline edit)
third_party(rdkafka rdkafka)
third_party(gtest gtest gmock gtest_main Threads::Threads)
third_party(benchmark benchmark benchmark_main Threads::Threads)

# Boost.Asio and Beast are header only; one .cc of runtime compiles Asio's own sources.
third_party(asio Threads::Threads)
target_compile_definitions(third_party_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)
third_party(beast third_party_asio)
target_compile_definitions(third_party_beast INTERFACE BOOST_BEAST_SEPARATE_COMPILATION)

include(cmake/FindDuckDB.cmake)
