// information_schema around a catalog.
#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/column_listing.h"
#include "sql/connectors/table_change.h"
#include "sql/connectors/virtual_tables.h"
#include "sql/grant_store.h"
#include "sql/system_catalog.h"

namespace aichemy::sql {
namespace {

constexpr const char* kSchema = "information_schema";

class WithInformationSchema final : public Connector, public ColumnListing {
 public:
  WithInformationSchema(const ExecutorOptions& options, std::string catalog, Connector& inner)
      : options_(options),
        catalog_(std::move(catalog)),
        inner_(inner),
        own_(tables(), options.texts) {}

  MaterializedViews* materialized_views() override { return inner_.materialized_views(); }
  RowChanger* row_changer() override { return inner_.row_changer(); }
  RoutineStorage routine_storage() const override { return inner_.routine_storage(); }
  std::vector<PropertyInfo> list_properties(PropertyOf of) const override {
    return inner_.list_properties(of);
  }
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
  Result<ColumnsByTable> list_columns(const Call& call, const std::string& schema) override {
    auto* listing = dynamic_cast<ColumnListing*>(&side(schema));
    return listing ? listing->list_columns(call, schema) : ColumnsByTable();
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
  Status change_table(const Call& call, const TableName& name, const TableChange& change) override {
    return side(name.schema).change_table(call, name, change);
  }
  Status change_view(const Call& call, const TableName& name, const TableChange& change) override {
    return side(name.schema).change_view(call, name, change);
  }
  Status rename_table(const Call& call, const TableName& from, const TableName& to) override {
    return side(from.schema).rename_table(call, from, to);
  }
  Status rename_view(const Call& call, const TableName& from, const TableName& to) override {
    return side(from.schema).rename_view(call, from, to);
  }
  Status rename_schema(const Call& call, const std::string& from, const std::string& to) override {
    return side(from).rename_schema(call, from, to);
  }
  Status set_schema_owner(const Call& call, const std::string& schema, const std::string& owner,
                          bool role) override {
    return side(schema).set_schema_owner(call, schema, owner, role);
  }
  Result<std::string> schema_owner(const Call& call, const std::string& schema) override {
    return side(schema).schema_owner(call, schema);
  }
  Result<std::vector<BranchInfo>> list_branches(const Call& call, const TableName& name) override {
    return side(name.schema).list_branches(call, name);
  }
  Status change_branch(const Call& call, const TableName& name,
                       const BranchChange& change) override {
    return side(name.schema).change_branch(call, name, change);
  }
  const std::vector<Procedure>& procedures() const override { return inner_.procedures(); }
  Result<ProcedureMetrics> run_procedure(const Call& call,
                                         const ProcedureCall& procedure) override {
    return inner_.run_procedure(call, procedure);
  }
  Result<std::unique_ptr<Insert>> begin_rewrite(const Call& call, const TableRef& table,
                                                const RewriteRequest& request) override {
    return side(table->name.schema).begin_rewrite(call, table, request);
  }
  bool keeps_statistics() const override { return inner_.keeps_statistics(); }
  Status store_distinct(const Call& call, const TableRef& table,
                        const std::vector<DistinctHashes>& columns) override {
    return side(table->name.schema).store_distinct(call, table, columns);
  }
  Result<TableStatistics> statistics(const Call& call, const TableRef& table) override {
    return side(table->name.schema).statistics(call, table);
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
  const ExecutorOptions& options_;
  std::string catalog_;
  Connector& inner_;
  VirtualConnector own_;

  Identity identity(const Call& call) const { return default_identity(options_, call); }
  bool sees(const Identity& who, const std::string& schema, const std::string& table) const {
    return is_visible(options_, who, {catalog_, schema, table});
  }

  Connector& side(const std::string& schema) {
    return schema == kSchema ? static_cast<Connector&>(own_) : inner_;
  }

  // Each (schema, name, is view) the predicates leave.
  Status walk(const Call& call, const Table& table, const ScanRequest& request,
              const std::function<Status(const std::string&, const std::string&, bool)>& visit) {
    auto schema_wanted = wanted_text(table, request, "table_schema"),
         name_wanted = wanted_text(table, request, "table_name");
    ASSIGN_OR_RETURN(auto schemas, list_schemas(call));
    Identity who = identity(call);
    for (const auto& schema : schemas) {
      if (schema_wanted && schema != *schema_wanted) continue;
      if (!sees(who, schema, "")) continue;
      auto views = side(schema).list_views(call, schema);
      auto names = side(schema).list_tables(call, schema);
      if (!names || !views) continue;  // dropped meanwhile
      std::ranges::sort(*views);
      for (const auto& name : *names) {
        if (name_wanted && name != *name_wanted) continue;
        if (!sees(who, schema, name)) continue;
        RETURN_IF_ERROR(visit(schema, name, std::ranges::binary_search(*views, name)));
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
    ColumnReader reader(*this, !wanted_text(table, request, "table_name"));
    Identity who = identity(call);
    RETURN_IF_ERROR(walk(
        call, table, request,
        [&](const std::string& schema, const std::string& name, bool view) -> Status {
          int position = 0;
          std::set<std::string> denied = hidden_columns(options_, who, {catalog_, schema, name});
          for (const auto& column : reader.columns(call, {schema, name}, view)) {
            if (column.hidden || denied.contains(column.name)) continue;
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
    Identity who = identity(call);
    for (const auto& schema : schemas) {
      if (sees(who, schema, "")) rows.push_back({catalog_, schema});
    }
    return rows;
  }

  Result<Rows> privilege_rows(const Call& call) {
    Rows rows;
    if (!options_.grants) return rows;
    Identity who = identity(call);
    for (const auto& grant : options_.grants->privileges()) {
      const AccessObject& on = grant.object;
      if (grant.denied || on.catalog != catalog_ || on.table.empty()) continue;
      if (!sees(who, on.schema, on.table)) continue;
      rows.push_back({grant.grantor, "USER", grant.grantee.name,
                      grant.grantee.is_role ? "ROLE" : "USER", catalog_, on.schema, on.table,
                      grant.privilege, grant.grantable ? "YES" : "NO", std::nullopt});
    }
    return rows;
  }

  Result<Rows> role_rows() {
    Rows rows;
    if (!options_.grants) return rows;
    rows.push_back({kAdminRole});
    for (const auto& role : options_.grants->roles()) rows.push_back({role});
    return rows;
  }

  Result<Rows> applicable_rows(const Call& call) {
    Rows rows;
    if (!options_.grants) return rows;
    Identity who = identity(call);
    for (const auto& grant : options_.grants->role_grants()) {
      bool own = grant.grantee.is_role ? who.roles.contains(grant.grantee.name)
                                       : grant.grantee.name == who.user;
      if (!own) continue;
      rows.push_back({grant.grantee.name, grant.grantee.is_role ? "ROLE" : "USER", grant.role,
                      grant.admin ? "YES" : "NO"});
    }
    return rows;
  }

  Result<Rows> enabled_rows(const Call& call) {
    Rows rows;
    for (const auto& role : identity(call).roles) rows.push_back({role});
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
         [this](CallRef c, TableCref, RequestRef) { return privilege_rows(c); }},
        {kSchema, "roles", "role_name varchar",
         [this](CallRef, TableCref, RequestRef) { return role_rows(); }},
        {kSchema, "applicable_roles",
         "grantee varchar, grantee_type varchar, role_name varchar, is_grantable varchar",
         [this](CallRef c, TableCref, RequestRef) { return applicable_rows(c); }},
        {kSchema, "enabled_roles", "role_name varchar",
         [this](CallRef c, TableCref, RequestRef) { return enabled_rows(c); }},
    };
  }
};

}  // namespace

std::unique_ptr<Connector> with_information_schema(const ExecutorOptions& options,
                                                   const std::string& catalog, Connector& inner) {
  return std::make_unique<WithInformationSchema>(options, catalog, inner);
}

}  // namespace aichemy::sql
