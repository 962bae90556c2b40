// Which data files are worth writing anew as fewer: pure functions of a scan's plan.
//
// Files are taken by size from the smallest up, and the largest of a choice is left out as long as
// it is larger than the others together. So a row is written anew about log2(table / first file)
// times in its life, however small the files are that arrive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tables/iceberg_metadata.h"
#include "tables/scan_plan.h"

namespace aichemy::upkeep {

struct RewritePolicy {
  uint64_t small_bytes = 384u << 20;  // files from there on are large enough
  uint64_t round_bytes_max = 256u << 20;
  size_t round_files_max = 1000;
  size_t files_min = 5;        // fewer are not worth a commit
  double deleted_share = 0.3;  // of a file's rows: from there on it is written anew alone
};

// small_bytes is three quarters of write.target-file-size-bytes, as in Iceberg's own rewriting.
RewritePolicy policy_of(const tables::iceberg::TableMetadata& metadata, uint64_t round_bytes_max);

struct RewriteRound {
  std::vector<std::string> files;  // of one partition; empty: there is nothing to gain
  uint64_t bytes = 0;
};

// The partition with the most files to gain; files of other specs than the default one stay.
RewriteRound choose_files(const tables::ScanPlan& plan, int spec_id, const RewritePolicy& policy);

}  // namespace aichemy::upkeep
