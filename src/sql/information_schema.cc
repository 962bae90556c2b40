// information_schema around a catalog.
#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/virtual_tables.h"
#include "sql/system_catalog.h"

namespace aichemy::sql {
namespace {

constexpr const char* kSchema = "information_schema";

class WithInformationSchema final : public Connector {
 public:
  WithInformationSchema(std::string catalog, Connector& inner)
      : catalog_(std::move(catalog)), inner_(inner), own_(tables()) {}

  MaterializedViews* materialized_views() override { return inner_.materialized_views(); }
  RowChanger* row_changer() override { return inner_.row_changer(); }
  Result<std::vector<std::string>> list_schemas(const Call& call) override {
    ASSIGN_OR_RETURN(auto names, inner_.list_schemas(call));
    names.emplace_back(kSchema);
    std::ranges::sort(names);
    return names;
  }
  Result<bool> schema_exists(const Call& call, const std::string& schema) override {
    return schema == kSchema ? Result<bool>(true) : inner_.schema_exists(call, schema);
  }
  Status create_schema(const Call& call, const std::string& schema,
                       const Properties& properties) override {
    return inner_.create_schema(call, schema, properties);
  }
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override {
    return inner_.drop_schema(call, schema, cascade);
  }
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override {
    return side(schema).list_tables(call, schema);
  }
  Result<std::vector<std::string>> list_views(const Call& call,
                                              const std::string& schema) override {
    return side(schema).list_views(call, schema);
  }
  Result<TableRef> get_table(const Call& call, const TableName& name) override {
    return side(name.schema).get_table(call, name);
  }
  Result<TableRef> get_table_at(const Call& call, const TableName& name,
                                const TableVersion& version) override {
    return side(name.schema).get_table_at(call, name, version);
  }
  Result<std::optional<View>> get_view(const Call& call, const TableName& name) override {
    return side(name.schema).get_view(call, name);
  }
  Result<Scan> plan_scan(const Call& call, const TableRef& table,
                         const ScanRequest& request) override {
    return side(table->name.schema).plan_scan(call, table, request);
  }
  Status create_table(const Call& call, const NewTable& table) override {
    return side(table.name.schema).create_table(call, table);
  }
  Status drop_table(const Call& call, const TableName& name) override {
    return side(name.schema).drop_table(call, name);
  }
  Status create_view(const Call& call, const TableName& name, const View& view,
                     bool replace) override {
    return side(name.schema).create_view(call, name, view, replace);
  }
  Status drop_view(const Call& call, const TableName& name) override {
    return side(name.schema).drop_view(call, name);
  }
  Result<std::unique_ptr<Insert>> begin_insert(const Call& call, const TableRef& table) override {
    return side(table->name.schema).begin_insert(call, table);
  }
  Result<std::unique_ptr<Insert>> begin_create_table_as(const Call& call,
                                                        const NewTable& table) override {
    return side(table.name.schema).begin_create_table_as(call, table);
  }
  Status finish_insert(const Call& call, Insert& insert, std::vector<WrittenFile> files) override {
    return inner_.finish_insert(call, insert, std::move(files));
  }

 private:
  std::string catalog_;
  Connector& inner_;
  VirtualConnector own_;

  Connector& side(const std::string& schema) {
    return schema == kSchema ? static_cast<Connector&>(own_) : inner_;
  }

  // Each (schema, name, is view) the predicates leave.
  Status walk(const Call& call, const Table& table, const ScanRequest& request,
              const std::function<Status(const std::string&, const std::string&, bool)>& visit) {
    auto schema_wanted = wanted_text(table, request, "table_schema"),
         name_wanted = wanted_text(table, request, "table_name");
    ASSIGN_OR_RETURN(auto schemas, list_schemas(call));
    for (const auto& schema : schemas) {
      if (schema_wanted && schema != *schema_wanted) continue;
      auto views = side(schema).list_views(call, schema);
      auto names = side(schema).list_tables(call, schema);
      if (!names || !views) continue;  // dropped meanwhile
      for (const auto& name : *names) {
        if (name_wanted && name != *name_wanted) continue;
        RETURN_IF_ERROR(visit(schema, name, std::ranges::find(*views, name) != views->end()));
      }
    }
    return {};
  }

  Result<Rows> table_rows(const Call& call, const Table& table, const ScanRequest& request) {
    Rows rows;
    RETURN_IF_ERROR(
        walk(call, table, request,
             [&](const std::string& schema, const std::string& name, bool view) -> Status {
               rows.push_back({catalog_, schema, name, view ? "VIEW" : "BASE TABLE"});
               return {};
             }));
    return rows;
  }

  Result<Rows> column_rows(const Call& call, const Table& table, const ScanRequest& request) {
    Rows rows;
    RETURN_IF_ERROR(walk(
        call, table, request,
        [&](const std::string& schema, const std::string& name, bool view) -> Status {
          std::vector<ColumnInfo> columns;
          if (view) {
            auto found = get_view(call, {schema, name});
            if (found && *found) columns = (*found)->columns;
          } else {
            auto found = get_table(call, {schema, name});
            if (found && *found) columns = (*found)->columns;
            MaterializedViews* views = materialized_views();
            if (found && !*found && views) {
              auto materialized = views->get(call, {schema, name});
              if (materialized && *materialized) columns = (*materialized)->view.columns;
            }
          }
          int position = 0;
          for (const auto& column : columns) {
            if (column.hidden) continue;
            rows.push_back({catalog_, schema, name, column.name, std::to_string(++position),
                            std::nullopt, column.nullable ? "YES" : "NO", column.type.display(),
                            column.comment.empty() ? std::nullopt : std::optional(column.comment),
                            std::nullopt});
          }
          return {};
        }));
    return rows;
  }

  Result<Rows> view_rows(const Call& call, const Table& table, const ScanRequest& request) {
    Rows rows;
    RETURN_IF_ERROR(
        walk(call, table, request,
             [&](const std::string& schema, const std::string& name, bool view) -> Status {
               if (!view) return {};
               auto found = get_view(call, {schema, name});
               if (found && *found) rows.push_back({catalog_, schema, name, (*found)->sql});
               return {};
             }));
    return rows;
  }

  Result<Rows> schema_rows(const Call& call) {
    Rows rows;
    ASSIGN_OR_RETURN(auto schemas, list_schemas(call));
    for (const auto& schema : schemas) rows.push_back({catalog_, schema});
    return rows;
  }

  std::vector<VirtualTable> tables() {
    using CallRef = const Call&;
    using TableCref = const Table&;
    using RequestRef = const ScanRequest&;
    return {
        {kSchema, "tables",
         "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar",
         [this](CallRef c, TableCref t, RequestRef r) { return table_rows(c, t, r); }},
        {kSchema, "columns",
         "table_catalog varchar, table_schema varchar, table_name varchar, column_name varchar, "
         "ordinal_position bigint, "
         "column_default varchar, is_nullable varchar, data_type varchar, -comment varchar, "
         "-extra_info varchar",
         [this](CallRef c, TableCref t, RequestRef r) { return column_rows(c, t, r); }},
        {kSchema, "views",
         "table_catalog varchar, table_schema varchar, table_name varchar, view_definition varchar",
         [this](CallRef c, TableCref t, RequestRef r) { return view_rows(c, t, r); }},
        {kSchema, "schemata", "catalog_name varchar, schema_name varchar",
         [this](CallRef c, TableCref, RequestRef) { return schema_rows(c); }},
        {kSchema, "table_privileges",
         "grantor varchar, grantor_type varchar, grantee varchar, grantee_type varchar, "
         "table_catalog varchar, "
         "table_schema varchar, table_name varchar, privilege_type varchar, is_grantable varchar, "
         "with_hierarchy varchar",
         nullptr},
        {kSchema, "roles", "role_name varchar", nullptr},
        {kSchema, "applicable_roles",
         "grantee varchar, grantee_type varchar, role_name varchar, is_grantable varchar", nullptr},
        {kSchema, "enabled_roles", "role_name varchar", nullptr},
    };
  }
};

}  // namespace

std::unique_ptr<Connector> with_information_schema(const std::string& catalog, Connector& inner) {
  return std::make_unique<WithInformationSchema>(catalog, inner);
}

}  // namespace aichemy::sql
