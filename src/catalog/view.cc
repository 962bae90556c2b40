#include "catalog/view.h"

#include <algorithm>
#include <set>

namespace aichemy::catalog {

namespace {

using Kind = ViewUpdate::Kind;

constexpr size_t kVersionsMax = 10;  // version.history.num-entries

std::unexpected<Error> refused(const std::string& why) {
  return fail(Code::invalid, "update", why);
}

std::map<std::string, std::string> texts_from_json(const Json& json) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : json.as_object()) texts[key] = value.as_string();
  return texts;
}

Json texts_to_json(const std::map<std::string, std::string>& texts) {
  Json json = Json::object();
  for (const auto& [key, value] : texts) json.set(key, value);
  return json;
}

bool same_version(const ViewVersion& a, const ViewVersion& b) {
  auto same = [](const ViewRepresentation& x, const ViewRepresentation& y) {
    return x.sql == y.sql && x.dialect == y.dialect;
  };
  return a.schema_id == b.schema_id && a.summary == b.summary &&
         a.default_catalog == b.default_catalog && a.default_namespace == b.default_namespace &&
         std::equal(a.representations.begin(), a.representations.end(), b.representations.begin(),
                    b.representations.end(), same);
}

class Applier {
 public:
  Applier(ViewMetadata view, int64_t now) : m(std::move(view)), now_(now) {}

  ViewMetadata m;

  Status apply(const ViewUpdate& update) {
    switch (update.kind) {
      case Kind::assign_uuid:
        if (!m.uuid.empty() && m.uuid != update.text)
          return refused("the view's UUID cannot be changed");
        m.uuid = update.text;
        return {};
      case Kind::upgrade_format_version:
        if (update.number != 1) {
          return fail(Code::unsupported, "format_version",
                      "view format version " + std::to_string(update.number) + " is not supported");
        }
        return {};
      case Kind::add_schema: add_schema(update.schema); return {};
      case Kind::set_location: m.location = update.text; return {};
      case Kind::set_properties:
        for (const auto& [key, value] : update.properties) m.properties[key] = value;
        return {};
      case Kind::remove_properties:
        for (const std::string& key : update.removals) m.properties.erase(key);
        return {};
      case Kind::add_version: return add_version(update.version);
      case Kind::set_current_version: return set_current(update.number);
    }
    return {};
  }

 private:
  int64_t now_;
  int last_schema_ = -1;
  int last_version_ = -1;

  void add_schema(tables::Schema schema) {
    int highest = -1;
    for (const tables::Schema& known : m.schemas) {
      highest = std::max(highest, known.id);
      if (known.same_fields(schema)) {
        last_schema_ = known.id;
        return;
      }
    }
    schema.id = highest + 1;
    last_schema_ = schema.id;
    m.schemas.push_back(std::move(schema));
  }

  Status add_version(ViewVersion version) {
    if (version.schema_id == -1) version.schema_id = last_schema_;
    RETURN_IF_ERROR(check_dialects(version));
    if (!m.schema(version.schema_id)) {
      return refused("view version: there is no schema " + std::to_string(version.schema_id));
    }
    int highest = 0;
    for (const ViewVersion& known : m.versions) {
      highest = std::max(highest, known.id);
      if (same_version(known, version)) {
        last_version_ = known.id;
        return {};
      }
    }
    version.id = highest + 1;
    last_version_ = version.id;
    m.versions.push_back(std::move(version));
    return {};
  }

  Status set_current(int id) {
    if (id == -1) id = last_version_;
    const ViewVersion* version = m.version(id);
    if (!version) return refused("there is no view version " + std::to_string(id));
    if (m.current_version_id != id || m.log.empty()) m.log.push_back({now_, id});
    m.current_version_id = id;
    // The oldest versions go; the current one stays whatever its age.
    while (m.versions.size() > kVersionsMax) {
      auto oldest = std::find_if(m.versions.begin(), m.versions.end(),
                                 [&](const ViewVersion& candidate) { return candidate.id != id; });
      m.versions.erase(oldest);
    }
    std::erase_if(
        m.log, [&](const ViewLogEntry& entry) { return m.version(entry.version_id) == nullptr; });
    return {};
  }
};

}  // namespace

const ViewVersion* ViewMetadata::version(int id) const {
  for (const ViewVersion& candidate : versions) {
    if (candidate.id == id) return &candidate;
  }
  return nullptr;
}

const tables::Schema* ViewMetadata::schema(int id) const {
  for (const tables::Schema& candidate : schemas) {
    if (candidate.id == id) return &candidate;
  }
  return nullptr;
}

std::string ViewMetadata::sql(std::string_view dialect) const {
  for (const ViewRepresentation& representation : current_version().representations) {
    if (representation.dialect == dialect) return representation.sql;
  }
  return {};
}

Status check_dialects(const ViewVersion& version) {
  std::set<std::string> known;
  for (const ViewRepresentation& representation : version.representations) {
    std::string dialect = representation.dialect;
    for (char& c : dialect) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!known.insert(dialect).second) {
      return refused("Invalid view version: Cannot add multiple queries for dialect " + dialect);
    }
  }
  return {};
}

Result<ViewVersion> view_version_from_json(const Json& json) {
  ViewVersion version;
  ASSIGN_OR_RETURN(int64_t id, json.int_at("version-id"));
  version.id = static_cast<int>(id);
  ASSIGN_OR_RETURN(int64_t schema_id, json.int_at("schema-id"));
  version.schema_id = static_cast<int>(schema_id);
  ASSIGN_OR_RETURN(version.timestamp_millis, json.int_at("timestamp-ms"));
  version.summary = texts_from_json(json["summary"]);
  ASSIGN_OR_RETURN(const Json* representations, json.array_at("representations"));
  for (const Json& item : representations->as_array()) {
    if (item["type"].as_string() != "sql") continue;
    ViewRepresentation representation;
    ASSIGN_OR_RETURN(representation.sql, item.string_at("sql"));
    ASSIGN_OR_RETURN(representation.dialect, item.string_at("dialect"));
    version.representations.push_back(std::move(representation));
  }
  version.default_catalog = json["default-catalog"].as_string();
  for (const Json& level : json["default-namespace"].as_array()) {
    version.default_namespace.emplace_back(level.as_string());
  }
  return version;
}

Json view_version_to_json(const ViewVersion& version) {
  Json representations = Json::array();
  for (const ViewRepresentation& representation : version.representations) {
    Json item = Json::object();
    item.set("type", "sql");
    item.set("sql", representation.sql);
    item.set("dialect", representation.dialect);
    representations.push(std::move(item));
  }
  Json space = Json::array();
  for (const std::string& level : version.default_namespace) space.push(level);
  Json json = Json::object();
  json.set("version-id", version.id);
  json.set("schema-id", version.schema_id);
  json.set("timestamp-ms", version.timestamp_millis);
  json.set("summary", texts_to_json(version.summary));
  json.set("representations", std::move(representations));
  if (!version.default_catalog.empty()) json.set("default-catalog", version.default_catalog);
  json.set("default-namespace", std::move(space));
  return json;
}

Result<ViewMetadata> view_from_json(const Json& json) {
  auto broken = [](const std::string& why) { return fail(Code::corrupt, "view_metadata", why); };
  ASSIGN_OR_RETURN(int64_t format, json.int_at("format-version"));
  if (format != 1) {
    return fail(Code::unsupported, "format_version",
                "view format version " + std::to_string(format) + " is not supported");
  }
  ViewMetadata view;
  ASSIGN_OR_RETURN(view.uuid, json.string_at("view-uuid"));
  ASSIGN_OR_RETURN(view.location, json.string_at("location"));
  ASSIGN_OR_RETURN(int64_t current, json.int_at("current-version-id"));
  view.current_version_id = static_cast<int>(current);
  for (const Json& item : json["schemas"].as_array()) {
    ASSIGN_OR_RETURN(tables::Schema schema, tables::schema_from_json(item));
    view.schemas.push_back(std::move(schema));
  }
  for (const Json& item : json["versions"].as_array()) {
    ASSIGN_OR_RETURN(ViewVersion version, view_version_from_json(item));
    if (!view.schema(version.schema_id))
      return broken("a view version names a schema that is missing");
    view.versions.push_back(std::move(version));
  }
  if (!view.version(view.current_version_id))
    return broken("the view's current version is missing");
  for (const Json& item : json["version-log"].as_array()) {
    view.log.push_back(
        {item["timestamp-ms"].as_int(), static_cast<int>(item["version-id"].as_int())});
  }
  view.properties = texts_from_json(json["properties"]);
  return view;
}

Json view_to_json(const ViewMetadata& view) {
  Json json = Json::object();
  json.set("view-uuid", view.uuid);
  json.set("format-version", 1);
  json.set("location", view.location);
  Json schemas = Json::array();
  for (const tables::Schema& schema : view.schemas) schemas.push(tables::schema_to_json(schema));
  json.set("schemas", std::move(schemas));
  json.set("current-version-id", view.current_version_id);
  Json versions = Json::array();
  for (const ViewVersion& version : view.versions) versions.push(view_version_to_json(version));
  json.set("versions", std::move(versions));
  Json log = Json::array();
  for (const ViewLogEntry& entry : view.log) {
    Json item = Json::object();
    item.set("timestamp-ms", entry.timestamp_millis);
    item.set("version-id", entry.version_id);
    log.push(std::move(item));
  }
  json.set("version-log", std::move(log));
  json.set("properties", texts_to_json(view.properties));
  return json;
}

Result<ViewRequirement> view_requirement_from_json(const Json& json) {
  if (json["type"].as_string() == "assert-view-uuid") {
    return ViewRequirement{std::string(json["uuid"].as_string())};
  }
  return fail(
      Code::invalid, "request",
      "Cannot parse update requirement. Unknown type: " + std::string(json["type"].as_string()));
}

namespace {

struct UpdateRow {
  std::string_view action;
  Kind kind;
  const char* text;  // keys of the members it takes
  const char* number;
};
constexpr UpdateRow kUpdates[] = {
    {"assign-uuid", Kind::assign_uuid, "uuid", nullptr},
    {"upgrade-format-version", Kind::upgrade_format_version, nullptr, "format-version"},
    {"add-schema", Kind::add_schema, nullptr, nullptr},
    {"set-location", Kind::set_location, "location", nullptr},
    {"set-properties", Kind::set_properties, nullptr, nullptr},
    {"remove-properties", Kind::remove_properties, nullptr, nullptr},
    {"add-view-version", Kind::add_version, nullptr, nullptr},
    {"set-current-view-version", Kind::set_current_version, nullptr, "view-version-id"},
};

Result<ViewUpdate> read_update(const UpdateRow& row, const Json& json) {
  ViewUpdate update;
  update.kind = row.kind;
  if (row.text) {
    ASSIGN_OR_RETURN(update.text, json.string_at(row.text));
  }
  if (row.number) {
    ASSIGN_OR_RETURN(int64_t number, json.int_at(row.number));
    update.number = static_cast<int>(number);
  }
  if (row.kind == Kind::add_schema) {
    ASSIGN_OR_RETURN(update.schema, tables::schema_from_json(json["schema"]));
  }
  if (row.kind == Kind::add_version) {
    ASSIGN_OR_RETURN(update.version, view_version_from_json(json["view-version"]));
  }
  update.properties = texts_from_json(json["updates"]);
  for (const Json& key : json["removals"].as_array()) update.removals.emplace_back(key.as_string());
  return update;
}

}  // namespace

Result<ViewUpdate> view_update_from_json(const Json& json) {
  std::string_view action = json["action"].as_string();
  for (const UpdateRow& row : kUpdates) {
    if (row.action != action) continue;
    auto update = read_update(row, json);
    if (update || update.error().code != Code::corrupt) return update;
    return fail(Code::invalid, "request", std::string(action) + ": " + update.error().message);
  }
  return fail(Code::invalid, "request",
              "Cannot parse metadata update. Unknown action: " + std::string(action));
}

Result<ViewMetadata> apply_view_updates(const ViewMetadata& base,
                                        const std::vector<ViewRequirement>& requirements,
                                        const std::vector<ViewUpdate>& updates,
                                        int64_t now_millis) {
  for (const ViewRequirement& requirement : requirements) {
    if (requirement.uuid != base.uuid) {
      return fail(Code::conflict, "requirement_failed",
                  "Requirement failed: view UUID does not match: expected " + requirement.uuid +
                      " != " + base.uuid);
    }
  }
  Applier applier(base, now_millis);
  for (const ViewUpdate& update : updates) RETURN_IF_ERROR(applier.apply(update));
  if (!applier.m.version(applier.m.current_version_id))
    return refused("the view has no current version");
  return std::move(applier.m);
}

}  // namespace aichemy::catalog
