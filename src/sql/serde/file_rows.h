// Files of ORC and Avro as rows of the engine: what the table function needs of a format.
//
// A FileRows is an open file that is read in units; each unit by one thread, through a UnitRows.
// Throws (throw_error) what goes wrong, naming the file: HIVE_BAD_DATA for damaged ones.
#pragma once

#include <duckdb/common/file_system.hpp>
#include <duckdb/common/types/data_chunk.hpp>
#include <memory>
#include <string>
#include <vector>

#include "sql/hive/hive_scan.h"

namespace aichemy::sql {

// A column of the chunk that comes from the file.
struct FileColumn {
  size_t column = 0;  // of the scan
  size_t place = 0;   // in the chunk
};

class UnitRows {
 public:
  virtual ~UnitRows() = default;
  // Fills the columns from the file; 0: the end.
  virtual duckdb::idx_t read(duckdb::DataChunk& output) = 0;
};

class FileRows {
 public:
  virtual ~FileRows() = default;
  virtual size_t units() const = 0;
  // nullptr: no row of it can be asked for.
  virtual std::unique_ptr<UnitRows> open(size_t unit) = 0;
};

// An object as it is when it is opened: HIVE_FILESYSTEM_ERROR when it was replaced since the scan
// was planned.
class ScannedFile {
 public:
  ScannedFile(duckdb::FileSystem& system, const HiveTextFile& file);
  uint64_t size() const { return size_; }
  const std::string& location() const { return location_; }
  // Any thread. The range lies inside the file.
  void read(uint64_t offset, char* to, size_t count);
  [[noreturn]] void broken(const std::string& what) const;  // HIVE_BAD_DATA
  [[noreturn]] void refuse(const Error& error) const;       // likewise, or NOT_SUPPORTED

 private:
  std::string location_;
  duckdb::unique_ptr<duckdb::FileHandle> file_;
  uint64_t size_;
};

std::unique_ptr<FileRows> open_orc(duckdb::FileSystem& system, const HiveFileScan& scan,
                                   size_t file, const std::vector<FileColumn>& columns);
std::unique_ptr<FileRows> open_avro(duckdb::FileSystem& system, const HiveFileScan& scan,
                                    size_t file, const std::vector<FileColumn>& columns);

bool same_name(std::string_view a, std::string_view b);  // without case
// Puts text where it fits its type.
void put_fitting(duckdb::Vector& out, duckdb::idx_t row, std::string_view text, const Type& type);
// For columns that a file does not have.
void put_nulls(duckdb::Vector& out, duckdb::idx_t rows);

}  // namespace aichemy::sql
