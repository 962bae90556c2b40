// Manifest lists: reading rows and counting what a manifest about to be listed holds.
#include <algorithm>

#include "tables/iceberg_manifest.h"

namespace aichemy::tables::iceberg {

namespace {

// Field ids of manifest_file (spec, "Manifest Lists").
enum FieldId : int {
  kPath = 500,
  kLength = 501,
  kSpecId = 502,
  kAddedSnapshotId = 503,
  kAddedFiles = 504,
  kExistingFiles = 505,
  kDeletedFiles = 506,
  kPartitions = 507,
  kContainsNull = 509,
  kLower = 510,
  kUpper = 511,
  kAddedRows = 512,
  kExistingRows = 513,
  kDeletedRows = 514,
  kSequenceNumber = 515,
  kMinSequenceNumber = 516,
  kContent = 517,
  kContainsNan = 518,
  kKeyMetadata = 519,
  kFirstRowId = 520,
};

struct CountField {
  int id;
  int64_t ManifestFile::* member;
};
constexpr CountField kCounts[] = {
    {kLength, &ManifestFile::length},
    {kAddedSnapshotId, &ManifestFile::added_snapshot_id},
    {kAddedFiles, &ManifestFile::added_files},
    {kExistingFiles, &ManifestFile::existing_files},
    {kDeletedFiles, &ManifestFile::deleted_files},
    {kAddedRows, &ManifestFile::added_rows},
    {kExistingRows, &ManifestFile::existing_rows},
    {kDeletedRows, &ManifestFile::deleted_rows},
    {kSequenceNumber, &ManifestFile::sequence_number},
    {kMinSequenceNumber, &ManifestFile::min_sequence_number},
};

class ListDecoder {
 public:
  explicit ListDecoder(std::string_view records) : cursor_(records) {}

  Status read(const AvroNode& schema, ManifestFile* row) {
    for (const AvroNode& field : schema.children) {
      const AvroNode* node = cursor_.enter(field);
      if (!node) break;
      if (node->kind != AvroKind::null) read_field(field.field_id, *node, row);
    }
    if (cursor_.failed()) return fail(Code::corrupt, "manifest", "the manifest list is cut short");
    return {};
  }

  bool at_end() const { return cursor_.at_end(); }
  size_t offset() const { return cursor_.offset(); }

 private:
  AvroCursor cursor_;

  void read_field(int id, const AvroNode& node, ManifestFile* row) {
    for (const CountField& field : kCounts) {
      if (field.id == id) {
        row->*field.member = integer(node);
        return;
      }
    }
    switch (id) {
      case kPath: row->path = bytes(node); return;
      case kSpecId: row->spec_id = static_cast<int>(integer(node)); return;
      case kContent: row->holds_deletes = integer(node) != 0; return;
      case kKeyMetadata: row->key_metadata = bytes(node); return;
      case kFirstRowId: row->first_row_id = integer(node); return;
      case kPartitions: return read_summaries(node, row);
      default: cursor_.skip(node);
    }
  }

  void read_summaries(const AvroNode& node, ManifestFile* row) {
    if (node.kind != AvroKind::array || node.children[0].kind != AvroKind::record)
      return cursor_.set_failed();
    while (int64_t count = cursor_.read_block_count()) {
      for (int64_t i = 0; i < count && !cursor_.failed(); ++i) {
        size_t before = cursor_.offset();
        row->partitions.push_back(read_summary(node.children[0]));
        if (cursor_.offset() == before) return cursor_.set_failed();
      }
      if (cursor_.failed()) return;
    }
  }

  PartitionSummary read_summary(const AvroNode& node) {
    PartitionSummary summary;
    for (const AvroNode& field : node.children) {
      const AvroNode* of = cursor_.enter(field);
      if (!of) break;
      if (of->kind == AvroKind::null) continue;
      switch (field.field_id) {
        case kContainsNull: summary.contains_null = boolean(*of); break;
        case kContainsNan: summary.contains_nan = boolean(*of); break;
        case kLower: summary.lower = bytes(*of); break;
        case kUpper: summary.upper = bytes(*of); break;
        default: cursor_.skip(*of);
      }
    }
    return summary;
  }

  int64_t integer(const AvroNode& node) {
    if (node.kind != AvroKind::int_ && node.kind != AvroKind::long_) cursor_.set_failed();
    return cursor_.failed() ? 0 : cursor_.read_long();
  }
  bool boolean(const AvroNode& node) {
    if (node.kind != AvroKind::boolean) cursor_.set_failed();
    return !cursor_.failed() && cursor_.read_bool();
  }
  std::string bytes(const AvroNode& node) {
    if (node.kind != AvroKind::bytes && node.kind != AvroKind::string) cursor_.set_failed();
    return cursor_.failed() ? std::string() : std::string(cursor_.read_bytes());
  }
};

// Widens one field's summary by the values of all entries.
PartitionSummary summarize_field(const Type& type, size_t index,
                                 std::span<const ManifestEntry> entries) {
  PartitionSummary summary;
  summary.contains_nan = false;
  Value lower;
  Value upper;
  for (const ManifestEntry& entry : entries) {
    const Value& value = entry.partition[index];
    if (value.is_null()) {
      summary.contains_null = true;
    } else if (value.holds_double() && value.as_double() != value.as_double()) {
      summary.contains_nan = true;
    } else {
      if (lower.is_null() || value.compare(lower) < 0) lower = value;
      if (upper.is_null() || value.compare(upper) > 0) upper = value;
    }
  }
  if (!lower.is_null()) summary.lower = value_to_binary(lower, type);
  if (!upper.is_null()) summary.upper = value_to_binary(upper, type);
  return summary;
}

}  // namespace

Result<ManifestList> decode_manifest_list(std::string_view bytes) {
  ASSIGN_OR_RETURN(AvroFile file, read_avro(bytes));
  if (file.schema.kind != AvroKind::record) {
    return fail(Code::corrupt, "manifest", "the manifest list does not hold records");
  }
  ManifestList list;
  ListDecoder decoder(file.records);
  for (uint64_t i = 0; i < file.record_count; ++i) {
    if (decoder.at_end()) {
      return fail(Code::corrupt, "manifest", "the manifest list has fewer rows than it says");
    }
    ManifestFile row;
    size_t before = decoder.offset();
    RETURN_IF_ERROR(decoder.read(file.schema, &row));
    if (decoder.offset() == before) {
      return fail(Code::corrupt, "manifest", "the manifest list has empty rows");
    }
    list.manifests.push_back(std::move(row));
  }
  return list;
}

size_t ManifestList::memory_bytes() const {
  size_t bytes = 0;
  for (const ManifestFile& row : manifests) {
    bytes +=
        sizeof(row) + row.path.size() + row.partitions.size() * (sizeof(PartitionSummary) + 32);
  }
  return bytes;
}

ManifestFile summarize_manifest(const Schema& schema, const PartitionSpec& spec,
                                std::span<const ManifestEntry> entries) {
  ManifestFile row;
  row.spec_id = spec.id;
  row.added_files = row.existing_files = row.deleted_files = 0;
  row.added_rows = row.existing_rows = row.deleted_rows = 0;
  std::optional<int64_t> min_sequence;
  for (const ManifestEntry& entry : entries) {
    bool added = entry.status == EntryStatus::added;
    bool existing = entry.status == EntryStatus::existing;
    (added ? row.added_files : existing ? row.existing_files : row.deleted_files) += 1;
    (added      ? row.added_rows
     : existing ? row.existing_rows
                : row.deleted_rows) += entry.record_count;
    if (entry.status != EntryStatus::deleted && entry.sequence_number) {
      min_sequence = std::min(min_sequence.value_or(INT64_MAX), *entry.sequence_number);
    }
  }
  row.min_sequence_number = min_sequence.value_or(0);
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const Field* source = schema.find(spec.fields[i].source_id);
    auto type = transform_result_type(spec.fields[i].transform,
                                      source ? source->type : primitive(TypeKind::unknown));
    row.partitions.push_back(
        summarize_field(type.value_or(primitive(TypeKind::binary)), i, entries));
  }
  return row;
}

}  // namespace aichemy::tables::iceberg
