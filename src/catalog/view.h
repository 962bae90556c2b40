// Iceberg view metadata (view specification, version 1): one SQL text per dialect and version, with
// the schema it had. Immutable once loaded; changes make a new one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tables/types.h"

namespace aichemy::catalog {

struct ViewRepresentation {
  std::string sql;
  std::string dialect;  // "trino", "spark", "duckdb"
};

struct ViewVersion {
  int id = 1;
  int schema_id = 0;
  int64_t timestamp_millis = 0;
  std::map<std::string, std::string> summary;
  std::vector<ViewRepresentation> representations;
  std::string default_catalog;
  std::vector<std::string> default_namespace;
};

struct ViewLogEntry {
  int64_t timestamp_millis = 0;
  int version_id = 0;
};

struct ViewMetadata {
  std::string uuid;
  std::string location;
  std::vector<tables::Schema> schemas;
  int current_version_id = 1;
  std::vector<ViewVersion> versions;
  std::vector<ViewLogEntry> log;
  std::map<std::string, std::string> properties;

  const ViewVersion* version(int id) const;
  const tables::Schema* schema(int id) const;
  // Parsing guarantees both.
  const ViewVersion& current_version() const { return *version(current_version_id); }
  const tables::Schema& current_schema() const { return *schema(current_version().schema_id); }
  // "" when the current version has none in that dialect.
  std::string sql(std::string_view dialect) const;
};

struct NewView {
  std::string location;   // "" takes <namespace location>/<name>-<uuid>
  tables::Schema schema;  // ids are kept
  ViewVersion version;
  std::map<std::string, std::string> properties;
};

struct ViewRequirement {  // assert-view-uuid
  std::string uuid;
};

struct ViewUpdate {
  enum class Kind : uint8_t {
    assign_uuid,
    upgrade_format_version,
    add_schema,
    set_location,
    set_properties,
    remove_properties,
    add_version,
    set_current_version,
  };
  Kind kind = Kind::assign_uuid;
  std::string text;  // uuid, location
  int number = 0;    // format version, version id (-1: the last added)
  tables::Schema schema;
  ViewVersion version;  // schema_id -1: the last added
  std::map<std::string, std::string> properties;
  std::vector<std::string> removals;
};

Result<ViewMetadata> view_from_json(const Json& json);  // corrupt ("view_metadata")
Json view_to_json(const ViewMetadata& view);
Result<ViewVersion> view_version_from_json(const Json& json);
Json view_version_to_json(const ViewVersion& version);
// invalid ("update") when a dialect has two texts: an engine could not tell which is meant.
Status check_dialects(const ViewVersion& version);
// invalid ("request") for an update or requirement we do not know.
Result<ViewUpdate> view_update_from_json(const Json& json);
Result<ViewRequirement> view_requirement_from_json(const Json& json);
// conflict ("requirement_failed") or invalid ("update").
Result<ViewMetadata> apply_view_updates(const ViewMetadata& base,
                                        const std::vector<ViewRequirement>& requirements,
                                        const std::vector<ViewUpdate>& updates, int64_t now_millis);

}  // namespace aichemy::catalog
