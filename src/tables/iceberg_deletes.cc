#include "tables/iceberg_deletes.h"

#include <algorithm>

namespace aichemy::tables::iceberg {

namespace {

constexpr int kDeleteFilePathId = 2147483546;  // the column file_path of position delete files

// Spec and partition values as one key.
std::string partition_key(const Manifest& manifest, size_t entry, const PartitionSpec& spec) {
  std::string key = std::to_string(spec.id);
  for (const Manifest::PartitionColumn& column : manifest.partition) {
    const Value& value = column.values[entry];
    key += '|';
    if (value.is_null()) {
      key += 'n';
    } else if (value.holds_bytes()) {
      key += std::to_string(value.as_bytes().size()) + ":" + value.as_bytes();
    } else if (value.holds_double()) {
      double number = value.as_double();
      key.append(reinterpret_cast<const char*>(&number), sizeof(number));
    } else if (value.holds_decimal()) {
      key += decimal_text(value.as_decimal(), 0);
    } else {
      key += std::to_string(value.holds_bool() ? value.as_bool() : value.as_int());
    }
  }
  return key;
}

}  // namespace

void DeleteIndex::add(const Manifest& manifest, size_t entry, const PartitionSpec& spec,
                      int64_t inherited_sequence, std::vector<DeleteFile>* files) {
  DeleteFile file;
  file.path = manifest.path(entry);
  file.format = manifest.format[entry];
  file.size = static_cast<uint64_t>(manifest.file_size[entry]);
  file.record_count = static_cast<uint64_t>(manifest.record_count[entry]);
  file.equality_ids = manifest.equality_ids(entry);
  file.referenced_data_file = manifest.referenced_data_file(entry);
  file.spec_id = spec.id;
  Delete found;
  found.index = static_cast<uint32_t>(files->size());
  found.sequence = manifest.sequence_number[entry];
  if (found.sequence == Manifest::kNone) found.sequence = inherited_sequence;
  if (file.format == FileFormat::puffin) {
    file.kind = DeleteKind::deletion_vector;
    file.content_offset =
        static_cast<uint64_t>(std::max<int64_t>(manifest.content_offset[entry], 0));
    file.content_size = static_cast<uint64_t>(std::max<int64_t>(manifest.content_size[entry], 0));
    vectors_by_path_[file.referenced_data_file].push_back(found);
  } else if (manifest.content[entry] == FileContent::equality_deletes) {
    file.kind = DeleteKind::equality;
    if (spec.is_unpartitioned()) {
      equality_everywhere_.push_back(found);
    } else {
      equality_by_partition_[partition_key(manifest, entry, spec)].push_back(found);
    }
  } else {
    auto lower = manifest.lower_bound(entry, kDeleteFilePathId);
    auto upper = manifest.upper_bound(entry, kDeleteFilePathId);
    if (lower && upper) {
      found.lower_path = *lower;
      found.upper_path = *upper;
    }
    if (!file.referenced_data_file.empty()) {
      positions_by_path_[file.referenced_data_file].push_back(found);
    } else {
      positions_by_partition_[partition_key(manifest, entry, spec)].push_back(found);
    }
  }
  files->push_back(std::move(file));
}

std::vector<uint32_t> DeleteIndex::of(const Manifest& manifest, size_t entry,
                                      const PartitionSpec& spec, int64_t sequence) const {
  std::vector<uint32_t> applying;
  auto take = [&](const std::vector<Delete>& deletes, int64_t from_sequence,
                  std::string_view path) {
    for (const Delete& candidate : deletes) {
      if (candidate.sequence < from_sequence) continue;
      bool bounded = !candidate.upper_path.empty() && !path.empty();
      if (bounded && (path < candidate.lower_path || path > candidate.upper_path)) continue;
      applying.push_back(candidate.index);
    }
  };
  auto take_from = [&](const auto& map, const std::string& key, int64_t from_sequence,
                       std::string_view path) {
    auto found = map.find(key);
    if (found != map.end()) take(found->second, from_sequence, path);
  };
  std::string path;
  if (!vectors_by_path_.empty() || !positions_by_path_.empty()) path = manifest.path(entry);
  if (!vectors_by_path_.empty()) take_from(vectors_by_path_, path, sequence, {});
  bool has_vector = !applying.empty();
  if (!has_vector && !positions_by_path_.empty()) take_from(positions_by_path_, path, sequence, {});
  if (!positions_by_partition_.empty() || !equality_by_partition_.empty()) {
    std::string key = partition_key(manifest, entry, spec);
    if (!has_vector) take_from(positions_by_partition_, key, sequence, manifest.path(entry));
    take_from(equality_by_partition_, key, sequence + 1, {});
  }
  take(equality_everywhere_, sequence + 1, {});
  std::sort(applying.begin(), applying.end());
  return applying;
}

}  // namespace aichemy::tables::iceberg
