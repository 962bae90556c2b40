// Which delete files apply to which data file (spec, "Scan Planning"):
//   position:  data sequence <= delete sequence, same spec and partition; or the one file it names
//   equality:  data sequence <  delete sequence, same spec and partition; or any when its spec is
//   unpartitioned vector:    the one file it names; it replaces position deletes of that file
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tables/iceberg_manifest.h"
#include "tables/iceberg_metadata.h"
#include "tables/scan_plan.h"

namespace aichemy::tables::iceberg {

class DeleteIndex {
 public:
  // Appends the delete file to `files` and indexes it.
  void add(const Manifest& manifest, size_t entry, const PartitionSpec& spec,
           int64_t inherited_sequence, std::vector<DeleteFile>* files);
  // Indexes, ascending, of the deletes that apply to a data file.
  std::vector<uint32_t> of(const Manifest& manifest, size_t entry, const PartitionSpec& spec,
                           int64_t sequence) const;

 private:
  struct Delete {
    uint32_t index = 0;
    int64_t sequence = 0;
    std::string lower_path;  // position: bounds of the paths within; "" when not known
    std::string upper_path;
  };
  std::unordered_map<std::string, std::vector<Delete>> positions_by_partition_;
  std::unordered_map<std::string, std::vector<Delete>> positions_by_path_;
  std::unordered_map<std::string, std::vector<Delete>> vectors_by_path_;
  std::unordered_map<std::string, std::vector<Delete>> equality_by_partition_;
  std::vector<Delete> equality_everywhere_;
};

}  // namespace aichemy::tables::iceberg
