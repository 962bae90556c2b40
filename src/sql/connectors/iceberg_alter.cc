// ALTER and COMMENT on Iceberg tables, views and schemas: each a commit of its own that is made
// anew when another writer was first. Columns keep their field ids, so old files stay readable.
#include <algorithm>
#include <cctype>
#include <functional>

#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"
#include "sql/connectors/table_change.h"

namespace aichemy::sql {

namespace {

using tables::iceberg::Requirement;
using tables::iceberg::TableMetadata;
using tables::iceberg::Update;
using Updates = std::vector<Update>;
using Kind = TableChange::Kind;

constexpr int kAttempts = 20;
constexpr const char* kSchemaOwner = "hive.metastore.database.owner";
constexpr const char* kSchemaOwnerType = "hive.metastore.database.owner-type";
constexpr const char* kViewOwner = "trino.run-as-owner";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::unexpected<Error> commit_error(const std::string& message) {
  return fail(Code::invalid, "ICEBERG_COMMIT_ERROR", message);
}

std::string joined(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

// The fields that hold the last part of the path, and its place among them; the end when it is new.
struct Place {
  std::vector<tables::Field>* fields = nullptr;
  size_t index = 0;
  bool found() const { return fields && index < fields->size(); }
  tables::Field& field() const { return (*fields)[index]; }
};

Place find_place(tables::Schema* schema, const std::vector<std::string>& path) {
  Place place{&schema->fields, 0};
  for (size_t i = 0; i < path.size(); ++i) {
    if (i > 0) {
      if (!place.found()) return {};
      tables::Type* type = &place.field().type;
      if (type->kind == tables::TypeKind::list && path[i] != "element")
        type = &type->fields[0].type;
      if (!type->is_nested()) return {};
      place.fields = &type->fields;
    }
    auto at = std::find_if(place.fields->begin(), place.fields->end(),
                           [&](const auto& field) { return lower(field.name) == path[i]; });
    place.index = static_cast<size_t>(at - place.fields->begin());
  }
  return place;
}

std::unexpected<Error> no_column(const std::vector<std::string>& path) {
  return fail(Code::not_found, "COLUMN_NOT_FOUND",
              "Column '" + joined(path) + "' does not exist any more");
}

// Ids of what is new; what is kept has its own.
void give_ids(tables::Type* type, int* last_id) {
  for (tables::Field& field : type->fields) field.id = ++*last_id;
  for (tables::Field& field : type->fields) give_ids(&field.type, last_id);
}

// A type changed to another, field ids kept where a field stays: the widenings that need no file to
// be written anew, and rows that gain, lose or reorder fields by name.
Result<tables::Type> changed_type(const std::string& path, const tables::Type& from,
                                  const tables::Type& to, int* last_id) {
  if (!from.is_nested() && !to.is_nested()) {
    if (tables::can_promote(from, to)) return to;
    return commit_error("Failed to set column type: Cannot change column type: " + path + ": " +
                        tables::type_text(from) + " -> " + tables::type_text(to));
  }
  if (from.kind != to.kind) {
    return commit_error("Failed to set column type: Cannot change type from " +
                        tables::type_text(from) + " to " + tables::type_text(to));
  }
  tables::Type made = from;
  if (from.kind != tables::TypeKind::struct_) {
    for (size_t i = 0; i < from.fields.size(); ++i) {
      const tables::Field& part = from.fields[i];
      ASSIGN_OR_RETURN(made.fields[i].type,
                       changed_type(path + "." + part.name, part.type, to.fields[i].type, last_id));
      bool key = part.name == "key" && from.kind == tables::TypeKind::map;
      if (key && !(made.fields[i].type == part.type))
        return commit_error("Failed to set column type: Cannot update map keys: " + path);
    }
    return made;
  }
  made.fields.clear();
  for (const tables::Field& wanted : to.fields) {
    auto known = std::find_if(from.fields.begin(), from.fields.end(), [&](const auto& field) {
      return lower(field.name) == lower(wanted.name);
    });
    if (known == from.fields.end()) {
      tables::Field added = wanted;
      added.id = ++*last_id;
      give_ids(&added.type, last_id);
      made.fields.push_back(std::move(added));
      continue;
    }
    tables::Field kept = *known;
    ASSIGN_OR_RETURN(kept.type,
                     changed_type(path + "." + kept.name, known->type, wanted.type, last_id));
    made.fields.push_back(std::move(kept));
  }
  return made;
}

Status add_column(const TableMetadata& metadata, const TableChange& change,
                  tables::Schema* schema) {
  if (!change.column.nullable)
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "This connector does not support adding not null columns");
  Place place = find_place(schema, change.path);
  if (!place.fields) return no_column(change.path);
  if (place.found())
    return fail(Code::exists, "COLUMN_ALREADY_EXISTS",
                "Column '" + joined(change.path) + "' already exists");
  tables::Field field;
  int last_id = metadata.last_column_id;
  field.id = ++last_id;
  field.name = change.column.name;
  field.doc = change.column.comment;
  int ids = last_id;
  ASSIGN_OR_RETURN(field.type, iceberg_type(change.column.type, &ids));
  give_ids(&field.type, &last_id);
  if (change.text) {
    ASSIGN_OR_RETURN(Json value, default_json(*change.text, field.type, metadata.format_version));
    field.initial_default = value;
    field.write_default = std::move(value);
  }
  size_t at = place.fields->size();
  if (change.first) at = 0;
  if (change.after) {
    auto before = std::find_if(place.fields->begin(), place.fields->end(), [&](const auto& known) {
      return lower(known.name) == *change.after;
    });
    if (before == place.fields->end()) return no_column({*change.after});
    at = static_cast<size_t>(before - place.fields->begin()) + 1;
  }
  place.fields->insert(place.fields->begin() + static_cast<std::ptrdiff_t>(at), std::move(field));
  return {};
}

Status drop_column(const TableMetadata& metadata, const TableChange& change,
                   tables::Schema* schema) {
  Place place = find_place(schema, change.path);
  if (!place.found()) return no_column(change.path);
  std::string name = joined(change.path);
  bool part = change.path.size() > 1 && place.fields->size() == 1;  // of an array or row: it stays
  if (part) return commit_error("Failed to drop column: Cannot delete the only field " + name);
  int id = place.field().id;
  for (const auto& spec : metadata.specs) {
    bool used = std::any_of(spec.fields.begin(), spec.fields.end(),
                            [&](const auto& field) { return field.source_id == id; });
    if (!used) continue;
    bool current = spec.id == metadata.default_spec_id;
    return fail(Code::unsupported, "NOT_SUPPORTED",
                current ? "Cannot drop partition field: " + name
                        : "Cannot drop column which is used by an old partition spec: " + name);
  }
  for (const auto& field : metadata.default_sort_order().fields) {
    if (field.source_id == id)
      return commit_error("Failed to drop column: Cannot find source column for sort field: " +
                          name);
  }
  auto& identifiers = schema->identifier_field_ids;
  if (std::find(identifiers.begin(), identifiers.end(), id) != identifiers.end())
    return commit_error("Failed to drop column: Cannot delete identifier field " + name);
  place.fields->erase(place.fields->begin() + static_cast<std::ptrdiff_t>(place.index));
  return {};
}

Status change_column(const TableMetadata& metadata, const TableChange& change,
                     tables::Schema* schema) {
  Place place = find_place(schema, change.path);
  if (!place.found()) return no_column(change.path);
  tables::Field& field = place.field();
  switch (change.kind) {
    case Kind::rename_column: field.name = *change.text; return {};
    case Kind::set_type: {
      int last_id = metadata.last_column_id, ids = 0;
      ASSIGN_OR_RETURN(tables::Type wanted, iceberg_type(change.column.type, &ids));
      ASSIGN_OR_RETURN(field.type, changed_type(joined(change.path), field.type, wanted, &last_id));
      return {};
    }
    case Kind::set_default: {
      field.write_default.reset();
      if (!change.text) return {};
      ASSIGN_OR_RETURN(field.write_default,
                       default_json(*change.text, field.type, metadata.format_version));
      return {};
    }
    case Kind::drop_not_null: field.required = false; return {};
    default: field.doc = change.text.value_or(""); return {};
  }
}

Result<Updates> schema_updates(const TableMetadata& metadata, const TableChange& change) {
  tables::Schema schema = metadata.current_schema();
  Status done = change.kind == Kind::add_column    ? add_column(metadata, change, &schema)
                : change.kind == Kind::drop_column ? drop_column(metadata, change, &schema)
                                                   : change_column(metadata, change, &schema);
  if (!done) return std::unexpected(done.error());
  Updates updates(2);
  updates[0].kind = Update::Kind::add_schema;
  updates[0].schema = std::move(schema);
  updates[1].kind = Update::Kind::set_current_schema;
  updates[1].number = -1;
  return updates;
}

Update removal(std::vector<std::string> keys) {
  Update update;
  update.kind = Update::Kind::remove_properties;
  update.removals = std::move(keys);
  return update;
}

Result<Updates> property_updates(const TableMetadata& metadata, const TableChange& change) {
  if (change.kind == Kind::set_properties) {
    return changed_properties(metadata, change.properties, change.reset);
  }
  bool owner = change.kind == Kind::set_owner;
  if (!change.text) return Updates{removal({"comment"})};
  tables::iceberg::Properties set{{owner ? "owner" : "comment", *change.text}};
  if (owner) set["owner-type"] = change.role ? "ROLE" : "USER";
  return Updates{Update::set(std::move(set))};
}

// What a commit of ours is built on; others may append meanwhile.
std::vector<Requirement> requirements_of(const TableMetadata& metadata) {
  using K = Requirement::Kind;
  return {Requirement::uuid(metadata.uuid),
          Requirement::of(K::current_schema_id, metadata.current_schema_id),
          Requirement::of(K::last_assigned_field_id, metadata.last_column_id),
          Requirement::of(K::default_spec_id, metadata.default_spec_id),
          Requirement::of(K::last_assigned_partition_id, metadata.last_partition_id),
          Requirement::of(K::default_sort_order_id, metadata.default_sort_order_id)};
}

const char* failed_what(Kind kind) {
  switch (kind) {
    case Kind::add_column: return "Failed to add column: ";
    case Kind::drop_column: return "Failed to drop column: ";
    case Kind::rename_column: return "Failed to rename column: ";
    case Kind::set_type: return "Failed to set column type: ";
    case Kind::set_properties: return "Failed to set new property values: ";
    default: return "Failed to change the table: ";
  }
}

}  // namespace

Status IcebergConnector::change_table(const Call& call, const TableName& name,
                                      const TableChange& change) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  bool properties = change.kind == Kind::set_properties || change.kind == Kind::set_owner ||
                    change.kind == Kind::comment;
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(auto table, in_our_words(catalog_.load_table(call, stored)));
    const TableMetadata& metadata = *table.metadata;
    ASSIGN_OR_RETURN(Updates updates, properties ? property_updates(metadata, change)
                                                 : schema_updates(metadata, change));
    if (updates.empty()) return {};
    auto done = catalog_.commit(call, {stored, requirements_of(metadata), std::move(updates)});
    if (done) return {};
    const Error& error = done.error();
    if (error.code == Code::conflict && attempt < kAttempts) continue;
    if (error.is("update") || error.code == Code::conflict)
      return commit_error(failed_what(change.kind) + error.message);
    return std::unexpected(in_our_words(error));
  }
}

Status IcebergConnector::rename_table(const Call& call, const TableName& from,
                                      const TableName& to) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, from, false));
  ASSIGN_OR_RETURN(auto space, find_schema(call, to.schema));
  auto done = catalog_.rename_table(call, stored, {space, to.table});
  if (!done) return std::unexpected(in_our_words(done.error()));
  return {};
}

Status IcebergConnector::rename_view(const Call& call, const TableName& from, const TableName& to) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, from, true));
  ASSIGN_OR_RETURN(auto space, find_schema(call, to.schema));
  auto done = catalog_.rename_view(call, stored, {space, to.table});
  if (!done) return std::unexpected(in_our_words(done.error()));
  return {};
}

Status IcebergConnector::rename_schema(const Call& call, const std::string& from,
                                       const std::string& to) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, from));
  catalog::NamespaceName renamed = space;
  renamed.back() = to;
  auto done = catalog_.rename_namespace(call, space, renamed);
  if (!done) return std::unexpected(in_our_words(done.error()));
  return {};
}

Status IcebergConnector::set_schema_owner(const Call& call, const std::string& schema,
                                          const std::string& owner, bool role) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  catalog::Properties set{{kSchemaOwner, owner}, {kSchemaOwnerType, role ? "ROLE" : "USER"}};
  auto done = catalog_.update_namespace(call, space, set, {});
  if (!done) return std::unexpected(in_our_words(done.error()));
  return {};
}

Result<std::string> IcebergConnector::schema_owner(const Call& call, const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  auto properties = catalog_.load_namespace(call, space);
  if (!properties) return std::unexpected(in_our_words(properties.error()));
  auto found = properties->find(kSchemaOwner);
  return found == properties->end() ? std::string() : found->second;
}

Status IcebergConnector::change_view(const Call& call, const TableName& name,
                                     const TableChange& change) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, true));
  ASSIGN_OR_RETURN(auto view, in_our_words(catalog_.load_view(call, stored)));
  std::vector<catalog::ViewUpdate> updates;
  auto set = [&](const char* key, const std::optional<std::string>& value) {
    catalog::ViewUpdate update;
    update.kind = value ? catalog::ViewUpdate::Kind::set_properties
                        : catalog::ViewUpdate::Kind::remove_properties;
    if (value)
      update.properties[key] = *value;
    else
      update.removals.emplace_back(key);
    updates.push_back(std::move(update));
  };
  if (change.kind == Kind::column_comment) {
    updates.resize(3);
    updates[0].kind = catalog::ViewUpdate::Kind::add_schema;
    updates[0].schema = view.metadata->current_schema();
    Place place = find_place(&updates[0].schema, change.path);
    if (!place.found()) return no_column(change.path);
    place.field().doc = change.text.value_or("");
    updates[1].kind = catalog::ViewUpdate::Kind::add_version;
    updates[1].version = view.metadata->current_version();
    updates[1].version.schema_id = -1;
    updates[1].version.timestamp_millis = 0;
    updates[2].kind = catalog::ViewUpdate::Kind::set_current_version;
    updates[2].number = -1;
  } else {
    set(change.kind == Kind::set_owner ? kViewOwner : "comment", change.text);
  }
  auto done = catalog_.commit_view(call, stored, {{view.metadata->uuid}}, updates);
  if (!done) return std::unexpected(in_our_words(done.error()));
  return {};
}

Result<std::vector<BranchInfo>> IcebergConnector::list_branches(const Call& call,
                                                                const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  ASSIGN_OR_RETURN(auto table, in_our_words(catalog_.load_table(call, stored)));
  std::vector<BranchInfo> branches;
  for (const auto& [ref, at] : table.metadata->refs) {
    if (at.is_branch) branches.push_back({ref, at.snapshot_id});
  }
  return branches;
}

Status IcebergConnector::change_branch(const Call& call, const TableName& name,
                                       const BranchChange& change) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  ASSIGN_OR_RETURN(auto table, in_our_words(catalog_.load_table(call, stored)));
  const TableMetadata& metadata = *table.metadata;
  auto finish = [](const auto& done) -> Status {
    if (done) return {};
    if (done.error().is("ref_exists"))
      return fail(Code::exists, "BRANCH_ALREADY_EXISTS", done.error().message);
    return std::unexpected(in_our_words(done.error()));
  };
  if (change.kind == BranchChange::Kind::drop)
    return finish(catalog_.remove_ref(call, stored, change.name));
  const auto* from = metadata.snapshot_of_ref(change.source);
  if (!from && change.kind == BranchChange::Kind::create) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Cannot create a branch of a table that has no snapshot yet");
  }
  tables::iceberg::SnapshotRef ref;
  if (auto known = metadata.refs.find(change.name); known != metadata.refs.end())
    ref = known->second;
  if (change.kind == BranchChange::Kind::create) {
    ref.snapshot_id = from->id;
    ref.is_branch = true;
    return finish(catalog_.set_ref(call, stored, change.name, ref, change.replace));
  }
  // The branch moves along to where the target is, which must come after it.
  const auto* at = from;
  size_t steps = 0;
  while (at && at->id != ref.snapshot_id && steps++ <= metadata.snapshots.size())
    at = at->parent_id ? metadata.snapshot(*at->parent_id) : nullptr;
  if (!at || at->id != ref.snapshot_id) {
    return fail(Code::invalid, "GENERIC_USER_ERROR",
                "Branch '" + change.name + "' is not an ancestor of '" + change.source + "'");
  }
  Update update = Update::set_ref(change.name, from->id);
  update.ref = ref;
  update.ref.snapshot_id = from->id;
  return finish(catalog_.commit(
      call, {stored,
             {Requirement::uuid(metadata.uuid), Requirement::ref(change.name, ref.snapshot_id)},
             {std::move(update)}}));
}

}  // namespace aichemy::sql
