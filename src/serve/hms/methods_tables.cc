// Databases, tables and views. // lint: table
#include "serve/hms/methods.h"

namespace aichemy::serve::hms {

namespace {

using Raw = thrift::Raw;
using std::string;
template <class T>
using Vector = std::vector<T>;
using Strings = Vector<string>;
using Context = std::optional<hive::EnvironmentContext>;
using MaybeText = std::optional<string>;
using enum Thrown;

hive::Parameters properties_of(const Context& context) {
  return context && context->properties ? *context->properties : hive::Parameters{};
}

// Names may come as "@catalog#database", or the catalog in a field of its own.
string in_catalog(const MaybeText& catalog, const string& database) {
  if (!catalog || catalog->empty() || database.starts_with('@')) return database;
  return "@" + *catalog + "#" + database;
}

Result<Vector<Raw>> tables_by_name(Exchange& e, const string& database, const Strings& names) {
  Vector<Raw> tables;
  for (const string& name : names) {
    auto table = e.hive.table_bytes(e.call, database, name);
    if (table)
      tables.push_back(std::move(*table));
    else if (table.error().code != Code::not_found)
      return std::unexpected(table.error());
  }
  return tables;
}

Result<Vector<hive::FieldSchema>> columns(Exchange& e, const string& database, const string& name,
                                          bool with_keys) {
  ASSIGN_OR_RETURN(hive::Table table, e.hive.load_table(e.call, database, name));
  Vector<hive::FieldSchema> fields =
      table.storage ? *table.storage->columns : Vector<hive::FieldSchema>();
  if (with_keys && table.partition_keys)
    fields.insert(fields.end(), table.partition_keys->begin(), table.partition_keys->end());
  return fields;
}

Status without_constraints(const hive::CreateTableRequest& request) {
  for (const auto* list :
       {&request.primary_keys, &request.foreign_keys, &request.unique_constraints,
        &request.not_null_constraints, &request.default_constraints, &request.check_constraints}) {
    if (*list && !(*list)->empty()) {
      return fail(Code::unsupported, "constraints",
                  "constraints are not supported: create the table without them");
    }
  }
  return {};
}

const Vector<Thrown> kCreate = {already_exists, invalid_object, meta, no_such_object};
const Vector<Thrown> kAlter = {invalid_operation, meta};
const Vector<Thrown> kMetaFirst = {meta, no_such_object};
const Vector<Thrown> kMissingFirst = {no_such_object, meta};
const Vector<Thrown> kSchema = {meta, unknown_table, unknown_database};

}  // namespace

const Vector<Method>& table_methods() {  // lint: table
  static const Vector<Method> kMethods = {
      {"get_all_databases",
       bind([](Exchange& e) { return e.hive.list_databases(e.call, ""); }),
       {meta}},
      {"get_databases",
       bind([](Exchange& e, string pattern) { return e.hive.list_databases(e.call, pattern); }),
       {meta}},
      {"get_database",
       bind([](Exchange& e, string name) { return e.hive.load_database(e.call, name); }),
       {no_such_object, meta}},
      {"get_database_req",
       bind([](Exchange& e, hive::GetDatabaseRequest request) {
         return e.hive.load_database(e.call,
                                     in_catalog(request.catalog_name, request.name.value_or("")));
       }),
       {no_such_object, meta}},
      {"create_database",
       bind([](Exchange& e, hive::Database database) {
         return e.hive.create_database(e.call, database);
       }),
       {already_exists, invalid_object, meta}},
      {"alter_database",
       bind([](Exchange& e, string name, hive::Database database) {
         return e.hive.alter_database(e.call, name, database);
       }),
       {meta, no_such_object}},
      {"drop_database",
       bind([](Exchange& e, string name, bool delete_data, bool cascade) {
         return e.hive.drop_database(e.call, name, delete_data, cascade);
       }),
       {no_such_object, invalid_operation, meta}},
      {"drop_database_req",
       bind([](Exchange& e, hive::DropDatabaseRequest request) -> Status {
         Status done = e.hive.drop_database(e.call, in_catalog(request.catalog_name, request.name),
                                            request.delete_data, request.cascade);
         bool ignored = !done && request.ignore_unknown && done.error().is("no_such_namespace");
         return ignored ? Status() : done;
       }),
       {no_such_object, invalid_operation, meta}},
      {"get_all_tables",
       bind([](Exchange& e, string name) { return e.hive.list_tables(e.call, name, "", ""); }),
       {meta}},
      {"get_tables",
       bind([](Exchange& e, string name, string pattern) {
         return e.hive.list_tables(e.call, name, pattern, "");
       }),
       {meta}},
      {"get_tables_by_type",
       bind([](Exchange& e, string name, string pattern, string type) {
         return e.hive.list_tables(e.call, name, pattern, type);
       }),
       {meta}},
      {"get_materialized_views_for_rewriting",
       bind([](Exchange& e, string name) {
         return e.hive.list_tables(e.call, name, "", "MATERIALIZED_VIEW");
       }),
       {meta}},
      {"get_table_meta",
       bind([](Exchange& e, string databases, string tables, Strings types) {
         return e.hive.list_table_meta(e.call, databases, tables, types);
       }),
       {meta}},
      {"get_table_names_by_filter",
       bind([](Exchange& e, string name, string filter, int16_t max) {
         return e.hive.find_tables(e.call, name, filter, max);
       }),
       {meta, invalid_operation, unknown_database}},
      {"get_table", bind([](Exchange& e, string database, string name) {
         return e.hive.table_bytes(e.call, database, name);
       }),
       kMetaFirst},
      {"get_table_req",
       bind([](Exchange& e, hive::GetTableRequest request) -> Result<hive::GetTableResult> {
         string database = in_catalog(request.catalog_name, request.database_name);
         ASSIGN_OR_RETURN(Raw table, e.hive.table_bytes(e.call, database, request.table_name));
         return hive::GetTableResult{std::move(table), {}};
       }),
       kMetaFirst},
      {"get_table_objects_by_name",
       bind([](Exchange& e, string database, Strings names) {
         return tables_by_name(e, database, names);
       }),
       {}},
      {"get_table_objects_by_name_req",
       bind([](Exchange& e, hive::GetTablesRequest request) -> Result<hive::GetTablesResult> {
         string database = in_catalog(request.catalog_name, request.database_name);
         Strings names = request.table_names.value_or(Strings());
         if (!request.table_names) {
           ASSIGN_OR_RETURN(names,
                            e.hive.list_tables(e.call, database, request.pattern.value_or(""), ""));
         }
         ASSIGN_OR_RETURN(auto tables, tables_by_name(e, database, names));
         return hive::GetTablesResult{std::move(tables)};
       }),
       {meta, invalid_operation, unknown_database}},
      {"create_table",
       bind([](Exchange& e, hive::Table table) { return e.hive.create_table(e.call, table); }),
       kCreate},
      {"create_table_with_environment_context", bind([](Exchange& e, hive::Table table, Context) {
         return e.hive.create_table(e.call, table);
       }),
       kCreate},
      {"create_table_req", bind([](Exchange& e, hive::CreateTableRequest request) -> Status {
         RETURN_IF_ERROR(without_constraints(request));
         return e.hive.create_table(e.call, request.table);
       }),
       kCreate},
      {"alter_table", bind([](Exchange& e, string database, string name, hive::Table table) {
         return e.hive.alter_table(e.call, database, name, table, {});
       }),
       kAlter},
      {"alter_table_with_cascade",
       bind([](Exchange& e, string database, string name, hive::Table table, bool) {
         return e.hive.alter_table(e.call, database, name, table, {});
       }),
       kAlter},
      {"alter_table_with_environment_context",
       bind([](Exchange& e, string database, string name, hive::Table table, Context context) {
         return e.hive.alter_table(e.call, database, name, table, properties_of(context));
       }),
       kAlter},
      {"alter_table_req",
       bind([](Exchange& e, hive::AlterTableRequest request) -> Result<hive::Nothing> {
         RETURN_IF_ERROR(
             e.hive.alter_table(e.call, in_catalog(request.catalog_name, request.database_name),
                                request.table_name, request.table, properties_of(request.context)));
         return hive::Nothing{};
       }),
       kAlter},
      {"drop_table", bind([](Exchange& e, string database, string name, bool delete_data) {
         return e.hive.drop_table(e.call, database, name, delete_data);
       }),
       kMissingFirst},
      {"drop_table_with_environment_context",
       bind([](Exchange& e, string database, string name, bool delete_data, Context) {
         return e.hive.drop_table(e.call, database, name, delete_data);
       }),
       kMissingFirst},
      {"truncate_table",
       bind([](Exchange& e, string database, string name, std::optional<Strings> partitions) {
         return e.hive.truncate_table(e.call, database, name, partitions);
       }),
       {meta}},
      {"truncate_table_req",
       bind([](Exchange& e, hive::TruncateTableRequest request) -> Result<hive::Nothing> {
         RETURN_IF_ERROR(e.hive.truncate_table(e.call, request.database_name, request.table_name,
                                               request.partition_names));
         return hive::Nothing{};
       }),
       {meta}},
      {"get_fields", bind([](Exchange& e, string database, string name) {
         return columns(e, database, name, false);
       }),
       kSchema},
      {"get_fields_with_environment_context",
       bind([](Exchange& e, string database, string name, Context) {
         return columns(e, database, name, false);
       }),
       kSchema},
      {"get_fields_req",
       bind([](Exchange& e, hive::GetFieldsRequest request) -> Result<hive::GetFieldsResult> {
         ASSIGN_OR_RETURN(auto fields,
                          columns(e, in_catalog(request.catalog_name, request.database_name),
                                  request.table_name, false));
         return hive::GetFieldsResult{std::move(fields)};
       }),
       kSchema},
      {"get_schema", bind([](Exchange& e, string database, string name) {
         return columns(e, database, name, true);
       }),
       kSchema},
      {"get_schema_with_environment_context",
       bind([](Exchange& e, string database, string name, Context) {
         return columns(e, database, name, true);
       }),
       kSchema},
      {"get_schema_req",
       bind([](Exchange& e, hive::GetFieldsRequest request) -> Result<hive::GetFieldsResult> {
         ASSIGN_OR_RETURN(auto fields,
                          columns(e, in_catalog(request.catalog_name, request.database_name),
                                  request.table_name, true));
         return hive::GetFieldsResult{std::move(fields)};
       }),
       kSchema},
  };
  return kMethods;
}

}  // namespace aichemy::serve::hms
