// Views in the Metastore: those that Trino makes are JSON in a comment; those of Hive are in Hive's
// language and refused by name.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/connectors/table_change.h"
#include "sql/hive/hive_connector.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kPrefix = "/* Presto View: ", kSuffix = " */";
constexpr const char* kFlag = "presto_view";

Result<View> decoded_view(const TableName& name, const hive::Table& source) {
  std::string_view text =
      source.view_original_text ? *source.view_original_text : std::string_view();
  auto broken = [&] {
    return fail(Code::corrupt, "HIVE_INVALID_VIEW_DATA",
                fmt::format("Invalid view data: {}.{}", name.schema, name.table));
  };
  if (text.size() < kPrefix.size() + kSuffix.size() || !text.starts_with(kPrefix) ||
      !text.ends_with(kSuffix))
    return broken();
  text.remove_prefix(kPrefix.size());
  text.remove_suffix(kSuffix.size());
  auto bytes = from_base64(text);
  if (!bytes) return broken();
  auto json = Json::parse(*bytes);
  if (!json) return broken();
  View view;
  view.sql = (*json)["originalSql"].as_string();
  view.catalog = (*json)["catalog"].as_string();
  view.schema = (*json)["schema"].as_string();
  view.comment = (*json)["comment"].as_string();
  view.owner = (*json)["owner"].as_string();
  view.run_as_invoker = (*json)["runAsInvoker"].as_bool();
  for (const Json& column : (*json)["columns"].as_array()) {
    auto type = parse_type(column["type"].as_string());
    if (!type) return broken();
    view.columns.push_back({.name = std::string(column["name"].as_string()),
                            .type = std::move(*type),
                            .comment = std::string(column["comment"].as_string())});
  }
  if (const Json* kept = json->find("kept")) {
    for (const auto& [key, value] : kept->as_object()) view.kept[key] = value.as_string();
  }
  return view;
}

hive::Table encoded_view(const TableName& name, const View& view) {
  Json json = Json::object();
  json.set("originalSql", view.sql);
  if (!view.catalog.empty()) json.set("catalog", view.catalog);
  if (!view.schema.empty()) json.set("schema", view.schema);
  Json columns = Json::array();
  for (const ColumnInfo& column : view.columns) {
    Json one = Json::object();
    one.set("name", column.name);
    one.set("type", column.type.display());
    if (!column.comment.empty()) one.set("comment", column.comment);
    columns.push(std::move(one));
  }
  json.set("columns", std::move(columns));
  if (!view.comment.empty()) json.set("comment", view.comment);
  if (!view.owner.empty()) json.set("owner", view.owner);
  json.set("runAsInvoker", view.run_as_invoker);
  Json path = Json::array();
  json.set("path", std::move(path));
  Json kept = Json::object();
  for (const auto& [key, value] : view.kept) kept.set(key, value);
  if (!view.kept.empty()) json.set("kept", std::move(kept));
  hive::Table made;
  made.name = name.table;
  made.database_name = name.schema;
  made.owner = view.owner;
  made.table_type = "VIRTUAL_VIEW";
  made.view_original_text = fmt::format("{}{}{}", kPrefix, to_base64(json.dump()), kSuffix);
  made.view_expanded_text = "/* Presto View */";
  made.parameters = hive::Parameters{{kFlag, "true"}, {"comment", "Presto View"}};
  made.partition_keys.emplace();
  hive::StorageDescriptor& storage = made.storage.emplace();
  // Other engines list it with one column.
  storage.columns = std::vector<hive::FieldSchema>{{"dummy", "string", {}}};
  storage.location = "";
  return made;
}

}  // namespace

Result<std::optional<View>> HiveConnector::get_view(const Call& call, const TableName& name) {
  auto found = o_.catalog.load_table(call, name.schema, name.table);
  if (!found && found.error().code == Code::not_found) return std::optional<View>();
  if (!found) return std::unexpected(hive_words(found.error()));
  if (found->table_type != "VIRTUAL_VIEW") return std::optional<View>();
  hive::Parameters parameters = found->parameters.value_or(hive::Parameters{});
  if (parameter_of(parameters, "table_type") == "ICEBERG-VIEW") {
    return fail(Code::unsupported, "UNSUPPORTED_TABLE_TYPE",
                fmt::format("Cannot query Iceberg view '{}.{}'", name.schema, name.table));
  }
  if (parameter_of(parameters, kFlag) != "true") {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Hive views are not supported: '{}.{}'", name.schema, name.table));
  }
  ASSIGN_OR_RETURN(View view, decoded_view(name, *found));
  return std::optional(std::move(view));
}

Status HiveConnector::create_view(const Call& call, const TableName& name, const View& view,
                                  bool replace) {
  hive::Table made = encoded_view(name, view);
  ASSIGN_OR_RETURN(auto existing, get_view(call, name));
  if (existing && replace)
    return hive_words(o_.catalog.alter_table(call, name.schema, name.table, std::move(made), {}));
  return hive_words(o_.catalog.create_table(call, std::move(made)));
}

Status HiveConnector::drop_view(const Call& call, const TableName& name) {
  return hive_words(o_.catalog.drop_table(call, name.schema, name.table, false));
}

Status HiveConnector::rename_view(const Call& call, const TableName& from, const TableName& to) {
  ASSIGN_OR_RETURN(auto made, hive_words(o_.catalog.load_table(call, from.schema, from.table)));
  made.name = to.table;
  made.database_name = to.schema;
  return hive_words(o_.catalog.alter_table(call, from.schema, from.table, std::move(made), {}));
}

Status HiveConnector::change_view(const Call& call, const TableName& name,
                                  const TableChange& change) {
  ASSIGN_OR_RETURN(auto view, get_view(call, name));
  if (!view) {
    return fail(Code::not_found, "view_not_found",
                fmt::format("View '{}.{}' not found", name.schema, name.table));
  }
  switch (change.kind) {
    case TableChange::Kind::comment: view->comment = change.text.value_or(""); break;
    case TableChange::Kind::set_owner: view->owner = change.text.value_or(""); break;
    case TableChange::Kind::column_comment: {
      auto column = std::ranges::find(view->columns, change.path.back(), &ColumnInfo::name);
      if (column != view->columns.end()) column->comment = change.text.value_or("");
      break;
    }
    default: return Connector::change_view(call, name, change);
  }
  return create_view(call, name, *view, true);
}

}  // namespace aichemy::sql
