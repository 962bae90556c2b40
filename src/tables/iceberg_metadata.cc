#include "tables/iceberg_metadata.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace aichemy::tables::iceberg {

namespace {

template <class T, class Id>
const T* find_by_id(const std::vector<T>& items, Id id) {
  for (const T& item : items) {
    if (item.id == id) return &item;
  }
  return nullptr;
}

// Fills ids that the caller left at 0, checks sources and transforms.
Result<PartitionSpec> bind_spec(const PartitionSpec& given, const Schema& before,
                                const Schema& after, int* last_partition_id) {
  PartitionSpec spec;
  for (PartitionField field : given.fields) {
    const Field* source = before.find(field.source_id);
    const Field* fresh = source ? after.find(before.path_of(field.source_id)) : nullptr;
    if (!fresh) {
      return fail(Code::invalid, "partition_spec",
                  "partition field " + field.name + ": no column has the id " +
                      std::to_string(field.source_id));
    }
    auto type = transform_result_type(field.transform, fresh->type);
    if (!type || field.transform.kind == TransformKind::unknown) {
      return fail(Code::invalid, "partition_spec",
                  "partition field " + field.name + ": " +
                      (type ? "transform " + field.transform.name + " is not known"
                            : type.error().message));
    }
    for (const PartitionField& other : spec.fields) {
      if (other.name == field.name) {
        return fail(Code::invalid, "partition_spec",
                    "two partition fields are named " + field.name);
      }
    }
    field.source_id = fresh->id;
    field.field_id = ++*last_partition_id;
    spec.fields.push_back(std::move(field));
  }
  return spec;
}

Result<SortOrder> bind_sort_order(const SortOrder& given, const Schema& before,
                                  const Schema& after) {
  SortOrder order;
  order.id = given.fields.empty() ? 0 : 1;
  for (SortField field : given.fields) {
    const Field* source = before.find(field.source_id);
    const Field* fresh = source ? after.find(before.path_of(field.source_id)) : nullptr;
    if (!fresh) {
      return fail(Code::invalid, "sort_order",
                  "sort order: no column has the id " + std::to_string(field.source_id));
    }
    if (auto type = transform_result_type(field.transform, fresh->type); !type) {
      return fail(Code::invalid, "sort_order", "sort order: " + type.error().message);
    }
    field.source_id = fresh->id;
    order.fields.push_back(std::move(field));
  }
  return order;
}

Status check_names(const std::vector<Field>& fields) {
  std::vector<std::string_view> names;
  for (const Field& field : fields) {
    if (field.name.empty()) return fail(Code::invalid, "schema", "a column has no name");
    names.push_back(field.name);
    RETURN_IF_ERROR(check_names(field.type.fields));
  }
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return fail(Code::invalid, "schema", "two columns are named " + std::string(*twice));
  }
  return {};
}

// Types that format version 2 does not have.
Status check_types(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    switch (field.type.kind) {
      case TypeKind::timestamp_ns:
      case TypeKind::timestamptz_ns:
      case TypeKind::unknown:
      case TypeKind::variant:
        return fail(
            Code::unsupported, "type",
            "column " + field.name + ": type " + type_text(field.type) + " needs format version 3");
      default: break;
    }
    RETURN_IF_ERROR(check_types(field.type.fields));
  }
  return {};
}

}  // namespace

bool PartitionSpec::is_unpartitioned() const {
  return std::all_of(fields.begin(), fields.end(), [](const PartitionField& field) {
    return field.transform.kind == TransformKind::void_;
  });
}

std::string_view Snapshot::summary_value(std::string_view key) const {
  auto found = summary.find(std::string(key));
  return found == summary.end() ? std::string_view() : std::string_view(found->second);
}

const Schema* TableMetadata::schema(int id) const { return find_by_id(schemas, id); }
const PartitionSpec* TableMetadata::spec(int id) const { return find_by_id(specs, id); }
const SortOrder* TableMetadata::sort_order(int id) const { return find_by_id(sort_orders, id); }
const Snapshot* TableMetadata::snapshot(int64_t id) const { return find_by_id(snapshots, id); }

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? snapshot(*current_snapshot_id) : nullptr;
}

const Snapshot* TableMetadata::snapshot_of_ref(std::string_view ref) const {
  if (ref.empty() || ref == "main") return current_snapshot();
  auto found = refs.find(std::string(ref));
  return found == refs.end() ? nullptr : snapshot(found->second.snapshot_id);
}

std::string_view TableMetadata::property(std::string_view key, std::string_view fallback) const {
  auto found = properties.find(std::string(key));
  return found == properties.end() ? fallback : std::string_view(found->second);
}

int64_t TableMetadata::int_property(std::string_view key, int64_t fallback) const {
  std::string_view text = property(key);
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? value
                                                                                   : fallback;
}

const Snapshot* TableMetadata::find_by_summary(std::string_view key, std::string_view value,
                                               std::string_view ref) const {
  // Snapshots are listed in the order they were made, so one pass backwards meets the ancestry; it
  // also ends when a broken file holds a cycle of parents.
  const Snapshot* at = snapshot_of_ref(ref);
  std::optional<int64_t> wanted = at ? std::optional(at->id) : std::nullopt;
  for (auto candidate = snapshots.rbegin(); candidate != snapshots.rend(); ++candidate) {
    if (candidate->id != wanted) continue;
    at = &*candidate;
    if (at->summary_value(key) == value) return at;
    wanted = at->parent_id;
  }
  if (!at || !wanted || snapshot(*wanted)) return nullptr;
  // The ancestry was cut by expiry: what is older than the cut belongs to it.
  for (const Snapshot& candidate : snapshots) {
    bool older = candidate.sequence_number < at->sequence_number;
    if (older && candidate.summary_value(key) == value) return &candidate;
  }
  return nullptr;
}

Result<const Snapshot*> choose_snapshot(const TableMetadata& metadata, const ScanRequest& request) {
  if (request.snapshot_id) {
    const Snapshot* found = metadata.snapshot(*request.snapshot_id);
    if (found) return found;
    return fail(Code::not_found, "no_such_snapshot",
                "the table has no snapshot " + std::to_string(*request.snapshot_id));
  }
  if (request.as_of_millis) {
    // The log, not the parents: it knows what was current when, rollbacks included.
    const SnapshotLogEntry* last = nullptr;
    for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
      if (entry.timestamp_millis <= *request.as_of_millis) last = &entry;
    }
    const Snapshot* found = last ? metadata.snapshot(last->snapshot_id) : nullptr;
    if (found) return found;
    return fail(Code::not_found, "no_such_snapshot",
                "the table has no snapshot as old as the given time");
  }
  if (!request.ref.empty() && request.ref != "main") {
    const Snapshot* found = metadata.snapshot_of_ref(request.ref);
    if (found) return found;
    return fail(Code::not_found, "no_such_ref",
                "the table has no branch or tag \"" + request.ref + "\"");
  }
  return metadata.current_snapshot();
}

Result<TableMetadata> new_table_metadata(const NewTable& table) {
  TableMetadata metadata;
  metadata.properties = table.properties;
  if (auto version = metadata.properties.extract("format-version"); !version.empty()) {
    if (version.mapped() != "1" && version.mapped() != "2" && version.mapped() != "3") {
      return fail(Code::unsupported, "format_version",
                  "format version " + version.mapped() + " is not offered: use 1, 2 or 3");
    }
    metadata.format_version = version.mapped()[0] - '0';
  }
  RETURN_IF_ERROR(check_names(table.schema.fields));
  if (metadata.format_version < 3) RETURN_IF_ERROR(check_types(table.schema.fields));
  metadata.uuid = table.uuid;
  metadata.location = table.location;
  while (metadata.location.ends_with('/')) metadata.location.pop_back();
  metadata.last_updated_millis = table.now_millis;
  Schema schema = with_fresh_ids(table.schema, &metadata.last_column_id);
  schema.id = 0;
  ASSIGN_OR_RETURN(PartitionSpec spec,
                   bind_spec(table.spec, table.schema, schema, &metadata.last_partition_id));
  ASSIGN_OR_RETURN(SortOrder order, bind_sort_order(table.sort_order, table.schema, schema));
  metadata.schemas.push_back(std::move(schema));
  metadata.specs.push_back(std::move(spec));
  metadata.default_sort_order_id = order.id;
  metadata.sort_orders.push_back(std::move(order));
  return metadata;
}

std::string metadata_location(const TableMetadata& metadata, std::string_view previous,
                              std::string_view uuid) {
  // The number leads the file name; names we cannot read count as -1.
  std::string_view name = previous.substr(previous.rfind('/') + 1);
  int64_t number = -1;
  if (auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      error != std::errc() || end == name.data() + name.size() || *end != '-') {
    number = -1;
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%05lld-", static_cast<long long>(number + 1));
  std::string folder(metadata.property("write.metadata.path", metadata.location + "/metadata"));
  while (folder.ends_with('/')) folder.pop_back();
  return folder + "/" + text + std::string(uuid) + ".metadata.json";
}

}  // namespace aichemy::tables::iceberg
