#include "catalog/catalog_state.h"

#include "base/bytes.h"

namespace aichemy::catalog {

namespace {

constexpr size_t kNameBytesMax = 255;

Status check_part(std::string_view part, const char* what) {
  bool fine = !part.empty() && part.size() <= kNameBytesMax && is_valid_utf8(part);
  for (char c : part) fine = fine && static_cast<uint8_t>(c) >= 0x20 && c != 0x7f;
  if (fine) return {};
  return fail(Code::invalid, "invalid_name",
              std::string(what) + " name \"" + std::string(part) +
                  "\" is empty, too long (255 bytes at most) or has control characters");
}

}  // namespace

std::string name_text(const NamespaceName& space) {
  std::string text;
  for (const std::string& level : space) text += (text.empty() ? "" : ".") + level;
  return text;
}

std::string name_text(const EntityName& name) {
  return name.space.empty() ? name.name : name_text(name.space) + "." + name.name;
}

std::string path_of(const NamespaceName& space) {
  std::string path;
  for (size_t i = 0; i < space.size(); ++i) {
    if (i > 0) path += kLevelSeparator;
    path += space[i];
  }
  return path;
}

NamespaceName space_of(std::string_view path) {
  NamespaceName space;
  while (!path.empty()) {
    size_t end = path.find(kLevelSeparator);
    space.emplace_back(path.substr(0, end));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return space;
}

Status check_name(const NamespaceName& space) {
  if (space.empty()) return fail(Code::invalid, "invalid_name", "a namespace needs a name");
  for (const std::string& level : space) RETURN_IF_ERROR(check_part(level, "namespace"));
  return {};
}

Status check_name(const EntityName& name) {
  RETURN_IF_ERROR(check_name(name.space));
  return check_part(name.name, "table or view");
}

const char* kind_text(RelationKind kind) { return kind == RelationKind::table ? "table" : "view"; }

Result<int64_t> find_namespace(metadb::Transaction& transaction, const NamespaceName& space) {
  ASSIGN_OR_RETURN(
      auto rows, transaction.query("SELECT id FROM namespaces WHERE path = $1", {path_of(space)}));
  if (rows.empty()) {
    return fail(Code::not_found, "no_such_namespace",
                "Namespace does not exist: " + name_text(space));
  }
  return rows[0][0].as_int();
}

Result<std::optional<RelationRow>> find_relation(metadb::Transaction& transaction,
                                                 const EntityName& name) {
  ASSIGN_OR_RETURN(
      auto rows,
      transaction.query("SELECT r.kind, r.namespace_id, r.uuid, r.metadata_location, r.format "
                        "FROM relations r JOIN namespaces n ON n.id = r.namespace_id "
                        "WHERE n.path = $1 AND r.name = $2",
                        {path_of(name.space), name.name}));
  if (rows.empty()) return std::optional<RelationRow>();
  RelationRow row;
  row.kind = rows[0][0].as_text() == "view" ? RelationKind::view : RelationKind::table;
  row.namespace_id = rows[0][1].as_int();
  row.uuid = rows[0][2].as_text();
  row.metadata_location = rows[0][3].as_text();
  row.is_iceberg = rows[0][4].as_text() == "iceberg";
  return std::optional(std::move(row));
}

Status insert_relation(metadb::Transaction& transaction, const EntityName& name,
                       const RelationRow& row, int64_t now_millis) {
  ASSIGN_OR_RETURN(int64_t space, find_namespace(transaction, name.space));
  ASSIGN_OR_RETURN(auto taken, find_relation(transaction, name));
  if (taken) {
    bool table = taken->kind == RelationKind::table;
    return fail(Code::exists, table ? "table_exists" : "view_exists",
                std::string(table ? "Table" : "View") + " already exists: " + name_text(name));
  }
  auto done = transaction.run(
      "INSERT INTO relations (namespace_id, name, kind, format, uuid, metadata_location, "
      "previous_metadata_location, version, properties, created_millis, updated_millis) "
      "VALUES ($1, $2, $3, $7, $4, $5, '', 0, '{}', $6, $6)",
      {space, name.name, kind_text(row.kind), row.uuid, row.metadata_location, now_millis,
       row.is_iceberg ? "iceberg" : "hive"});
  if (!done) return std::unexpected(done.error());
  return record_event(transaction, "CREATE_TABLE", name.space, name.name, now_millis);
}

Status swap_pointer(metadb::Transaction& transaction, const EntityName& name, int64_t namespace_id,
                    const std::string& from, const std::string& to, int64_t now_millis) {
  ASSIGN_OR_RETURN(
      int64_t changed,
      transaction.run("UPDATE relations SET metadata_location = $1, "
                      "previous_metadata_location = $2, version = version + 1, updated_millis = $3 "
                      "WHERE namespace_id = $4 AND name = $5 AND metadata_location = $2",
                      {to, from, now_millis, namespace_id, name.name}));
  if (changed == 1)
    return record_event(transaction, "ALTER_TABLE", name.space, name.name, now_millis);
  return fail(
      Code::conflict, "commit_failed",
      name_text(name) + " was changed by another commit meanwhile: read it again and retry");
}

std::unexpected<Error> no_such_relation(const EntityName& name, RelationKind kind) {
  bool table = kind == RelationKind::table;
  return fail(Code::not_found, table ? "no_such_table" : "no_such_view",
              std::string(table ? "Table" : "View") + " does not exist: " + name_text(name));
}

Catalog::State::State(metadb::Database& the_database, Clock& the_clock, Random& the_random,
                      Metrics& metrics, const Options& options)
    : database(the_database),
      clock(the_clock),
      random(the_random),
      commits(
          metrics.counter("aichemy_catalog_commits_total", "Table commits that moved a pointer")),
      commit_conflicts(
          metrics.counter("aichemy_catalog_commit_conflicts_total",
                          "Commit attempts that lost the race or failed a requirement")),
      metadata_cache(options.metadata_cache_bytes),
      view_cache(options.metadata_cache_bytes / 8),
      manifests(options.manifest_cache_bytes) {}

}  // namespace aichemy::catalog
