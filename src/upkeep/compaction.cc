#include "upkeep/compaction.h"

#include <algorithm>
#include <map>

namespace aichemy::upkeep {

namespace {

using tables::DataFile;

constexpr int64_t kTargetBytes = 512 << 20;

// Positions that are known to be gone from this file. Equality deletes and delete files of many
// data files do not say.
uint64_t deleted_rows(const tables::ScanPlan& plan, const DataFile& file) {
  uint64_t rows = 0;
  for (uint32_t index : file.deletes) {
    const tables::DeleteFile& deletes = plan.delete_files[index];
    bool own = deletes.kind == tables::DeleteKind::deletion_vector ||
               deletes.referenced_data_file == file.path;
    if (own) rows += deletes.record_count;
  }
  return rows;
}

// Of one partition.
struct Candidates {
  std::vector<const DataFile*> small, deleted;
};

RewriteRound fewer_of_small(std::vector<const DataFile*> files, const RewritePolicy& policy) {
  std::ranges::sort(files, {},
                    [](const DataFile* file) { return std::pair(file->size, file->path); });
  size_t count = 0;
  RewriteRound round;
  while (count < files.size() && count < policy.round_files_max &&
         round.bytes + files[count]->size <= policy.round_bytes_max)
    round.bytes += files[count++]->size;
  while (count > 0 && files[count - 1]->size > round.bytes - files[count - 1]->size)
    round.bytes -= files[--count]->size;
  if (count < policy.files_min) return {};
  for (size_t i = 0; i < count; ++i) round.files.push_back(files[i]->path);
  return round;
}

RewriteRound without_deleted(const std::vector<const DataFile*>& files,
                             const RewritePolicy& policy) {
  RewriteRound round;
  for (const DataFile* file : files) {
    // One larger than a round is a round of its own: it shrinks.
    bool fits = round.files.empty() || round.bytes + file->size <= policy.round_bytes_max;
    if (!fits || round.files.size() == policy.round_files_max) break;
    round.files.push_back(file->path);
    round.bytes += file->size;
  }
  return round;
}

}  // namespace

RewritePolicy policy_of(const tables::iceberg::TableMetadata& metadata, uint64_t round_bytes_max) {
  int64_t target = metadata.int_property("write.target-file-size-bytes", kTargetBytes);
  RewritePolicy policy;
  policy.small_bytes = static_cast<uint64_t>(std::max<int64_t>(target, 0)) / 4 * 3;
  policy.round_bytes_max = round_bytes_max;
  return policy;
}

RewriteRound choose_files(const tables::ScanPlan& plan, int spec_id, const RewritePolicy& policy) {
  std::map<std::string_view, Candidates> partitions;
  for (const DataFile& file : plan.files) {
    if (file.spec_id != spec_id || file.format != tables::FileFormat::parquet) continue;
    Candidates& partition = partitions[file.partition];
    double share = static_cast<double>(file.record_count) * policy.deleted_share;
    if (!file.deletes.empty() && static_cast<double>(deleted_rows(plan, file)) >= share)
      partition.deleted.push_back(&file);
    else if (file.size < policy.small_bytes)
      partition.small.push_back(&file);
  }
  RewriteRound best;
  for (const auto& [name, partition] : partitions) {
    for (RewriteRound round :
         {fewer_of_small(partition.small, policy), without_deleted(partition.deleted, policy)}) {
      if (round.files.size() > best.files.size()) best = std::move(round);
    }
  }
  return best;
}

}  // namespace aichemy::upkeep
