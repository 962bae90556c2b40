#include "tables/iceberg_scan.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tables/iceberg_deletes.h"
#include "tables/iceberg_snapshot.h"
#include "tables/name_mapping.h"

namespace aichemy::tables::iceberg {

namespace {

// The predicate as one spec's partition values see it.
Predicate project(const Predicate& predicate, const PartitionSpec& spec, const Schema& schema) {
  using Kind = Predicate::Kind;
  if (predicate.kind == Kind::always_true || predicate.kind == Kind::always_false) return predicate;
  if (predicate.kind == Kind::all || predicate.kind == Kind::any) {
    Predicate mapped;
    mapped.kind = predicate.kind;
    for (const Predicate& child : predicate.children)
      mapped.children.push_back(project(child, spec, schema));
    return mapped;
  }
  std::vector<Predicate> parts;
  const Field* source = schema.find(predicate.field_id);
  for (const PartitionField& field : spec.fields) {
    if (!source || field.source_id != predicate.field_id) continue;
    parts.push_back(project_inclusive(field.transform, source->type, predicate, field.field_id));
  }
  return Predicate::all(std::move(parts));
}

bool is_nan(const Value& value) { return value.holds_double() && std::isnan(value.as_double()); }

ColumnRange range_of_value(const Value& value) {
  ColumnRange range;
  range.known = true;
  range.may_be_null = value.is_null();
  range.may_be_value = !value.is_null();
  range.may_be_nan = range.all_nan = is_nan(value);
  range.has_bounds = range.may_be_value && !range.all_nan;
  range.lower = range.upper = value;
  return range;
}

ColumnRange range_of_summary(const PartitionSummary& summary, const Type& type) {
  ColumnRange range;
  range.known = true;
  range.may_be_null = summary.contains_null;
  range.may_be_nan = summary.contains_nan.value_or(true);
  range.may_be_value = summary.lower || summary.upper || range.may_be_nan;
  if (!summary.lower || !summary.upper) return range;
  auto lower = value_from_binary(*summary.lower, type);
  auto upper = value_from_binary(*summary.upper, type);
  if (!lower || !upper) return range;
  range.has_bounds = true;
  range.lower = std::move(*lower);
  range.upper = std::move(*upper);
  return range;
}

ColumnRange range_of_column(const Manifest& manifest, size_t entry, int field_id,
                            const Type& type) {
  ColumnRange range;
  int64_t values = manifest.value_count(entry, field_id);
  int64_t nulls = manifest.null_count(entry, field_id);
  int64_t nans = manifest.nan_count(entry, field_id);
  auto lower = manifest.lower_bound(entry, field_id);
  auto upper = manifest.upper_bound(entry, field_id);
  range.known = nulls >= 0 || (lower && upper);
  range.may_be_null = nulls != 0;
  range.may_be_value = nulls < 0 || values < 0 || nulls < values;
  range.may_be_nan = nans != 0;
  range.all_nan = nans > 0 && values >= 0 && nans == values;
  if (!lower || !upper) return range;
  auto low = value_from_binary(*lower, type);
  auto high = value_from_binary(*upper, type);
  if (!low || !high || is_nan(*low) || is_nan(*high)) return range;
  range.has_bounds = true;
  // Bounds of these may be cut: they enclose the values but are not among them.
  range.lower_is_exact = type.kind != TypeKind::string && type.kind != TypeKind::binary &&
                         type.kind != TypeKind::fixed;
  range.lower = std::move(*low);
  range.upper = std::move(*high);
  return range;
}

// Neither null nor NaN can be in a column that is compared: negation then has two values only.
template <class RangeOf>
bool compares_values_only(const Predicate& predicate, RangeOf&& range_of) {
  using Kind = Predicate::Kind;
  for (const Predicate& child : predicate.children) {
    if (!compares_values_only(child, range_of)) return false;
  }
  bool compares = predicate.kind == Kind::compare || predicate.kind == Kind::in ||
                  predicate.kind == Kind::starts_with;
  if (!compares) return true;
  ColumnRange range = range_of(predicate.field_id);
  bool floating = !predicate.values.empty() && predicate.values[0].holds_double();
  return range.known && !range.may_be_null && !(floating && range.may_be_nan);
}

// What one partition spec means for this scan.
struct SpecPlan {
  const PartitionSpec* spec = nullptr;
  std::vector<Type> sources;  // of each field
  std::vector<Type> results;
  Predicate predicate;  // on partition field ids
};

class Planner {
 public:
  Planner(const Call& call, FileIo& files, ManifestCache& cache, const TableMetadata& metadata,
          const ScanRequest& request)
      : call_(call), files_(files), cache_(cache), metadata_(metadata), request_(request) {}

  Result<ScanPlan> plan() {
    ASSIGN_OR_RETURN(const Snapshot* snapshot, choose_snapshot(metadata_, request_));
    plan_.schema = schema_of(snapshot);
    ASSIGN_OR_RETURN(plan_.name_mapping,
                     name_mapping_from_text(metadata_.property("schema.name-mapping.default")));
    if (!snapshot) return std::move(plan_);
    plan_.snapshot_id = snapshot->id;
    predicate_ = request_.predicate.normalized();
    negation_ = Predicate::negate(predicate_).normalized();
    collect_types(plan_.schema.fields);
    if (request_.appends_only) {
      RETURN_IF_ERROR(read_appends(*snapshot));
      return std::move(plan_);
    }
    ASSIGN_OR_RETURN(auto list, read_manifests(call_, files_, cache_, metadata_, *snapshot));
    RETURN_IF_ERROR(read_deletes(*list));
    for (const ManifestFile& row : list->manifests) {
      if (row.holds_deletes) continue;
      ++plan_.manifests_total;
      plan_.files_total += static_cast<uint64_t>(std::max<int64_t>(row.added_files, 0) +
                                                 std::max<int64_t>(row.existing_files, 0));
      if (!wanted(row)) continue;
      RETURN_IF_ERROR(read_data(row));
    }
    return std::move(plan_);
  }

 private:
  const Call& call_;
  FileIo& files_;
  ManifestCache& cache_;
  const TableMetadata& metadata_;
  const ScanRequest& request_;
  ScanPlan plan_;
  Predicate predicate_;
  Predicate negation_;
  std::map<int, SpecPlan> specs_;
  Manifest::ColumnTypes all_types_;    // of primitive columns
  Manifest::ColumnTypes bound_types_;  // of those whose bounds were asked for
  DeleteIndex deletes_;

  // Branches are read with the table's schema, tags and older snapshots with the one they had.
  Schema schema_of(const Snapshot* snapshot) const {
    auto ref = metadata_.refs.find(request_.ref);
    bool is_tag = ref != metadata_.refs.end() && !ref->second.is_branch;
    if (request_.appends_only) return metadata_.current_schema();
    bool travels = request_.snapshot_id || request_.as_of_millis || is_tag;
    const Schema* then = snapshot && travels && snapshot->schema_id
                             ? metadata_.schema(*snapshot->schema_id)
                             : nullptr;
    return then ? *then : metadata_.current_schema();
  }

  void collect_types(const std::vector<Field>& fields) {
    for (const Field& field : fields) {
      collect_types(field.type.fields);
      if (field.type.is_nested()) continue;
      all_types_[field.id] = field.type;
      bool asked = request_.columns.empty() ||
                   std::find(request_.columns.begin(), request_.columns.end(), field.id) !=
                       request_.columns.end();
      if (request_.with_bounds && asked) bound_types_[field.id] = field.type;
    }
  }

  Result<const SpecPlan*> spec_plan(int spec_id) {
    auto known = specs_.find(spec_id);
    if (known != specs_.end()) return &known->second;
    SpecPlan plan;
    plan.spec = metadata_.spec(spec_id);
    if (!plan.spec) {
      return fail(Code::corrupt, "manifest",
                  "a manifest was written for partition spec " + std::to_string(spec_id) +
                      ", which is missing");
    }
    for (const PartitionField& field : plan.spec->fields) {
      const Field* source = find_source(field.source_id);
      plan.sources.push_back(source ? source->type : primitive(TypeKind::unknown));
      auto result = transform_result_type(field.transform, plan.sources.back());
      plan.results.push_back(result.value_or(primitive(TypeKind::unknown)));
    }
    plan.predicate = project(predicate_, *plan.spec, plan_.schema).normalized();
    return &specs_.emplace(spec_id, std::move(plan)).first->second;
  }

  // A column that was dropped since may still be what an old spec divides by.
  const Field* find_source(int id) const {
    if (const Field* field = plan_.schema.find(id)) return field;
    for (auto schema = metadata_.schemas.rbegin(); schema != metadata_.schemas.rend(); ++schema) {
      if (const Field* field = schema->find(id)) return field;
    }
    return nullptr;
  }

  // By the counts and partition summaries of the manifest list.
  bool wanted(const ManifestFile& row) {
    if (row.added_files == 0 && row.existing_files == 0) return false;
    if (row.spec_id < 0 || row.partitions.empty()) return true;
    auto spec = spec_plan(row.spec_id);
    if (!spec) return true;  // reading the manifest will say what is wrong
    const PartitionSpec& of = *(*spec)->spec;
    return may_match((*spec)->predicate, [&](int field_id) -> ColumnRange {
      for (size_t i = 0; i < of.fields.size() && i < row.partitions.size(); ++i) {
        if (of.fields[i].field_id == field_id) {
          return range_of_summary(row.partitions[i], (*spec)->results[i]);
        }
      }
      return {};
    });
  }

  Result<std::shared_ptr<const Manifest>> load(const ManifestFile& row) {
    return cache_.manifest(call_, files_, row.path);
  }

  Status read_deletes(const ManifestList& list) {
    for (const ManifestFile& row : list.manifests) {
      if (!row.holds_deletes || !wanted(row)) continue;
      ASSIGN_OR_RETURN(auto manifest, load(row));
      int spec_id = row.spec_id >= 0 ? row.spec_id : std::max(manifest->spec_id, 0);
      ASSIGN_OR_RETURN(const SpecPlan* spec, spec_plan(spec_id));
      for (size_t i = 0; i < manifest->size(); ++i) {
        if (manifest->status[i] == EntryStatus::deleted || !partition_wanted(*manifest, i, *spec))
          continue;
        deletes_.add(*manifest, i, *spec->spec, row.sequence_number, &plan_.delete_files);
        if (request_.with_partition)
          plan_.delete_files.back().partition_values = partition_values(*manifest, i, *spec);
      }
    }
    return {};
  }

  // The appends of the request, newest first.
  Result<std::vector<const Snapshot*>> appends_until(const Snapshot& last) const {
    std::vector<const Snapshot*> appends;
    const Snapshot* at = &last;
    for (size_t seen = 0; at && seen <= metadata_.snapshots.size(); ++seen) {
      if (request_.appended_after == at->id) return appends;
      if (at->summary_value("operation") == "append") appends.push_back(at);
      // The one to begin after need not be kept any more.
      if (request_.appended_after && request_.appended_after == at->parent_id) return appends;
      at = at->parent_id ? metadata_.snapshot(*at->parent_id) : nullptr;
    }
    if (!request_.appended_after && !at) return appends;
    return fail(Code::invalid, "snapshot_ancestry",
                "Starting snapshot (exclusive) " +
                    std::to_string(request_.appended_after.value_or(-1)) +
                    " is not a parent ancestor of end snapshot " + std::to_string(last.id));
  }

  // Each from its own list: manifests may have been rewritten since.
  Status read_appends(const Snapshot& last) {
    ASSIGN_OR_RETURN(auto appends, appends_until(last));
    for (const Snapshot* append : appends) {
      ASSIGN_OR_RETURN(auto list, read_manifests(call_, files_, cache_, metadata_, *append));
      for (const ManifestFile& row : list->manifests) {
        if (row.holds_deletes || row.added_snapshot_id != append->id) continue;
        ++plan_.manifests_total;
        plan_.files_total += static_cast<uint64_t>(std::max<int64_t>(row.added_files, 0));
        if (wanted(row)) RETURN_IF_ERROR(read_data(row));
      }
    }
    return {};
  }

  // Of an incremental scan; other snapshots' files only stay.
  static bool was_added_here(const Manifest& manifest, size_t entry, const ManifestFile& row) {
    int64_t by = manifest.snapshot_id[entry];
    return manifest.status[entry] == EntryStatus::added &&
           (by == Manifest::kNone || by == row.added_snapshot_id);
  }

  Status read_data(const ManifestFile& row) {
    ASSIGN_OR_RETURN(auto manifest, load(row));
    ++plan_.manifests_read;
    int spec_id = row.spec_id >= 0 ? row.spec_id : std::max(manifest->spec_id, 0);
    ASSIGN_OR_RETURN(const SpecPlan* spec, spec_plan(spec_id));
    std::vector<int64_t> row_ids = first_row_ids(*manifest, row);
    for (size_t i = 0; i < manifest->size(); ++i) {
      if (manifest->status[i] == EntryStatus::deleted) continue;
      if (request_.appends_only && !was_added_here(*manifest, i, row)) continue;
      if (row.added_files < 0) ++plan_.files_total;
      if (!partition_wanted(*manifest, i, *spec) || !bounds_wanted(*manifest, i)) continue;
      take(*manifest, i, *spec, row.sequence_number, row_ids[i]);
    }
    return {};
  }

  static bool partition_wanted(const Manifest& manifest, size_t entry, const SpecPlan& spec) {
    if (spec.predicate.is_true()) return true;
    return may_match(spec.predicate, [&](int field_id) -> ColumnRange {
      for (const Manifest::PartitionColumn& column : manifest.partition) {
        if (column.field_id == field_id) return range_of_value(column.values[entry]);
      }
      return {};
    });
  }

  bool bounds_wanted(const Manifest& manifest, size_t entry) const {
    if (predicate_.is_true()) return true;
    return may_match(predicate_, [&](int field_id) -> ColumnRange {
      auto type = all_types_.find(field_id);
      if (type == all_types_.end()) return {};
      return range_of_column(manifest, entry, field_id, type->second);
    });
  }

  bool all_match(const Manifest& manifest, size_t entry, const SpecPlan& spec) const {
    if (predicate_.is_true()) return true;
    auto range_of = [&](int field_id) -> ColumnRange {
      for (const PartitionField& field : spec.spec->fields) {
        if (field.source_id != field_id || field.transform.kind != TransformKind::identity)
          continue;
        for (const Manifest::PartitionColumn& column : manifest.partition) {
          if (column.field_id == field.field_id) return range_of_value(column.values[entry]);
        }
      }
      auto type = all_types_.find(field_id);
      if (type == all_types_.end()) return {};
      return range_of_column(manifest, entry, field_id, type->second);
    };
    return compares_values_only(predicate_, range_of) && !may_match(negation_, range_of);
  }

  void take(const Manifest& manifest, size_t entry, const SpecPlan& spec,
            int64_t inherited_sequence, int64_t first_row_id) {
    DataFile file;
    file.path = manifest.path(entry);
    file.format = manifest.format[entry];
    file.size = static_cast<uint64_t>(manifest.file_size[entry]);
    file.record_count = static_cast<uint64_t>(manifest.record_count[entry]);
    int64_t sequence = manifest.sequence_number[entry];
    file.sequence_number = sequence == Manifest::kNone ? inherited_sequence : sequence;
    if (first_row_id != Manifest::kNone) file.first_row_id = first_row_id;
    file.spec_id = spec.spec->id;
    put_partition(manifest, entry, spec, &file);
    if (request_.with_partition) file.partition_values = partition_values(manifest, entry, spec);
    if (manifest.sort_order_id[entry] >= 0) file.sort_order_id = manifest.sort_order_id[entry];
    if (!bound_types_.empty()) file.bounds = manifest.bounds(entry, bound_types_);
    file.split_offsets = manifest.split_offsets(entry);
    file.all_match = request_.certain && all_match(manifest, entry, spec);
    file.deletes = deletes_.of(manifest, entry, *spec.spec, file.sequence_number);
    plan_.record_count += file.record_count;
    plan_.byte_count += file.size;
    plan_.files.push_back(std::move(file));
  }

  // One a field of the spec; null for those the file does not have.
  static std::vector<Value> partition_values(const Manifest& manifest, size_t entry,
                                             const SpecPlan& spec) {
    std::vector<Value> values(spec.spec->fields.size());
    for (size_t i = 0; i < values.size(); ++i) {
      for (const Manifest::PartitionColumn& column : manifest.partition) {
        if (column.field_id == spec.spec->fields[i].field_id) values[i] = column.values[entry];
      }
    }
    return values;
  }

  static void put_partition(const Manifest& manifest, size_t entry, const SpecPlan& spec,
                            DataFile* file) {
    for (size_t i = 0; i < spec.spec->fields.size(); ++i) {
      const PartitionField& field = spec.spec->fields[i];
      for (const Manifest::PartitionColumn& column : manifest.partition) {
        if (column.field_id != field.field_id) continue;
        const Value& value = column.values[entry];
        if (field.transform.kind == TransformKind::identity)
          file->constants.push_back({field.source_id, value});
        if (!file->partition.empty()) file->partition += '/';
        file->partition +=
            field.name + "=" + transform_value_text(field.transform, spec.sources[i], value);
      }
    }
  }
};

}  // namespace

bool ManifestCache::find(const std::string& location, Entry* entry) {
  std::lock_guard lock(mutex_);
  auto found = by_location_.find(location);
  if (found == by_location_.end()) return false;
  entries_.splice(entries_.begin(), entries_, found->second);
  *entry = *found->second;
  return true;
}

void ManifestCache::keep(Entry entry) {
  if (entry.bytes > bytes_max_) return;
  std::lock_guard lock(mutex_);
  if (by_location_.contains(entry.location)) return;
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  by_location_[entries_.front().location] = entries_.begin();
  while (bytes_ > bytes_max_) {
    bytes_ -= entries_.back().bytes;
    by_location_.erase(entries_.back().location);
    entries_.pop_back();
  }
}

size_t ManifestCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

namespace {

template <class T>
Result<T> in_file(Result<T> result, const std::string& location) {
  if (!result) result.error().message = location + ": " + result.error().message;
  return result;
}

}  // namespace

Result<std::shared_ptr<const Manifest>> ManifestCache::manifest(const Call& call, FileIo& files,
                                                                const std::string& location) {
  Entry entry;
  if (find(location, &entry) && entry.manifest) return entry.manifest;
  ASSIGN_OR_RETURN(std::string bytes, files.read(call, location));
  ASSIGN_OR_RETURN(Manifest decoded, in_file(decode_manifest(bytes), location));
  entry = {.location = location, .manifest = std::make_shared<const Manifest>(std::move(decoded))};
  entry.bytes = entry.manifest->memory_bytes();
  keep(entry);
  return entry.manifest;
}

Result<std::shared_ptr<const ManifestList>> ManifestCache::list(const Call& call, FileIo& files,
                                                                const std::string& location) {
  Entry entry;
  if (find(location, &entry) && entry.list) return entry.list;
  ASSIGN_OR_RETURN(std::string bytes, files.read(call, location));
  ASSIGN_OR_RETURN(ManifestList decoded, in_file(decode_manifest_list(bytes), location));
  entry = {.location = location, .list = std::make_shared<const ManifestList>(std::move(decoded))};
  entry.bytes = entry.list->memory_bytes();
  keep(entry);
  return entry.list;
}

Result<std::shared_ptr<const ManifestList>> read_manifests(const Call& call, FileIo& files,
                                                           ManifestCache& cache,
                                                           const TableMetadata&,
                                                           const Snapshot& snapshot) {
  if (!snapshot.manifest_list.empty()) return cache.list(call, files, snapshot.manifest_list);
  auto list = std::make_shared<ManifestList>();
  for (const std::string& path : snapshot.manifests) {
    ManifestFile row;
    row.path = path;
    row.spec_id = -1;  // the manifest itself says
    list->manifests.push_back(std::move(row));
  }
  return list;
}

Result<ScanPlan> plan_scan(const Call& call, FileIo& files, ManifestCache& cache,
                           const TableMetadata& metadata, const ScanRequest& request) {
  return Planner(call, files, cache, metadata, request).plan();
}

}  // namespace aichemy::tables::iceberg
