// DROP, ALTER, DELETE of whole partitions, TRUNCATE.
#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/table_change.h"
#include "sql/hive/hive_connector.h"
#include "sql/hive/hive_errors.h"
#include "sql/hive/hive_tables.h"

namespace aichemy::sql {
namespace {

constexpr const char* kNoRowChanges =
    "Modifying Hive table rows is only supported for transactional tables";

std::unexpected<Error> not_supported(const std::string& message) {
  return fail(Code::unsupported, "NOT_SUPPORTED", message);
}

struct HiveChange final : Change {
  std::shared_ptr<const HiveTable> table;
  std::vector<std::string> partitions;  // to be dropped
  bool planned = false;
};

// Whether rows are put into buckets, or sorted there, by the column.
bool divides_rows(const hive::StorageDescriptor& storage, const std::vector<std::string>& path) {
  if (path.size() != 1) return false;
  auto is_it = [&](const std::string& name) { return lower(name) == path[0]; };
  const auto& buckets = storage.bucket_columns;
  const auto& sorted = storage.sort_columns;
  return (buckets && std::ranges::any_of(*buckets, is_it)) ||
         (sorted && std::ranges::any_of(*sorted, is_it, &hive::Order::column));
}

}  // namespace

Status HiveConnector::drop_table(const Call& call, const TableName& name) {
  RETURN_IF_ERROR(existing_table(call, name));
  return hive_words(o_.catalog.drop_table(call, name.schema, name.table, true));
}

Status HiveConnector::rename_table(const Call& call, const TableName& from, const TableName& to) {
  ASSIGN_OR_RETURN(auto table, existing_table(call, from));
  hive::Table source = table->source;
  source.name = to.table;
  source.database_name = to.schema;
  return hive_words(o_.catalog.alter_table(call, from.schema, from.table, std::move(source), {}));
}

Status HiveConnector::change_table(const Call& call, const TableName& name,
                                   const TableChange& change) {
  using Kind = TableChange::Kind;
  ASSIGN_OR_RETURN(auto table, existing_table(call, name));
  hive::Table source = table->source;
  auto& columns = *source.storage->columns;
  auto find = [&](auto& fields) {
    return std::ranges::find_if(fields, [&](const hive::FieldSchema& field) {
      return !change.path.empty() && field.name == change.path.back();
    });
  };
  auto column = find(columns);
  bool known = column != columns.end();
  bool key = find(*source.partition_keys) != source.partition_keys->end();
  bool divides = divides_rows(*source.storage, change.path);
  bool nested = change.path.size() > 1;
  switch (change.kind) {
    case Kind::add_column: {
      if (nested) return not_supported("This connector does not support adding fields");
      if (change.first || change.after)
        return not_supported(
            "This connector does not support adding columns with FIRST or AFTER "
            "clause");
      if (!change.column.properties.empty()) {
        return fail(Code::invalid, "INVALID_COLUMN_PROPERTY",
                    fmt::format("Partition projection cannot be defined for non-partition column: "
                                "'{}'",
                                change.path.back()));
      }
      ColumnInfo added = change.column;
      added.name = change.path.back();
      std::ranges::transform(added.name, added.name.begin(),
                             [](unsigned char c) { return std::tolower(c); });
      ASSIGN_OR_RETURN(hive::FieldSchema field, metastore_column(added));
      columns.push_back(std::move(field));
      break;
    }
    case Kind::drop_column:
      if (nested) return not_supported("This connector does not support dropping fields");
      if (key) return not_supported("Cannot drop partition column");
      if (divides) return not_supported("Cannot drop bucketing or sorting column");
      if (columns.size() <= 1)
        return not_supported("Cannot drop the only non-partition column in a table");
      if (known) columns.erase(column);
      break;
    case Kind::rename_column:
      if (nested) return not_supported("This connector does not support renaming fields");
      if (key) return not_supported("Renaming partition columns is not supported");
      if (divides) return not_supported("Renaming bucketing or sorting columns is not supported");
      if (known) column->name = *change.text;
      break;
    case Kind::comment:
      (*source.parameters)["comment"] = change.text.value_or("");
      if (!change.text) source.parameters->erase("comment");
      break;
    case Kind::column_comment:
      if (nested) return not_supported("This connector does not support setting field comments");
      if (key) find(*source.partition_keys)->comment = change.text;
      if (known) column->comment = change.text;
      break;
    case Kind::set_owner:
      source.owner = change.text.value_or("");
      source.owner_type = change.role ? 2 : 1;
      break;
    default: return Connector::change_table(call, name, change);
  }
  return hive_words(o_.catalog.alter_table(call, name.schema, name.table, std::move(source), {}));
}

// ---- DELETE ----

Result<std::unique_ptr<Change>> HiveConnector::begin(const Call&, const TableRef& table,
                                                     Change::Kind kind) {
  const auto* ours = dynamic_cast<const HiveTable*>(table.get());
  if (!ours || kind != Change::Kind::remove) return not_supported(kNoRowChanges);
  auto change = std::make_unique<HiveChange>();
  change->kind = kind;
  change->table = std::make_shared<HiveTable>(*ours);
  return change;
}

// No row is read: what goes are whole partitions, or all that is in the table.
Result<Scan> HiveConnector::scan_change(const Call& call, const HiveTable& table,
                                        const ScanRequest& request) {
  auto& change = static_cast<HiveChange&>(*request.change);
  bool of_keys = std::ranges::all_of(request.conjuncts, [&](const Conjunct& conjunct) {
    return conjunct.column >= table.data_columns &&
           conjunct.column < table.data_columns + table.keys;
  });
  RETURN_IF_ERROR(check_stored_partitions(table));
  if (!change.exact || change.reads_all || !of_keys) return not_supported(kNoRowChanges);
  if (table.keys == 0 && !table.is_managed())
    return not_supported("Cannot delete from non-managed Hive table");
  std::vector<HivePartition> partitions;
  if (table.keys > 0) {
    ASSIGN_OR_RETURN(partitions, partitions_of(call, table, request.conjuncts));
  }
  for (const HivePartition& partition : partitions) {
    bool certain = true, all = true;
    for (const Conjunct& conjunct : request.conjuncts) {
      size_t key = conjunct.column - table.data_columns;
      auto truth = is_true_for(conjunct, partition.values[key], table.key(key).type);
      certain = certain && truth.has_value();
      all = all && truth.value_or(true);
    }
    if (!certain) return not_supported(kNoRowChanges);
    if (all) change.partitions.push_back(partition.name);
  }
  change.planned = true;
  auto nothing = std::make_shared<LakeScan>();
  int32_t id = 1;
  for (const ColumnInfo& column : table.columns) {
    LakeColumn made;
    made.type = column.type;
    made.field_id.id = id++;
    nothing->columns.push_back(std::move(made));
  }
  return Scan(o_.lake_scans.add(std::move(nothing)));
}

Result<ChangeWork> HiveConnector::arrange(const Call&, Change&, const std::vector<FilePositions>&) {
  return ChangeWork{};
}

Status HiveConnector::finish(const Call& call, Change& change, ChangedFiles) {
  auto& ours = static_cast<HiveChange&>(change);
  const HiveTable& table = *ours.table;
  if (!ours.planned) return not_supported(kNoRowChanges);
  if (table.keys == 0)
    return hive_words(
        o_.catalog.truncate_table(call, table.name.schema, table.name.table, std::nullopt));
  if (ours.partitions.empty()) return {};
  auto dropped = o_.catalog.drop_partitions(call, table.name.schema, table.name.table,
                                            ours.partitions, true, true);
  if (!dropped) return std::unexpected(hive_words(dropped.error()));
  return {};
}

Status HiveConnector::truncate(const Call& call, const TableRef& ref) {
  const auto* table = dynamic_cast<const HiveTable*>(ref.get());
  if (!table) return not_supported("This connector does not support truncating tables");
  RETURN_IF_ERROR(check_stored_partitions(*table));
  if (!table->is_managed()) return not_supported("Cannot truncate non-managed Hive table");
  return hive_words(
      o_.catalog.truncate_table(call, table->name.schema, table->name.table, std::nullopt));
}

}  // namespace aichemy::sql
