#include "tables/iceberg_manifest.h"

#include <algorithm>
#include <map>

namespace aichemy::tables::iceberg {

namespace {

// Field ids of manifest_entry and data_file (spec, "Manifests").
enum FieldId : int {
  kStatus = 0,
  kSnapshotId = 1,
  kDataFile = 2,
  kSequenceNumber = 3,
  kFileSequenceNumber = 4,
  kContent = 134,
  kFilePath = 100,
  kFileFormat = 101,
  kPartition = 102,
  kRecordCount = 103,
  kFileSize = 104,
  kColumnSizes = 108,
  kValueCounts = 109,
  kNullCounts = 110,
  kNanCounts = 137,
  kLowerBounds = 125,
  kUpperBounds = 128,
  kSplitOffsets = 132,
  kEqualityIds = 135,
  kSortOrderId = 140,
  kFirstRowId = 142,
  kReferencedDataFile = 143,
  kContentOffset = 144,
  kContentSize = 145,
};

constexpr uint64_t kReserveMax =
    200'000;  // entries; what a file says of itself is not trusted beyond

struct FormatName {
  std::string_view name;
  FileFormat format;
};
constexpr FormatName kFormats[] = {
    {"PARQUET", FileFormat::parquet},
    {"ORC", FileFormat::orc},
    {"AVRO", FileFormat::avro},
    {"PUFFIN", FileFormat::puffin},
};

bool equal_ignoring_case(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(),
                    [](char x, char y) { return (x >= 'a' && x <= 'z' ? x - 32 : x) == y; });
}

bool is_integer(const AvroNode& node) {
  return node.kind == AvroKind::int_ || node.kind == AvroKind::long_;
}

// A union's only branch that is not null, or the node itself.
const AvroNode& without_null(const AvroNode& node) {
  if (node.kind == AvroKind::union_) {
    for (const AvroNode& branch : node.children) {
      if (branch.kind != AvroKind::null) return branch;
    }
  }
  return node;
}

}  // namespace

class ManifestDecoder {
 public:
  explicit ManifestDecoder(Manifest* manifest) : manifest_(*manifest), cursor_({}) {}

  Status decode(std::string_view bytes) {
    ASSIGN_OR_RETURN(AvroFile file, read_avro(bytes));
    if (!file.meta("partition-spec-id").empty()) {
      manifest_.spec_id = std::atoi(std::string(file.meta("partition-spec-id")).c_str());
    }
    manifest_.arena_ = std::move(file.records);
    if (manifest_.arena_.size() > UINT32_MAX) return broken("is too large");
    if (file.schema.kind != AvroKind::record) return broken("does not hold records");
    RETURN_IF_ERROR(find_partition_columns(file.schema));
    cursor_ = AvroCursor(manifest_.arena_);
    reserve(std::min<uint64_t>(file.record_count, kReserveMax));
    for (uint64_t i = 0; i < file.record_count; ++i) {
      if (cursor_.at_end()) return broken("has fewer entries than it says");
      size_t before = cursor_.offset();
      read_entry(file.schema);
      // Entries without bytes: their count alone would keep us for ever.
      if (cursor_.offset() == before) return broken("has empty entries");
      if (cursor_.failed() || !error_.empty()) {
        return broken((error_.empty() ? "is cut short" : error_) + " at entry " +
                      std::to_string(i));
      }
    }
    if (!cursor_.at_end()) return broken("has bytes after its last entry");
    return {};
  }

 private:
  using Slice = Manifest::Slice;
  Manifest& manifest_;
  AvroCursor cursor_;
  std::string error_;

  static std::unexpected<Error> broken(const std::string& why) {
    return fail(Code::corrupt, "manifest", "the manifest " + why);
  }

  // The partition struct's columns exist even when no entry does.
  Status find_partition_columns(const AvroNode& schema) {
    for (const AvroNode& entry_field : schema.children) {
      const AvroNode& file = without_null(entry_field);
      if (entry_field.field_id != kDataFile || file.kind != AvroKind::record) continue;
      for (const AvroNode& file_field : file.children) {
        const AvroNode& partition = without_null(file_field);
        if (file_field.field_id != kPartition || partition.kind != AvroKind::record) continue;
        for (const AvroNode& field : partition.children) {
          manifest_.partition.push_back({field.field_id, without_null(field).type, {}});
        }
        return {};
      }
    }
    return {};
  }

  void reserve(uint64_t entries) {
    Manifest& m = manifest_;
    m.status.reserve(entries);
    m.content.reserve(entries);
    m.format.reserve(entries);
    for (auto* column :
         {&m.snapshot_id, &m.sequence_number, &m.file_sequence_number, &m.record_count,
          &m.file_size, &m.first_row_id, &m.content_offset, &m.content_size}) {
      column->reserve(entries);
    }
    m.sort_order_id.reserve(entries);
    m.paths_.reserve(entries);
    m.referenced_.reserve(entries);
    for (auto& column : m.partition) column.values.reserve(entries);
  }

  // A row of defaults, then whatever the record has.
  void read_entry(const AvroNode& schema) {
    Manifest& m = manifest_;
    m.status.push_back(EntryStatus::added);
    m.content.push_back(FileContent::data);
    m.format.push_back(FileFormat::parquet);
    for (auto* column : {&m.snapshot_id, &m.sequence_number, &m.file_sequence_number,
                         &m.first_row_id, &m.content_offset, &m.content_size}) {
      column->push_back(Manifest::kNone);
    }
    m.record_count.push_back(0);
    m.file_size.push_back(0);
    m.sort_order_id.push_back(-1);
    m.paths_.push_back({});
    m.referenced_.push_back({});
    for (auto& column : m.partition) column.values.emplace_back();
    for (const AvroNode& field : schema.children) {
      const AvroNode* node = cursor_.enter(field);
      if (!node) return;
      if (node->kind == AvroKind::null) continue;
      read_entry_field(field.field_id, *node);
    }
    for (auto* map : {&m.column_sizes_, &m.value_counts_, &m.null_counts_, &m.nan_counts_,
                      &m.splits_, &m.equality_}) {
      map->starts.push_back(static_cast<uint32_t>(map->values.size()));
    }
    for (auto* map : {&m.lower_, &m.upper_})
      map->starts.push_back(static_cast<uint32_t>(map->keys.size()));
  }

  void read_entry_field(int id, const AvroNode& node) {
    Manifest& m = manifest_;
    switch (id) {
      case kStatus: {
        int64_t status = read_integer(node);
        if (status < 0 || status > 2)
          error_ = "has an unknown entry status";
        else
          m.status.back() = static_cast<EntryStatus>(status);
        return;
      }
      case kSnapshotId: m.snapshot_id.back() = read_integer(node); return;
      case kSequenceNumber: m.sequence_number.back() = read_integer(node); return;
      case kFileSequenceNumber: m.file_sequence_number.back() = read_integer(node); return;
      case kDataFile:
        if (node.kind != AvroKind::record) break;
        for (const AvroNode& field : node.children) {
          const AvroNode* of = cursor_.enter(field);
          if (!of) return;
          if (of->kind != AvroKind::null) read_file_field(field.field_id, *of);
        }
        return;
      default: break;
    }
    cursor_.skip(node);
  }

  void read_file_field(int id, const AvroNode& node) {
    Manifest& m = manifest_;
    switch (id) {
      case kContent: {
        int64_t content = read_integer(node);
        if (content < 0 || content > 2)
          error_ = "has an unknown file content";
        else
          m.content.back() = static_cast<FileContent>(content);
        return;
      }
      case kFilePath: m.paths_.back() = read_slice(node); return;
      case kFileFormat: return read_format(node);
      case kPartition: return read_partition(node);
      case kRecordCount: m.record_count.back() = read_count(node); return;
      case kFileSize: m.file_size.back() = read_count(node); return;
      case kColumnSizes: return read_counts(node, &m.column_sizes_);
      case kValueCounts: return read_counts(node, &m.value_counts_);
      case kNullCounts: return read_counts(node, &m.null_counts_);
      case kNanCounts: return read_counts(node, &m.nan_counts_);
      case kLowerBounds: return read_slices(node, &m.lower_);
      case kUpperBounds: return read_slices(node, &m.upper_);
      case kSplitOffsets: return read_list(node, &m.splits_);
      case kEqualityIds: return read_list(node, &m.equality_);
      case kSortOrderId: m.sort_order_id.back() = static_cast<int32_t>(read_integer(node)); return;
      case kFirstRowId: m.first_row_id.back() = read_integer(node); return;
      case kReferencedDataFile: m.referenced_.back() = read_slice(node); return;
      case kContentOffset: m.content_offset.back() = read_integer(node); return;
      case kContentSize: m.content_size.back() = read_integer(node); return;
      default: cursor_.skip(node);
    }
  }

  int64_t read_integer(const AvroNode& node) {
    if (!is_integer(node)) {
      cursor_.set_failed();
      return 0;
    }
    return cursor_.read_long();
  }

  int64_t read_count(const AvroNode& node) {
    int64_t value = read_integer(node);
    if (value < 0) error_ = "has a negative count or size";
    return value;
  }

  Slice read_slice(const AvroNode& node) {
    if (node.kind != AvroKind::string && node.kind != AvroKind::bytes) {
      cursor_.set_failed();
      return {};
    }
    std::string_view bytes = cursor_.read_bytes();
    if (bytes.empty()) return {};
    return {static_cast<uint32_t>(bytes.data() - manifest_.arena_.data()),
            static_cast<uint32_t>(bytes.size())};
  }

  void read_format(const AvroNode& node) {
    std::string_view name = manifest_.view(read_slice(node));
    for (const FormatName& row : kFormats) {
      if (!equal_ignoring_case(name, row.name)) continue;
      manifest_.format.back() = row.format;
      return;
    }
    error_ =
        "names the file format \"" + std::string(name.substr(0, 40)) + "\", which is not known,";
  }

  void read_partition(const AvroNode& node) {
    if (node.kind != AvroKind::record || node.children.size() != manifest_.partition.size()) {
      cursor_.set_failed();
      return;
    }
    for (size_t i = 0; i < node.children.size(); ++i) {
      const AvroNode* of = cursor_.enter(node.children[i]);
      if (!of) return;
      manifest_.partition[i].values.back() = read_value(*of);
    }
  }

  Value read_value(const AvroNode& node) {
    switch (node.kind) {
      case AvroKind::null: return {};
      case AvroKind::boolean: return Value(cursor_.read_bool());
      case AvroKind::int_:
      case AvroKind::long_: return Value(cursor_.read_long());
      case AvroKind::float_: return read_binary(node, cursor_.read_raw(4));
      case AvroKind::double_: return read_binary(node, cursor_.read_raw(8));
      case AvroKind::bytes:
      case AvroKind::string: return read_binary(node, cursor_.read_bytes());
      case AvroKind::fixed: return read_binary(node, cursor_.read_raw(node.fixed_size));
      default: cursor_.set_failed(); return {};
    }
  }

  Value read_binary(const AvroNode& node, std::string_view bytes) {
    if (cursor_.failed()) return {};
    auto value = value_from_binary(bytes, node.type);
    if (!value) {
      error_ = "has a broken partition value";
      return {};
    }
    return std::move(*value);
  }

  // Walks an array of {key, value} records; `each` reads the value after its key.
  template <class Each>
  void read_pairs(const AvroNode& node, Each each) {
    if (node.kind != AvroKind::array) return cursor_.set_failed();
    const AvroNode& pair = without_null(node.children[0]);
    if (pair.kind != AvroKind::record || pair.children.size() != 2 ||
        !is_integer(without_null(pair.children[0]))) {
      return cursor_.set_failed();
    }
    bool plain = node.children[0].kind == AvroKind::record && is_integer(pair.children[0]) &&
                 pair.children[1].kind != AvroKind::union_;
    while (int64_t count = cursor_.read_block_count()) {
      for (int64_t i = 0; i < count && !cursor_.failed(); ++i) {
        if (!plain) {
          read_optional_pair(node.children[0], each);
          continue;
        }
        auto key = static_cast<int32_t>(cursor_.read_long());
        each(key, pair.children[1]);
      }
      if (cursor_.failed()) return;
    }
  }

  // BigQuery makes everything nullable. A pair without a key or a value says nothing.
  template <class Each>
  void read_optional_pair(const AvroNode& item, Each& each) {
    const AvroNode* pair = cursor_.enter(item);
    if (!pair || pair->kind == AvroKind::null) return;
    const AvroNode* key = cursor_.enter(pair->children[0]);
    std::optional<int64_t> id;
    if (key && key->kind != AvroKind::null) id = cursor_.read_long();
    const AvroNode* value = key ? cursor_.enter(pair->children[1]) : nullptr;
    if (!value || value->kind == AvroKind::null) return;
    if (id)
      each(static_cast<int32_t>(*id), *value);
    else
      cursor_.skip(*value);
  }

  void read_counts(const AvroNode& node, Manifest::CountMap* map) {
    read_pairs(node, [&](int32_t key, const AvroNode& value) {
      map->keys.push_back(key);
      map->values.push_back(read_integer(value));
    });
  }

  void read_slices(const AvroNode& node, Manifest::SliceMap* map) {
    read_pairs(node, [&](int32_t key, const AvroNode& value) {
      map->keys.push_back(key);
      map->values.push_back(read_slice(value));
    });
  }

  void read_list(const AvroNode& node, Manifest::CountMap* map) {
    if (node.kind != AvroKind::array || !is_integer(node.children[0])) {
      cursor_.set_failed();
      return;
    }
    while (int64_t count = cursor_.read_block_count()) {
      for (int64_t i = 0; i < count && !cursor_.failed(); ++i)
        map->values.push_back(cursor_.read_long());
      if (cursor_.failed()) return;
    }
  }
};

Result<Manifest> decode_manifest(std::string_view file) {
  Manifest manifest;
  RETURN_IF_ERROR(ManifestDecoder(&manifest).decode(file));
  return manifest;
}

int64_t Manifest::CountMap::find(size_t entry, int field_id) const {
  for (uint32_t i = starts[entry]; i < starts[entry + 1]; ++i) {
    if (keys[i] == field_id) return values[i];
  }
  return -1;
}

const Manifest::Slice* Manifest::SliceMap::find(size_t entry, int field_id) const {
  for (uint32_t i = starts[entry]; i < starts[entry + 1]; ++i) {
    if (keys[i] == field_id) return &values[i];
  }
  return nullptr;
}

size_t Manifest::memory_bytes() const {
  size_t bytes = arena_.capacity() + size() * (3 + 8 * 8 + 4 + 16);
  for (const PartitionColumn& column : partition) bytes += column.values.size() * sizeof(Value);
  for (auto* map :
       {&column_sizes_, &value_counts_, &null_counts_, &nan_counts_, &splits_, &equality_}) {
    bytes += map->keys.size() * 4 + map->values.size() * 8 + map->starts.size() * 4;
  }
  for (auto* map : {&lower_, &upper_}) bytes += map->keys.size() * 12 + map->starts.size() * 4;
  return bytes;
}

std::vector<int> Manifest::equality_ids(size_t entry) const {
  std::vector<int> ids;
  for (uint32_t i = equality_.starts[entry]; i < equality_.starts[entry + 1]; ++i) {
    ids.push_back(static_cast<int>(equality_.values[i]));
  }
  return ids;
}

std::vector<int64_t> Manifest::split_offsets(size_t entry) const {
  return {splits_.values.begin() + splits_.starts[entry],
          splits_.values.begin() + splits_.starts[entry + 1]};
}

std::optional<std::string_view> Manifest::lower_bound(size_t entry, int field_id) const {
  const Slice* found = lower_.find(entry, field_id);
  return found ? std::optional(view(*found)) : std::nullopt;
}

std::optional<std::string_view> Manifest::upper_bound(size_t entry, int field_id) const {
  const Slice* found = upper_.find(entry, field_id);
  return found ? std::optional(view(*found)) : std::nullopt;
}

std::vector<ColumnBounds> Manifest::bounds(size_t entry, const ColumnTypes& types) const {
  std::vector<ColumnBounds> bounds;
  auto column = [&](int field_id) -> ColumnBounds& {
    for (ColumnBounds& known : bounds) {
      if (known.field_id == field_id) return known;
    }
    return bounds.emplace_back(ColumnBounds{.field_id = field_id});
  };
  auto take = [&](const CountMap& map, int64_t ColumnBounds::* member) {
    for (uint32_t i = map.starts[entry]; i < map.starts[entry + 1]; ++i) {
      if (types.contains(map.keys[i])) column(map.keys[i]).*member = map.values[i];
    }
  };
  take(value_counts_, &ColumnBounds::value_count);
  take(null_counts_, &ColumnBounds::null_count);
  take(nan_counts_, &ColumnBounds::nan_count);
  auto take_bounds = [&](const SliceMap& map, Value ColumnBounds::* member) {
    for (uint32_t i = map.starts[entry]; i < map.starts[entry + 1]; ++i) {
      auto type = types.find(map.keys[i]);
      if (type == types.end()) continue;
      // A bound that cannot be decoded is only a bound that is not known.
      if (auto value = value_from_binary(view(map.values[i]), type->second)) {
        column(map.keys[i]).*member = std::move(*value);
      }
    }
  };
  take_bounds(lower_, &ColumnBounds::lower);
  take_bounds(upper_, &ColumnBounds::upper);
  return bounds;
}

std::vector<ColumnStats> Manifest::columns(size_t entry) const {
  std::map<int, ColumnStats> by_id;
  auto take = [&](const CountMap& map, int64_t ColumnStats::* member) {
    for (uint32_t i = map.starts[entry]; i < map.starts[entry + 1]; ++i) {
      by_id[map.keys[i]].*member = map.values[i];
    }
  };
  take(column_sizes_, &ColumnStats::column_size);
  take(value_counts_, &ColumnStats::value_count);
  take(null_counts_, &ColumnStats::null_count);
  take(nan_counts_, &ColumnStats::nan_count);
  auto take_bounds = [&](const SliceMap& map, std::optional<std::string> ColumnStats::* member) {
    for (uint32_t i = map.starts[entry]; i < map.starts[entry + 1]; ++i) {
      by_id[map.keys[i]].*member = std::string(view(map.values[i]));
    }
  };
  take_bounds(lower_, &ColumnStats::lower);
  take_bounds(upper_, &ColumnStats::upper);
  std::vector<ColumnStats> columns;
  for (auto& [id, stats] : by_id) {
    stats.field_id = id;
    columns.push_back(std::move(stats));
  }
  return columns;
}

ManifestEntry Manifest::entry(size_t at) const {
  auto optional = [](int64_t value) {
    return value == kNone ? std::nullopt : std::optional(value);
  };
  ManifestEntry entry;
  entry.status = status[at];
  entry.snapshot_id = optional(snapshot_id[at]);
  entry.sequence_number = optional(sequence_number[at]);
  entry.file_sequence_number = optional(file_sequence_number[at]);
  entry.content = content[at];
  entry.path = path(at);
  entry.format = format[at];
  for (const PartitionColumn& column : partition) entry.partition.push_back(column.values[at]);
  entry.record_count = record_count[at];
  entry.size = file_size[at];
  entry.columns = columns(at);
  entry.split_offsets = split_offsets(at);
  entry.equality_ids = equality_ids(at);
  if (sort_order_id[at] >= 0) entry.sort_order_id = sort_order_id[at];
  entry.referenced_data_file = referenced_data_file(at);
  entry.content_offset = optional(content_offset[at]);
  entry.content_size = optional(content_size[at]);
  entry.first_row_id = optional(first_row_id[at]);
  return entry;
}

}  // namespace aichemy::tables::iceberg
