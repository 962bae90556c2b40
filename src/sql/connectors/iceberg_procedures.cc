// The procedures of ALTER TABLE EXECUTE and of CALL on Iceberg tables: names, arguments and limits
// as Trino's.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"
#include "sql/connectors/table_change.h"

namespace aichemy::sql {

namespace {

using tables::iceberg::TableMetadata;
using tables::iceberg::Update;

constexpr const char* kMinRetention = "7d";

struct UnitRow {
  std::string_view name;
  double millis;
};
constexpr UnitRow kDurations[] = {{"ns", 1e-6},  {"us", 1e-3},     {"ms", 1},        {"s", 1000},
                                  {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
struct SizeRow {
  std::string_view name;
  double bytes;
};
constexpr SizeRow kSizes[] = {{"B", 1},       {"kB", 0x1p10}, {"MB", 0x1p20},
                              {"GB", 0x1p30}, {"TB", 0x1p40}, {"PB", 0x1p50}};

// "1.5" and "GB"; none when it is not a number with letters after it.
std::optional<std::pair<double, std::string_view>> number_and_unit(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::pair(number, unit);
}

std::unexpected<Error> bad_argument(const std::string& message) {
  return fail(Code::invalid, "INVALID_PROCEDURE_ARGUMENT", message);
}

Result<double> duration_millis(const std::string& name, const std::string& text) {
  if (auto parts = number_and_unit(text)) {
    for (const auto& row : kDurations) {
      if (row.name == parts->second) return parts->first * row.millis;
    }
  }
  return bad_argument(
      fmt::format("Unable to set property '{}' to [{}]: duration is not a valid "
                  "data duration string: {}",
                  name, text, text));
}

// "1.00d": the largest unit that leaves a number of at least one.
std::string shown_duration(double millis) {
  const UnitRow* unit = kDurations;
  for (const auto& row : kDurations) {
    if (millis >= row.millis) unit = &row;
  }
  return fmt::format("{:.2f}{}", millis / unit->millis, unit->name);
}

Result<double> size_bytes(const std::string& name, const std::string& text) {
  if (auto parts = number_and_unit(text)) {
    for (const auto& row : kSizes) {
      if (row.name == parts->second) return parts->first * row.bytes;
    }
  }
  return bad_argument(
      fmt::format("Unable to set property '{}' to [{}]: size is not a valid data size string: {}",
                  name, text, text));
}

struct Retention {
  const char* procedure;
  const char* config;
  const char* session;
};
constexpr Retention kExpire = {"expire_snapshots", "iceberg.expire-snapshots.min-retention",
                               "expire_snapshots_min_retention"};
constexpr Retention kOrphans = {"remove_orphan_files", "iceberg.remove-orphan-files.min-retention",
                                "remove_orphan_files_min_retention"};

// The retention asked for, at least the one that protects writers and readers under way.
Result<double> checked_retention(const ProcedureCall& call, const Retention& rule) {
  ASSIGN_OR_RETURN(double wanted,
                   duration_millis("retention_threshold", call.values[0].value_or(kMinRetention)));
  auto set = call.session.find(rule.session);
  ASSIGN_OR_RETURN(
      double least,
      duration_millis(rule.session, set == call.session.end() ? kMinRetention : set->second));
  if (wanted >= least) return wanted;
  return bad_argument(fmt::format(
      "Retention specified ({}) is shorter than the minimum retention configured in the system "
      "({}). Minimum retention can be changed with {} configuration property or iceberg.{} session "
      "property",
      shown_duration(wanted), shown_duration(least), rule.config, rule.session));
}

Result<int64_t> whole_number(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (!text) return bad_argument("Procedure argument cannot be null");
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size())
    return bad_argument("not a whole number: " + *text);
  return number;
}

int64_t summary_count(const TableMetadata& metadata, const char* key) {
  const auto* snapshot = metadata.current_snapshot();
  int64_t number = 0;
  if (!snapshot) return number;
  std::string_view text = snapshot->summary_value(key);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

TableName named_table(const ProcedureCall& call) {
  if (call.table) return *call.table;
  return {call.values[0].value_or(""), call.values[1].value_or("")};
}

}  // namespace

const std::vector<Procedure>& IcebergConnector::procedures() const {
  static const std::vector<Procedure> kProcedures = {
      {"", "optimize", {{"file_size_threshold", "varchar", false}}},
      {"", "optimize_manifests", {}},
      {"",
       "expire_snapshots",
       {{"retention_threshold", "varchar", false},
        {"retain_last", "integer", false},
        {"clean_expired_metadata", "boolean", false}}},
      {"", "remove_orphan_files", {{"retention_threshold", "varchar", false}}},
      {"", "drop_extended_stats", {}},
      {"",
       "add_files",
       {{"location", "varchar", true},
        {"format", "varchar", true},
        {"recursive_directory", "varchar", false}}},
      {"",
       "add_files_from_table",
       {{"schema_name", "varchar", true},
        {"table_name", "varchar", true},
        {"partition_filter", "map(varchar, varchar)", false},
        {"recursive_directory", "varchar", false}}},
      {"", "rollback_to_snapshot", {{"snapshot_id", "bigint", true}}},
      {"system",
       "rollback_to_snapshot",
       {{"schema_name", "varchar", true},
        {"table_name", "varchar", true},
        {"snapshot_id", "bigint", true}}},
      {"system",
       "register_table",
       {{"schema_name", "varchar", true},
        {"table_name", "varchar", true},
        {"table_location", "varchar", true},
        {"metadata_file_name", "varchar", false}}},
      {"system",
       "migrate",
       {{"schema_name", "varchar", true},
        {"table_name", "varchar", true},
        {"recursive_directory", "varchar", false}}},
      {"system",
       "unregister_table",
       {{"schema_name", "varchar", true}, {"table_name", "varchar", true}}},
  };
  return kProcedures;
}

Result<ProcedureMetrics> IcebergConnector::run_procedure(const Call& call,
                                                         const ProcedureCall& procedure) {
  using Run = Result<ProcedureMetrics> (IcebergConnector::*)(
      const Call&, const catalog::EntityName&, const ProcedureCall&);
  struct Row {
    const char* name;
    Run run;
  };
  static constexpr Row kRows[] = {
      {"optimize_manifests", &IcebergConnector::optimize_manifests},
      {"expire_snapshots", &IcebergConnector::expire_snapshots},
      {"remove_orphan_files", &IcebergConnector::remove_orphan_files},
      {"drop_extended_stats", &IcebergConnector::drop_extended_stats},
      {"rollback_to_snapshot", &IcebergConnector::rollback_to_snapshot},
      {"add_files", &IcebergConnector::add_files},
      {"add_files_from_table", &IcebergConnector::add_files_from_table},
      {"migrate", &IcebergConnector::migrate},
      {"register_table", &IcebergConnector::register_table},
      {"unregister_table", &IcebergConnector::unregister_table},
  };
  for (const Row& row : kRows) {
    if (procedure.name != row.name) continue;
    ASSIGN_OR_RETURN(auto stored, find_name(call, named_table(procedure), false));
    auto done = (this->*row.run)(call, stored, procedure);
    if (!done) return std::unexpected(in_our_words(done.error()));
    return done;
  }
  return fail(Code::not_found, "PROCEDURE_NOT_FOUND",
              "Procedure not registered: " + procedure.name);
}

Result<ProcedureMetrics> IcebergConnector::optimize_manifests(const Call& call,
                                                              const catalog::EntityName& name,
                                                              const ProcedureCall&) {
  ASSIGN_OR_RETURN(auto before, catalog_.load_table(call, name));
  ASSIGN_OR_RETURN(auto after, catalog_.rewrite_manifests(call, name));
  const TableMetadata& now = *after.metadata;
  bool done = now.current_snapshot_id != before.metadata->current_snapshot_id;
  auto count = [&](const char* key) { return done ? summary_count(now, key) : 0; };
  return ProcedureMetrics{{"rewritten_manifests_count", count("manifests-replaced")},
                          {"added_manifests_count", count("manifests-created")},
                          {"kept_manifests_count", count("manifests-kept")},
                          {"processed_manifest_entries_count", count("entries-processed")}};
}

Result<ProcedureMetrics> IcebergConnector::expire_snapshots(const Call& call,
                                                            const catalog::EntityName& name,
                                                            const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(double retention, checked_retention(procedure, kExpire));
  catalog::ExpireSnapshots expire;
  expire.older_than_millis = catalog_.now_millis() - static_cast<int64_t>(retention);
  expire.retain_last = 1;
  if (procedure.values[1]) {
    ASSIGN_OR_RETURN(expire.retain_last, whole_number(procedure.values[1]));
    if (*expire.retain_last < 1)
      return bad_argument(
          fmt::format("Number of snapshots to retain must be at least 1, "
                      "cannot be: {}",
                      *expire.retain_last));
  }
  RETURN_IF_ERROR(catalog_.expire_snapshots(call, name, expire));
  if (procedure.values[2] == "true") RETURN_IF_ERROR(catalog_.remove_unused_schemas(call, name));
  return ProcedureMetrics{};
}

Result<ProcedureMetrics> IcebergConnector::remove_orphan_files(const Call& call,
                                                               const catalog::EntityName& name,
                                                               const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(double retention, checked_retention(procedure, kOrphans));
  int64_t older = catalog_.now_millis() - static_cast<int64_t>(retention);
  ASSIGN_OR_RETURN(auto found, catalog_.remove_orphan_files(call, name, older));
  return ProcedureMetrics{{"processed_manifests_count", found.manifests},
                          {"active_files_count", found.active},
                          {"scanned_files_count", found.scanned},
                          {"deleted_files_count", found.removed},
                          {"deleted_bytes", found.removed_bytes}};
}

Result<ProcedureMetrics> IcebergConnector::drop_extended_stats(const Call& call,
                                                               const catalog::EntityName& name,
                                                               const ProcedureCall&) {
  ASSIGN_OR_RETURN(auto table, catalog_.load_table(call, name));
  Update gone;
  gone.kind = Update::Kind::remove_statistics;
  for (const Json& file : table.metadata->statistics)
    gone.snapshot_ids.push_back(file["snapshot-id"].as_int());
  if (gone.snapshot_ids.empty()) return ProcedureMetrics{};
  catalog::CommitTable change{
      name, {tables::iceberg::Requirement::uuid(table.metadata->uuid)}, {std::move(gone)}};
  RETURN_IF_ERROR(catalog_.commit(call, change));
  return ProcedureMetrics{};
}

Result<ProcedureMetrics> IcebergConnector::rollback_to_snapshot(const Call& call,
                                                                const catalog::EntityName& name,
                                                                const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(int64_t id, whole_number(procedure.values.back()));
  auto done = catalog_.roll_back(call, name, id);
  if (done) return ProcedureMetrics{};
  if (!done.error().is("no_such_snapshot")) return std::unexpected(done.error());
  ASSIGN_OR_RETURN(auto table, catalog_.load_table(call, name));
  return fail(Code::invalid, "ICEBERG_INVALID_SNAPSHOT_ID",
              table.metadata->snapshot(id)
                  ? fmt::format("Cannot roll back to snapshot, not an ancestor of the current "
                                "state: {}",
                                id)
                  : fmt::format("Cannot roll back to unknown snapshot id: {}", id));
}

Result<ProcedureMetrics> IcebergConnector::register_table(const Call& call,
                                                          const catalog::EntityName& name,
                                                          const ProcedureCall& procedure) {
  ASSIGN_OR_RETURN(bool schema, catalog_.namespace_exists(call, name.space));
  if (!schema) {
    return fail(Code::not_found, "SCHEMA_NOT_FOUND",
                fmt::format("Schema '{}' does not exist", catalog::name_text(name.space)));
  }
  std::string folder = procedure.values[2].value_or("");
  while (folder.ends_with('/')) folder.pop_back();
  std::string file;
  if (procedure.values[3]) {
    if (procedure.values[3]->find('/') != std::string::npos)
      return bad_argument(*procedure.values[3] + " is not a valid metadata file");
    file = folder + "/metadata/" + *procedure.values[3];
  } else {
    ASSIGN_OR_RETURN(file, catalog_.newest_metadata(call, folder));
  }
  RETURN_IF_ERROR(catalog_.register_table(call, name, file, false));
  return ProcedureMetrics{};
}

Result<ProcedureMetrics> IcebergConnector::unregister_table(const Call& call,
                                                            const catalog::EntityName& name,
                                                            const ProcedureCall&) {
  auto done = catalog_.drop_table(call, name, false);
  if (done) return ProcedureMetrics{};
  if (!done.error().is("no_such_table")) return std::unexpected(done.error());
  return fail(Code::not_found, "TABLE_NOT_FOUND",
              fmt::format("Table '{}' not found", catalog::name_text(name)));
}

namespace {

template <class Keep>
void keep_files(tables::ScanPlan* plan, const Keep& keep) {
  std::erase_if(plan->files, [&](const tables::DataFile& file) { return !keep(file); });
  plan->record_count = plan->byte_count = 0;
  for (const tables::DataFile& file : plan->files) {
    plan->record_count += file.record_count;
    plan->byte_count += file.size;
  }
}

// Of the plan stay the files that are worth writing anew. Those of one partition become one; one
// alone stays as it is unless rows of it are gone.
void keep_worth_rewriting(const TableMetadata& metadata, double threshold, tables::ScanPlan* plan) {
  std::map<std::pair<int, std::string>, std::vector<const tables::DataFile*>> groups;
  for (const tables::DataFile& file : plan->files) {
    bool wanting = static_cast<double>(file.size) < threshold || !file.deletes.empty() ||
                   file.spec_id != metadata.default_spec_id;
    if (wanting) groups[{file.spec_id, file.partition}].push_back(&file);
  }
  std::set<std::string> chosen;
  for (const auto& [key, group] : groups) {
    bool alone = group.size() == 1 && group[0]->deletes.empty() &&
                 group[0]->spec_id == metadata.default_spec_id;
    if (alone) continue;
    for (const auto* file : group) chosen.insert(file->path);
  }
  keep_files(plan, [&](const tables::DataFile& file) { return chosen.contains(file.path); });
}

}  // namespace

Result<std::unique_ptr<Insert>> IcebergConnector::begin_rewrite(const Call& call,
                                                                const TableRef& table,
                                                                const RewriteRequest& request) {
  const auto* source = dynamic_cast<const IcebergTable*>(table.get());
  if (!source) return Connector::begin_rewrite(call, table, request);
  const catalog::LoadedTable& loaded = source->loaded;
  const TableMetadata& metadata = *loaded.metadata;
  const tables::Schema& schema = metadata.current_schema();
  for (size_t column : request.columns) {
    bool partition =
        column < schema.fields.size() &&
        std::any_of(
            metadata.default_spec().fields.begin(), metadata.default_spec().fields.end(),
            [&](const auto& field) { return field.source_id == schema.fields[column].id; });
    if (partition) continue;
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Unexpected FilterNode found in plan; probably connector was not able to handle "
                "provided WHERE expression");
  }
  tables::ScanRequest wanted;
  wanted.predicate = predicate_of(request.conjuncts, schema);
  wanted.with_bounds = false;
  ASSIGN_OR_RETURN(auto plan, catalog_.plan(call, loaded, wanted));
  if (request.files.empty()) {
    ASSIGN_OR_RETURN(double threshold, size_bytes("file_size_threshold", request.size_threshold));
    keep_worth_rewriting(metadata, threshold, &plan);
  } else {
    std::set<std::string_view> chosen(request.files.begin(), request.files.end());
    keep_files(&plan, [&](const tables::DataFile& file) { return chosen.contains(file.path); });
    if (plan.files.size() != chosen.size())
      return fail(Code::conflict, "rows_changed", "a file to rewrite is not there any more");
  }
  if (plan.files.empty()) return std::unique_ptr<Insert>();
  ASSIGN_OR_RETURN(auto insert, begin_insert(call, table));
  for (const tables::DataFile& file : plan.files) insert->files.push_back(file.path);
  auto scan = std::make_shared<LakeScan>();
  scan->plan = std::move(plan);
  scan->columns = lake_columns(*table);
  if (metadata.format_version >= 3) {
    add_lineage(&insert->target);
    add_lineage(scan.get());
  }
  insert->rewritten = scans_.add(std::move(scan));
  return insert;
}

}  // namespace aichemy::sql
