# DuckDB 1.4.4: the official shared library and its internal headers, unpacked by ./dev into third_party/duckdb.
set(AICHEMY_DUCKDB_DIR ${CMAKE_SOURCE_DIR}/third_party/duckdb CACHE PATH "Where ./dev unpacked DuckDB")
if(NOT EXISTS ${AICHEMY_DUCKDB_DIR}/libduckdb.so)
  message(FATAL_ERROR "DuckDB is not in ${AICHEMY_DUCKDB_DIR}: run ./dev build once, it fetches it")
endif()
add_library(third_party_duckdb INTERFACE)
target_include_directories(third_party_duckdb SYSTEM INTERFACE
  ${AICHEMY_DUCKDB_DIR}/include ${AICHEMY_DUCKDB_DIR}/parquet/include
  ${AICHEMY_DUCKDB_DIR}/third_party/parquet ${AICHEMY_DUCKDB_DIR}/third_party/thrift)
target_link_libraries(third_party_duckdb INTERFACE ${AICHEMY_DUCKDB_DIR}/libduckdb.so)
set(CMAKE_BUILD_RPATH "$ORIGIN;${AICHEMY_DUCKDB_DIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN")
