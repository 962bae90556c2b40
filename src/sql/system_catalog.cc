// The `system` catalog: jdbc.* for drivers, metadata.* for tools, runtime.* for people.
#include "sql/system_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sql/connectors/column_listing.h"
#include "sql/connectors/virtual_tables.h"
#include "sql/grant_store.h"
#include "sql/query_registry.h"
#include "sql/types/trino_errors.h"

namespace aichemy::sql {
namespace {

// java.sql.Types of each type, for the JDBC driver.
int jdbc_type(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean: return 16;
    case TypeKind::tinyint: return -6;
    case TypeKind::smallint: return 5;
    case TypeKind::integer: return 4;
    case TypeKind::bigint: return -5;
    case TypeKind::real: return 7;
    case TypeKind::double_: return 8;
    case TypeKind::decimal: return 3;
    case TypeKind::varchar: return 12;
    case TypeKind::char_: return 1;
    case TypeKind::varbinary: return -3;
    case TypeKind::date: return 91;
    case TypeKind::time: return 92;
    case TypeKind::time_tz: return 2013;
    case TypeKind::timestamp: return 93;
    case TypeKind::timestamp_tz: return 2014;
    case TypeKind::array: return 2003;
    default: return 2000;
  }
}

std::optional<std::string> column_size(const Type& type) {
  switch (type.kind) {
    case TypeKind::tinyint: return "3";
    case TypeKind::smallint: return "5";
    case TypeKind::integer: return "10";
    case TypeKind::bigint: return "19";
    case TypeKind::real: return "24";
    case TypeKind::double_: return "53";
    case TypeKind::date: return "14";
    case TypeKind::decimal:
    case TypeKind::varchar:
    case TypeKind::char_: return std::to_string(type.precision);
    case TypeKind::varbinary: return std::to_string(Type::kUnbounded);
    default: return std::nullopt;
  }
}

// LIKE patterns arrive as conjuncts only when they are plain equalities; the engine filters again.
struct SystemSource {
  const ExecutorOptions& options;
  const Catalogs& all;

  Status walk(const Call& call, const Table& table, const ScanRequest& request,
              const char* catalog_column, const char* schema_column, const char* table_column,
              const std::function<Status(const std::string&, Connector&, const std::string&,
                                         const std::string&, bool)>& visit) const {
    auto catalog_wanted = wanted_text(table, request, catalog_column),
         schema_wanted = wanted_text(table, request, schema_column);
    auto name_wanted = wanted_text(table, request, table_column);
    Identity who = default_identity(options, call);
    for (const auto& [catalog, connector] : all) {
      if (catalog_wanted && catalog != *catalog_wanted) continue;
      auto schemas = connector->list_schemas(call);
      if (!schemas) continue;
      for (const auto& schema : *schemas) {
        if (schema_wanted && schema != *schema_wanted) continue;
        if (!is_visible(options, who, {catalog, schema, ""})) continue;
        auto names = connector->list_tables(call, schema);
        auto views = connector->list_views(call, schema);
        if (!names || !views) continue;
        std::ranges::sort(*views);
        for (const auto& name : *names) {
          if (name_wanted && name != *name_wanted) continue;
          if (!is_visible(options, who, {catalog, schema, name})) continue;
          RETURN_IF_ERROR(
              visit(catalog, *connector, schema, name, std::ranges::binary_search(*views, name)));
        }
      }
    }
    return {};
  }

  Result<Rows> jdbc_catalogs() const {
    Rows rows;
    for (const auto& [name, connector] : all) rows.push_back({name});
    return rows;
  }

  Result<Rows> jdbc_schemas(const Call& call) const {
    Rows rows;
    Identity who = default_identity(options, call);
    for (const auto& [catalog, connector] : all) {
      auto schemas = connector->list_schemas(call);
      if (!schemas) continue;
      for (const auto& schema : *schemas) {
        if (is_visible(options, who, {catalog, schema, ""})) rows.push_back({schema, catalog});
      }
    }
    return rows;
  }

  Result<Rows> jdbc_tables(const Call& call, const Table& table, const ScanRequest& request) const {
    Rows rows;
    auto visit = [&](const std::string& catalog, Connector&, const std::string& schema,
                     const std::string& name, bool view) -> Status {
      rows.push_back({catalog, schema, name, view ? "VIEW" : "TABLE", std::nullopt, std::nullopt,
                      std::nullopt, std::nullopt, std::nullopt, std::nullopt});
      return {};
    };
    RETURN_IF_ERROR(walk(call, table, request, "table_cat", "table_schem", "table_name", visit));
    return rows;
  }

  Result<Rows> jdbc_columns(const Call& call, const Table& table,
                            const ScanRequest& request) const {
    Rows rows;
    std::map<const Connector*, ColumnReader> readers;
    bool whole = !wanted_text(table, request, "table_name");
    Identity who = default_identity(options, call);
    auto visit = [&](const std::string& catalog, Connector& connector, const std::string& schema,
                     const std::string& name, bool view) -> Status {
      ColumnReader& reader = readers.try_emplace(&connector, connector, whole).first->second;
      int position = 0;
      std::set<std::string> denied = hidden_columns(options, who, {catalog, schema, name});
      for (const auto& column : reader.columns(call, {schema, name}, view)) {
        if (column.hidden || denied.contains(column.name)) continue;
        const Type& type = column.type;
        bool number = type.is_numeric();
        std::optional<std::string> digits, radix, octets;
        if (type.is(TypeKind::decimal)) digits = std::to_string(type.scale);
        if (number) radix = type.is(TypeKind::real) || type.is(TypeKind::double_) ? "2" : "10";
        if (type.is_text()) octets = std::to_string(type.precision);
        rows.push_back(
            {catalog,
             schema,
             name,
             column.name,
             std::to_string(jdbc_type(type.kind)),
             type.display(),
             column_size(type),
             std::nullopt,
             digits,
             radix,
             column.nullable ? "1" : "0",
             column.comment.empty() ? std::nullopt : std::optional<std::string>(column.comment),
             std::nullopt,
             std::nullopt,
             std::nullopt,
             octets,
             std::to_string(++position),
             column.nullable ? "YES" : "NO",
             std::nullopt,
             std::nullopt,
             std::nullopt,
             std::nullopt,
             std::nullopt,
             std::nullopt});
      }
      return {};
    };
    RETURN_IF_ERROR(walk(call, table, request, "table_cat", "table_schem", "table_name", visit));
    return rows;
  }

  static Result<Rows> jdbc_types() {
    static constexpr std::string_view kNames[] = {"bigint",
                                                  "boolean",
                                                  "char",
                                                  "date",
                                                  "decimal",
                                                  "double",
                                                  "integer",
                                                  "json",
                                                  "real",
                                                  "smallint",
                                                  "time(3)",
                                                  "timestamp(3)",
                                                  "timestamp(3) with time zone",
                                                  "tinyint",
                                                  "uuid",
                                                  "varbinary",
                                                  "varchar"};
    Rows rows;
    for (auto name : kNames) {
      ASSIGN_OR_RETURN(Type type, parse_type(name));
      rows.push_back({type.display(), std::to_string(jdbc_type(type.kind)), column_size(type),
                      std::nullopt, std::nullopt, std::nullopt, "1",
                      type.is_text() ? "true" : "false", "3", "false", "false", "false",
                      std::nullopt, "0", "0", std::nullopt, std::nullopt,
                      type.is_numeric() ? std::optional<std::string>("10") : std::nullopt});
    }
    return rows;
  }

  Result<Rows> catalogs() const {
    Rows rows;
    for (const auto& [name, connector] : all)
      rows.push_back({name, name, name == "system" ? "system" : name, "AVAILABLE"});
    return rows;
  }

  Result<Rows> properties(PropertyOf of) const {
    Rows rows;
    for (const auto& [catalog, connector] : all) {
      for (const auto& one : connector->list_properties(of))
        rows.push_back({catalog, one.name, one.default_value, one.type, one.description});
    }
    return rows;
  }

  Result<Rows> table_comments(const Call& call, const Table& table,
                              const ScanRequest& request) const {
    Rows rows;
    auto visit = [&](const std::string& catalog, Connector& connector, const std::string& schema,
                     const std::string& name, bool view) -> Status {
      std::string comment;
      if (view) {
        auto found = connector.get_view(call, {schema, name});
        if (found && *found) comment = (*found)->comment;
      } else {
        auto found = connector.get_table(call, {schema, name});
        if (found && *found) comment = (*found)->comment;
      }
      rows.push_back({catalog, schema, name,
                      comment.empty() ? std::nullopt : std::optional<std::string>(comment)});
      return {};
    };
    RETURN_IF_ERROR(walk(call, table, request, "catalog_name", "schema_name", "table_name", visit));
    return rows;
  }

  Result<Rows> materialized_views(const Call& call, const Table& table,
                                  const ScanRequest& request) const {
    auto catalog_wanted = wanted_text(table, request, "catalog_name");
    auto schema_wanted = wanted_text(table, request, "schema_name");
    Rows rows;
    for (const auto& [catalog, connector] : all) {
      MaterializedViews* views = connector->materialized_views();
      if (!views || (catalog_wanted && *catalog_wanted != catalog)) continue;
      ASSIGN_OR_RETURN(auto schemas, connector->list_schemas(call));
      for (const std::string& schema : schemas) {
        if (schema == "information_schema" || (schema_wanted && *schema_wanted != schema)) continue;
        auto names = views->list(call, schema);
        if (!names) continue;  // the schema has just been dropped
        for (const std::string& name : *names) {
          ASSIGN_OR_RETURN(auto view, views->get(call, {schema, name}));
          if (!view) continue;
          ASSIGN_OR_RETURN(ViewFreshness freshness, views->freshness(call, *view));
          rows.push_back(materialized_view(catalog, schema, name, *view, freshness));
        }
      }
    }
    return rows;
  }

  static Cells materialized_view(const std::string& catalog, const std::string& schema,
                                 const std::string& name, const MaterializedView& view,
                                 const ViewFreshness& freshness) {
    static constexpr const char* kKinds[] = {"FRESH", "STALE", "UNKNOWN"};
    std::optional<WallTime> since;
    if (freshness.last_fresh_millis && freshness.kind != ViewFreshness::Kind::fresh)
      since = WallTime(std::chrono::milliseconds(*freshness.last_fresh_millis));
    return {catalog,
            schema,
            name,
            catalog,
            schema,
            view.storage,
            kKinds[static_cast<size_t>(freshness.kind)],
            time_text(since),
            view.view.comment,
            view.view.sql};
  }

  Result<Rows> nodes() const {
    std::string uri = options.queries ? options.queries->uri() : "";
    return Rows{{options.node_id, uri, options.version, "true", "active"}};
  }

  static std::optional<std::string> time_text(const std::optional<WallTime>& time) {
    if (!time) return std::nullopt;
    std::string text = format_iso8601(*time);
    text[10] = ' ';
    text.back() = '+';
    return text + "00";
  }

  std::string millis_between(WallTime from, const std::optional<WallTime>& to) const {
    auto passed = to.value_or(options.clock.wall_now()) - from;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
  }

  // As a literal of a list of texts.
  static std::string list_text(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) {
      out += out.empty() ? "['" : ", '";
      for (char c : item) out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
      out += '\'';
    }
    return out.empty() ? "[]" : out + "]";
  }

  Result<Rows> queries() const {
    Rows rows;
    if (!options.queries) return rows;
    for (const auto& query : options.queries->list()) {
      std::optional<std::string> error_type, error_code;
      if (query.error) {
        const auto* row = find_trino_error(query.error->what);
        error_type = row ? row->type : "INTERNAL_ERROR";
        error_code = query.error->what;
      }
      rows.push_back(
          {query.id, std::string(query_state_name(query.state)), query.user,
           query.source.empty() ? std::nullopt : std::optional<std::string>(query.source),
           query.sql, list_text(query.resource_group),
           millis_between(query.created, query.started ? query.started : query.ended),
           // Analysis is not timed apart from planning, and polls are not recorded.
           std::nullopt, query.started ? millis_between(*query.started, query.executing) : "0",
           time_text(query.created), time_text(query.started), std::nullopt, time_text(query.ended),
           error_type, error_code});
    }
    return rows;
  }
};

// lint: table
std::vector<VirtualTable> system_tables(std::shared_ptr<SystemSource> source) {
  using C = const Call&;
  using T = const Table&;
  using R = const ScanRequest&;
  return {
      {"jdbc", "catalogs", "table_cat varchar", [=](C, T, R) { return source->jdbc_catalogs(); }},
      {"jdbc", "schemas", "table_schem varchar, table_catalog varchar",
       [=](C c, T, R) { return source->jdbc_schemas(c); }},
      {"jdbc", "tables",
       "table_cat varchar, table_schem varchar, table_name varchar, table_type varchar, remarks "
       "varchar, type_cat varchar, "
       "type_schem varchar, type_name varchar, self_referencing_col_name varchar, ref_generation "
       "varchar",
       [=](C c, T t, R r) { return source->jdbc_tables(c, t, r); }},
      {"jdbc", "columns",
       "table_cat varchar, table_schem varchar, table_name varchar, column_name varchar, data_type "
       "bigint, type_name varchar, "
       "column_size bigint, buffer_length bigint, decimal_digits bigint, num_prec_radix bigint, "
       "nullable bigint, remarks varchar, "
       "column_def varchar, sql_data_type bigint, sql_datetime_sub bigint, char_octet_length "
       "bigint, ordinal_position bigint, "
       "is_nullable varchar, scope_catalog varchar, scope_schema varchar, scope_table varchar, "
       "source_data_type bigint, "
       "is_autoincrement varchar, is_generatedcolumn varchar",
       [=](C c, T t, R r) { return source->jdbc_columns(c, t, r); }},
      {"jdbc", "table_types", "table_type varchar",
       [](C, T, R) -> Result<Rows> { return Rows{{"TABLE"}, {"VIEW"}}; }},
      {"jdbc", "types",
       "type_name varchar, data_type bigint, precision bigint, literal_prefix varchar, "
       "literal_suffix varchar, create_params varchar, "
       "nullable bigint, case_sensitive boolean, searchable bigint, unsigned_attribute boolean, "
       "fixed_prec_scale boolean, "
       "auto_increment boolean, local_type_name varchar, minimum_scale bigint, maximum_scale "
       "bigint, sql_data_type bigint, "
       "sql_datetime_sub bigint, num_prec_radix bigint",
       [](C, T, R) { return SystemSource::jdbc_types(); }},
      {"jdbc", "attributes",
       "type_cat varchar, type_schem varchar, type_name varchar, attr_name varchar, data_type "
       "bigint, attr_type_name varchar, attr_size bigint, decimal_digits bigint, num_prec_radix "
       "bigint, nullable bigint, remarks varchar, attr_def varchar, sql_data_type bigint, "
       "sql_datetime_sub bigint, char_octet_length bigint, ordinal_position bigint, is_nullable "
       "varchar, scope_catalog varchar, scope_schema varchar, scope_table varchar, "
       "source_data_type bigint",
       nullptr},
      {"jdbc", "procedures",
       "procedure_cat varchar, procedure_schem varchar, procedure_name varchar, remarks varchar, "
       "procedure_type bigint, specific_name varchar",
       nullptr},
      {"jdbc", "procedure_columns",
       "procedure_cat varchar, procedure_schem varchar, procedure_name varchar, column_name "
       "varchar, column_type bigint, data_type bigint, type_name varchar, precision bigint, length "
       "bigint, scale bigint, radix bigint, nullable bigint, remarks varchar, column_def varchar, "
       "sql_data_type bigint, sql_datetime_sub bigint, char_octet_length bigint, ordinal_position "
       "bigint, is_nullable varchar, specific_name varchar",
       nullptr},
      {"jdbc", "pseudo_columns",
       "table_cat varchar, table_schem varchar, table_name varchar, column_name varchar, data_type "
       "bigint, column_size bigint, decimal_digits bigint, num_prec_radix bigint, column_usage "
       "varchar, remarks varchar, char_octet_length bigint, is_nullable varchar",
       nullptr},
      {"jdbc", "super_tables",
       "table_cat varchar, table_schem varchar, table_name varchar, supertable_name varchar",
       nullptr},
      {"jdbc", "super_types",
       "type_cat varchar, type_schem varchar, type_name varchar, supertype_cat varchar, "
       "supertype_schem varchar, supertype_name varchar",
       nullptr},
      {"jdbc", "udts",
       "type_cat varchar, type_schem varchar, type_name varchar, class_name varchar, data_type "
       "bigint, remarks varchar, base_type bigint",
       nullptr},
      {"metadata", "catalogs",
       "catalog_name varchar, connector_id varchar, connector_name varchar, state varchar",
       [=](C, T, R) { return source->catalogs(); }},
      {"metadata", "table_comments",
       "catalog_name varchar, schema_name varchar, table_name varchar, comment varchar",
       [=](C c, T t, R r) { return source->table_comments(c, t, r); }},
      {"metadata", "table_properties",
       "catalog_name varchar, property_name varchar, default_value varchar, type varchar, "
       "description varchar",
       [=](C, T, R) { return source->properties(PropertyOf::table); }},
      {"metadata", "schema_properties",
       "catalog_name varchar, property_name varchar, default_value varchar, type varchar, "
       "description varchar",
       [=](C, T, R) { return source->properties(PropertyOf::schema); }},
      {"metadata", "column_properties",
       "catalog_name varchar, property_name varchar, default_value varchar, type varchar, "
       "description varchar",
       [=](C, T, R) { return source->properties(PropertyOf::column); }},
      {"metadata", "materialized_view_properties",
       "catalog_name varchar, property_name varchar, default_value varchar, type varchar, "
       "description varchar",
       [=](C, T, R) { return source->properties(PropertyOf::materialized_view); }},
      {"metadata", "analyze_properties",
       "catalog_name varchar, property_name varchar, default_value varchar, type varchar, "
       "description varchar",
       [=](C, T, R) { return source->properties(PropertyOf::analyze); }},
      {"metadata", "materialized_views",
       "catalog_name varchar, schema_name varchar, name varchar, storage_catalog varchar, "
       "storage_schema varchar, storage_table varchar, freshness varchar, last_fresh_time "
       "timestamp(9) with time zone, comment varchar, definition varchar",
       [=](C c, T t, R r) { return source->materialized_views(c, t, r); }},
      {"runtime", "nodes",
       "node_id varchar, http_uri varchar, node_version varchar, coordinator boolean, state "
       "varchar",
       [=](C, T, R) { return source->nodes(); }},
      {"runtime", "queries",
       "query_id varchar, state varchar, user varchar, source varchar, query varchar, "
       "resource_group_id array(varchar), "
       "queued_time_ms bigint, analysis_time_ms bigint, planning_time_ms bigint, created "
       "timestamp(3) with time zone, "
       "started timestamp(3) with time zone, last_heartbeat timestamp(3) with time zone, end "
       "timestamp(3) with time zone, "
       "error_type varchar, error_code varchar",
       [=](C, T, R) { return source->queries(); }},
      {"runtime", "transactions",
       "transaction_id varchar, isolation_level varchar, read_only boolean, auto_commit_context "
       "boolean",
       nullptr},
  };
}

}  // namespace

Identity default_identity(const ExecutorOptions& options, const Call& call) {
  Session session;
  session.user = call.principal;
  auto roles = enabled_roles(options.grants, session);
  return {call.principal, roles ? std::move(*roles) : std::set<std::string>()};
}

bool is_visible(const ExecutorOptions& options, const Identity& who, const AccessObject& object) {
  if (!options.access || who.user.empty()) return true;
  auto seen = options.access->allows(who, Right::visible, false, object);
  return seen && *seen;
}

std::set<std::string> hidden_columns(const ExecutorOptions& options, const Identity& who,
                                     const AccessObject& table) {
  if (!options.access || who.user.empty()) return {};
  return options.access->hidden_columns(who, table);
}

std::unique_ptr<Connector> make_system_catalog(const ExecutorOptions& options,
                                               const Catalogs& all) {
  return std::make_unique<VirtualConnector>(
      system_tables(std::make_shared<SystemSource>(SystemSource{options, all})), options.texts);
}

}  // namespace aichemy::sql
