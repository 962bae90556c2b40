// Requirements and updates as the REST specification writes them: one row per action.
#include "tables/iceberg_update.h"

namespace aichemy::tables::iceberg {

namespace {

using RequirementKind = Requirement::Kind;
using UpdateKind = Update::Kind;

struct RequirementRow {
  std::string_view type;
  RequirementKind kind;
  const char* key;  // of the number it asserts
};
constexpr RequirementRow kRequirements[] = {
    {"assert-create", RequirementKind::create, nullptr},
    {"assert-table-uuid", RequirementKind::table_uuid, nullptr},
    {"assert-ref-snapshot-id", RequirementKind::ref_snapshot_id, nullptr},
    {"assert-last-assigned-field-id", RequirementKind::last_assigned_field_id,
     "last-assigned-field-id"},
    {"assert-current-schema-id", RequirementKind::current_schema_id, "current-schema-id"},
    {"assert-last-assigned-partition-id", RequirementKind::last_assigned_partition_id,
     "last-assigned-partition-id"},
    {"assert-default-spec-id", RequirementKind::default_spec_id, "default-spec-id"},
    {"assert-default-sort-order-id", RequirementKind::default_sort_order_id,
     "default-sort-order-id"},
};

std::unexpected<Error> bad_request(const std::string& why) {
  return fail(Code::invalid, "request", why);
}

// What a broken member of a file would be "corrupt" for is the client's mistake in a request.
template <class T>
Result<T> of_request(Result<T> result) {
  if (result || result.error().code != Code::corrupt) return result;
  return bad_request(result.error().message);
}

using Reader = Status (*)(const Json& json, Update* update);

Status read_spec(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* spec, json.object_at("spec"));
  ASSIGN_OR_RETURN(update->spec, spec_from_json(*spec));
  // Ids that the client left out are ours to give.
  const Json::Array& fields = (*spec)["fields"].as_array();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].find("field-id")) update->spec.fields[i].field_id = 0;
  }
  return {};
}

template <const char* Key>
Status read_text(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(update->text, json.string_at(Key));
  return {};
}

template <const char* Key>
Status read_number(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(int64_t number, json.int_at(Key));
  update->number = static_cast<int>(number);
  return {};
}

template <const char* Key>
Status read_numbers(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* items, json.array_at(Key));
  for (const Json& item : items->as_array())
    update->numbers.push_back(static_cast<int>(item.as_int(-1)));
  return {};
}

Status read_schema(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* schema, json.object_at("schema"));
  ASSIGN_OR_RETURN(update->schema, schema_from_json(*schema));
  return {};
}

Status read_sort_order(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* order, json.object_at("sort-order"));
  ASSIGN_OR_RETURN(update->sort_order, sort_order_from_json(*order));
  return {};
}

Status read_snapshot(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* snapshot, json.object_at("snapshot"));
  ASSIGN_OR_RETURN(update->snapshot, snapshot_from_json(*snapshot));
  return {};
}

Status read_ref(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(update->text, json.string_at("ref-name"));
  ASSIGN_OR_RETURN(update->ref, ref_from_json(json));
  return {};
}

Status read_snapshot_ids(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* items, json.array_at("snapshot-ids"));
  for (const Json& item : items->as_array()) update->snapshot_ids.push_back(item.as_int());
  return {};
}

Status read_snapshot_id(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(int64_t id, json.int_at("snapshot-id"));
  update->snapshot_ids.push_back(id);
  return {};
}

Status read_properties(const Json& json, Update* update) {
  // Older clients say "updated" and "removed".
  const Json* items = json.find("updates");
  if (!items) items = json.find("updated");
  if (!items || !items->is_object()) return bad_request("set-properties without \"updates\"");
  for (const auto& [key, value] : items->as_object()) update->properties[key] = value.as_string();
  return {};
}

Status read_removals(const Json& json, Update* update) {
  const Json* items = json.find("removals");
  if (!items) items = json.find("removed");
  if (!items || !items->is_array()) return bad_request("remove-properties without \"removals\"");
  for (const Json& item : items->as_array()) update->removals.emplace_back(item.as_string());
  return {};
}

template <const char* Key>
Status read_json(const Json& json, Update* update) {
  ASSIGN_OR_RETURN(const Json* file, json.object_at(Key));
  update->json = *file;
  return {};
}

constexpr char kUuid[] = "uuid";
constexpr char kFormatVersion[] = "format-version";
constexpr char kSchemaId[] = "schema-id";
constexpr char kSpecId[] = "spec-id";
constexpr char kSortOrderId[] = "sort-order-id";
constexpr char kRefName[] = "ref-name";
constexpr char kLocation[] = "location";
constexpr char kStatistics[] = "statistics";
constexpr char kPartitionStatistics[] = "partition-statistics";
constexpr char kSpecIds[] = "spec-ids";
constexpr char kSchemaIds[] = "schema-ids";

struct UpdateRow {
  std::string_view action;
  UpdateKind kind;
  Reader read;
};
constexpr UpdateRow kUpdates[] = {
    {"assign-uuid", UpdateKind::assign_uuid, read_text<kUuid>},
    {"upgrade-format-version", UpdateKind::upgrade_format_version, read_number<kFormatVersion>},
    {"add-schema", UpdateKind::add_schema, read_schema},
    {"set-current-schema", UpdateKind::set_current_schema, read_number<kSchemaId>},
    {"add-spec", UpdateKind::add_spec, read_spec},
    {"set-default-spec", UpdateKind::set_default_spec, read_number<kSpecId>},
    {"add-sort-order", UpdateKind::add_sort_order, read_sort_order},
    {"set-default-sort-order", UpdateKind::set_default_sort_order, read_number<kSortOrderId>},
    {"add-snapshot", UpdateKind::add_snapshot, read_snapshot},
    {"set-snapshot-ref", UpdateKind::set_snapshot_ref, read_ref},
    {"remove-snapshot-ref", UpdateKind::remove_snapshot_ref, read_text<kRefName>},
    {"remove-snapshots", UpdateKind::remove_snapshots, read_snapshot_ids},
    {"set-location", UpdateKind::set_location, read_text<kLocation>},
    {"set-properties", UpdateKind::set_properties, read_properties},
    {"remove-properties", UpdateKind::remove_properties, read_removals},
    {"set-statistics", UpdateKind::set_statistics, read_json<kStatistics>},
    {"remove-statistics", UpdateKind::remove_statistics, read_snapshot_id},
    {"set-partition-statistics", UpdateKind::set_partition_statistics,
     read_json<kPartitionStatistics>},
    {"remove-partition-statistics", UpdateKind::remove_partition_statistics, read_snapshot_id},
    {"remove-partition-specs", UpdateKind::remove_specs, read_numbers<kSpecIds>},
    {"remove-schemas", UpdateKind::remove_schemas, read_numbers<kSchemaIds>},
};

Result<Requirement> read_requirement(const RequirementRow& row, const Json& json) {
  Requirement requirement{.kind = row.kind};
  if (row.kind == RequirementKind::table_uuid) {
    ASSIGN_OR_RETURN(requirement.text, json.string_at("uuid"));
  }
  if (row.kind == RequirementKind::ref_snapshot_id) {
    ASSIGN_OR_RETURN(requirement.text, json.string_at("ref"));
    const Json& id = json["snapshot-id"];
    if (id.is_integer()) requirement.snapshot_id = id.as_int();
  }
  if (row.key) {
    ASSIGN_OR_RETURN(int64_t number, json.int_at(row.key));
    requirement.number = static_cast<int>(number);
  }
  return requirement;
}

}  // namespace

Result<Requirement> requirement_from_json(const Json& json) {
  std::string_view type = json["type"].as_string();
  for (const RequirementRow& row : kRequirements) {
    if (row.type == type) return of_request(read_requirement(row, json));
  }
  return bad_request("Cannot parse update requirement. Unknown type: " + std::string(type));
}

Result<Update> update_from_json(const Json& json) {
  std::string_view action = json["action"].as_string();
  for (const UpdateRow& row : kUpdates) {
    if (row.action != action) continue;
    Update update;
    update.kind = row.kind;
    Status done = row.read(json, &update);
    if (done) return update;
    if (done.error().code != Code::corrupt) return std::unexpected(done.error());
    return bad_request(std::string(action) + ": " + done.error().message);
  }
  return bad_request("Cannot parse metadata update. Unknown action: " + std::string(action));
}

}  // namespace aichemy::tables::iceberg
