// Files that others wrote, before they become part of an Iceberg table: found in folders, and
// compared with its columns. Private to the Iceberg connector.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/connectors/file_adoption.h"
#include "tables/file_io.h"
#include "tables/iceberg_metadata.h"
#include "tables/name_mapping.h"
#include "tables/scan_plan.h"

namespace aichemy::sql {

// Whether files in subfolders belong to it; refuse: an error when there are any.
enum class Recursion : uint8_t { yes, no, refuse };

struct FoundFile {
  std::string path;
  uint64_t size = 0;
  std::string etag;
  bool operator==(const FoundFile&) const = default;
};

// Files and folders that begin with . or _ are left out, and files without a byte.
Result<std::vector<FoundFile>> files_below(const Call& call, tables::FileIo& io,
                                           const std::string& location, Recursion recursion);
// A folder's, or the one file of that name. not_found ("NOT_FOUND").
Result<std::vector<FoundFile>> files_at(const Call& call, tables::FileIo& io,
                                        const std::string& location, Recursion recursion);

// The table's mapping of names, or every column by its own name.
Result<std::vector<tables::NameMapping>> mapping_of(const tables::iceberg::TableMetadata& metadata);

// Says of files what a commit says of them. Columns are found by their names in the mapping; a name
// that differs in case only is added to it, because Hive's columns have no case.
class FileMatcher {
 public:
  FileMatcher(const tables::Schema& schema, const tables::iceberg::PartitionSpec& spec,
              std::vector<tables::NameMapping>* mapping)
      : schema_(schema), spec_(spec), mapping_(*mapping) {}

  // Without size and partition. TYPE_MISMATCH, COLUMN_NOT_FOUND, CONSTRAINT_VIOLATION in Trino's
  // words; unsupported ("NOT_SUPPORTED") when its field ids are another table's.
  Result<tables::WrittenFile> match(const std::string& path, const ParquetFooter& footer);

 private:
  const tables::Schema& schema_;
  const tables::iceberg::PartitionSpec& spec_;
  std::vector<tables::NameMapping>& mapping_;

  struct File {
    const std::string& path;
    const ParquetFooter& footer;
    tables::WrittenFile written;
    bool has_ids = false;
  };
  Status match_fields(File& file, const std::vector<ParquetField>& there,
                      const std::vector<tables::Field>& wanted,
                      std::vector<tables::NameMapping>& mapping, bool bounded, size_t* found);
  Status match_field(File& file, const ParquetField& there, const tables::Field& wanted,
                     tables::NameMapping& mapping, bool bounded);
  bool is_partition(const tables::Field& field) const;
};

}  // namespace aichemy::sql
