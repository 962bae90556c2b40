// Partitions and statistics. // lint: table
#include <algorithm>

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
using Query = catalog::HiveCatalog::PartitionQuery;
using enum Thrown;

string in_catalog(const MaybeText& catalog, const string& database) {
  if (!catalog || catalog->empty() || database.starts_with('@')) return database;
  return "@" + *catalog + "#" + database;
}

// "" values stand for any.
Query prefix_query(Strings values, int max) { return {std::move(values), "", max}; }

Result<Raw> add_one(Exchange& e, const hive::Partition& partition) {
  ASSIGN_OR_RETURN(auto added,
                   e.hive.add_partitions(e.call, partition.database_name.value_or(""),
                                         partition.table_name.value_or(""), {partition}, false));
  return std::move(added[0]);
}

Result<int32_t> add_many(Exchange& e, Vector<hive::Partition> partitions) {
  if (partitions.empty()) return 0;
  const hive::Partition& first = partitions[0];
  for (const hive::Partition& partition : partitions) {
    if (partition.database_name == first.database_name && partition.table_name == first.table_name)
      continue;
    return fail(Code::invalid, "invalid_object", "the partitions belong to different tables");
  }
  string database = first.database_name.value_or(""), table = first.table_name.value_or("");
  ASSIGN_OR_RETURN(auto added,
                   e.hive.add_partitions(e.call, database, table, std::move(partitions), false));
  return static_cast<int32_t>(added.size());
}

Result<Raw> append(Exchange& e, const string& database, const string& table, Strings values) {
  hive::Partition partition;
  partition.values = std::move(values);
  ASSIGN_OR_RETURN(auto added,
                   e.hive.add_partitions(e.call, database, table, {std::move(partition)}, false));
  return std::move(added[0]);
}

Result<Strings> values_of(const string& name) { return catalog::partition_values(name); }

Result<Raw> append_named(Exchange& e, const string& database, const string& table,
                         const string& name) {
  ASSIGN_OR_RETURN(Strings values, values_of(name));
  return append(e, database, table, std::move(values));
}

Result<bool> drop(Exchange& e, const string& database, const string& table, const Strings& values,
                  bool delete_data) {
  ASSIGN_OR_RETURN(string name, e.hive.partition_name(e.call, database, table, values));
  RETURN_IF_ERROR(e.hive.drop_partitions(e.call, database, table, {name}, delete_data, false));
  return true;
}

Result<bool> drop_named(Exchange& e, const string& database, const string& table,
                        const string& name, bool delete_data) {
  ASSIGN_OR_RETURN(Strings values, values_of(name));
  return drop(e, database, table, values, delete_data);
}

Result<hive::PartitionsResult> drop_many(Exchange& e, const hive::DropPartitionsRequest& request) {
  if (!request.parts.names) {
    return fail(Code::unsupported, "expression",
                "partitions are dropped by name here, not by a serialized expression");
  }
  ASSIGN_OR_RETURN(auto dropped,
                   e.hive.drop_partitions(
                       e.call, in_catalog(request.catalog_name, request.database_name),
                       request.table_name, *request.parts.names,
                       request.delete_data.value_or(false), request.if_exists.value_or(true)));
  hive::PartitionsResult result;
  if (request.need_result.value_or(true)) result.partitions = std::move(dropped);
  return result;
}

Status alter(Exchange& e, const string& database, const string& table,
             Vector<hive::Partition> partitions) {
  return e.hive.alter_partitions(e.call, database, table, std::move(partitions));
}

Result<hive::AddPartitionsResult> add_request(Exchange& e, hive::AddPartitionsRequest request) {
  ASSIGN_OR_RETURN(auto added,
                   e.hive.add_partitions(
                       e.call, in_catalog(request.catalog_name, request.database_name),
                       request.table_name, std::move(request.partitions), request.if_not_exists));
  hive::AddPartitionsResult result;
  if (request.need_result.value_or(true)) result.partitions = std::move(added);
  return result;
}

Result<Vector<Raw>> encoded(Result<Vector<hive::ColumnStatisticsObject>> objects) {
  if (!objects) return std::unexpected(objects.error());
  Vector<Raw> raws;
  for (const auto& object : *objects) raws.push_back({thrift::encode(object)});
  return raws;
}

Result<hive::PartitionsStatisticsResult> partition_statistics(
    Exchange& e, const hive::PartitionsStatisticsRequest& request) {
  string database = in_catalog(request.catalog_name, request.database_name);
  hive::PartitionsStatisticsResult result;
  for (const string& name : request.partition_names) {
    ASSIGN_OR_RETURN(auto objects,
                     encoded(e.hive.load_statistics(e.call, database, request.table_name, name,
                                                    request.column_names)));
    if (!objects.empty()) result.partitions.emplace(name, std::move(objects));
  }
  return result;
}

Result<bool> update_statistics(Exchange& e, const hive::ColumnStatistics& statistics) {
  RETURN_IF_ERROR(e.hive.update_statistics(e.call, statistics));
  return true;
}

Result<hive::SetStatisticsResult> update_many(Exchange& e,
                                              const hive::SetStatisticsRequest& request) {
  if (request.need_merge.value_or(false)) {
    return fail(Code::unsupported, "statistics",
                "statistics are replaced, not merged: send the whole ones");
  }
  for (const auto& statistics : request.statistics)
    RETURN_IF_ERROR(e.hive.update_statistics(e.call, statistics));
  return hive::SetStatisticsResult{true};
}

Result<hive::ColumnStatistics> one_column(Exchange& e, const string& database, const string& table,
                                          const string& partition, const string& column) {
  hive::ColumnStatistics statistics;
  ASSIGN_OR_RETURN(statistics.columns,
                   e.hive.load_statistics(e.call, database, table, partition, {column}));
  if (statistics.columns.empty()) {
    return fail(Code::not_found, "no_such_statistics",
                "there are no statistics of column " + column + " of " + database + "." + table);
  }
  statistics.description = {partition.empty(), database, table, {}, {}, "hive"};
  if (!partition.empty()) statistics.description.partition_name = partition;
  return statistics;
}

Result<bool> delete_statistics(Exchange& e, const string& database, const string& table,
                               const string& partition, const MaybeText& column) {
  RETURN_IF_ERROR(e.hive.delete_statistics(e.call, database, table, partition, column));
  return true;
}

const Vector<Thrown> kAdd = {invalid_object, already_exists, meta};
const Vector<Thrown> kAlter = {invalid_operation, meta};
const Vector<Thrown> kMetaFirst = {meta, no_such_object};
const Vector<Thrown> kMissingFirst = {no_such_object, meta};
const Vector<Thrown> kUpdate = {no_such_object, invalid_object, meta, invalid_input};
const Vector<Thrown> kDelete = {no_such_object, meta, invalid_object, invalid_input};
const Vector<Thrown> kLoad = {no_such_object, meta, invalid_input, invalid_object};

}  // namespace

const Vector<Method>& partition_methods() {  // lint: table
  static const Vector<Method> kMethods = {
      {"add_partition",
       bind([](Exchange& e, hive::Partition partition) { return add_one(e, partition); }), kAdd},
      {"add_partition_with_environment_context",
       bind([](Exchange& e, hive::Partition partition, Context) { return add_one(e, partition); }),
       kAdd},
      {"add_partitions", bind([](Exchange& e, Vector<hive::Partition> partitions) {
         return add_many(e, std::move(partitions));
       }),
       kAdd},
      {"add_partitions_req", bind([](Exchange& e, hive::AddPartitionsRequest request) {
         return add_request(e, std::move(request));
       }),
       kAdd},
      {"append_partition", bind([](Exchange& e, string database, string table, Strings values) {
         return append(e, database, table, std::move(values));
       }),
       kAdd},
      {"append_partition_with_environment_context",
       bind([](Exchange& e, string database, string table, Strings values, Context) {
         return append(e, database, table, std::move(values));
       }),
       kAdd},
      {"append_partition_by_name",
       bind([](Exchange& e, string database, string table, string name) {
         return append_named(e, database, table, name);
       }),
       kAdd},
      {"get_partition", bind([](Exchange& e, string database, string table, Strings values) {
         return e.hive.load_partition(e.call, database, table, values);
       }),
       kMetaFirst},
      {"get_partition_with_auth",
       bind([](Exchange& e, string database, string table, Strings values, string, Strings) {
         return e.hive.load_partition(e.call, database, table, values);
       }),
       kMetaFirst},
      {"get_partition_req",
       bind([](Exchange& e, hive::GetPartitionRequest request) -> Result<hive::PartitionResult> {
         ASSIGN_OR_RETURN(
             Raw partition,
             e.hive.load_partition(e.call, in_catalog(request.catalog_name, request.database_name),
                                   request.table_name, request.values));
         return hive::PartitionResult{std::move(partition)};
       }),
       kMetaFirst},
      {"get_partition_by_name",
       bind([](Exchange& e, string database, string table, string name) -> Result<Raw> {
         ASSIGN_OR_RETURN(Strings values, values_of(name));
         return e.hive.load_partition(e.call, database, table, values);
       }),
       kMetaFirst},
      {"get_partitions", bind([](Exchange& e, string database, string table, int16_t max) {
         return e.hive.find_partitions(e.call, database, table, {{}, "", max});
       }),
       kMissingFirst},
      {"get_partitions_with_auth",
       bind([](Exchange& e, string database, string table, int16_t max, string, Strings) {
         return e.hive.find_partitions(e.call, database, table, {{}, "", max});
       }),
       kMissingFirst},
      {"get_partitions_req",
       bind([](Exchange& e, hive::PartitionsRequest request) -> Result<hive::PartitionsResult> {
         ASSIGN_OR_RETURN(auto found,
                          e.hive.find_partitions(
                              e.call, in_catalog(request.catalog_name, request.database_name),
                              request.table_name, {{}, "", request.partitions_max.value_or(-1)}));
         return hive::PartitionsResult{std::move(found)};
       }),
       kMissingFirst},
      {"get_partitions_ps",
       bind([](Exchange& e, string database, string table, Strings values, int16_t max) {
         return e.hive.find_partitions(e.call, database, table, prefix_query(values, max));
       }),
       kMetaFirst},
      {"get_partitions_ps_with_auth",
       bind([](Exchange& e, string database, string table, Strings values, int16_t max, string,
               Strings) {
         return e.hive.find_partitions(e.call, database, table, prefix_query(values, max));
       }),
       kMissingFirst},
      {"get_partitions_by_filter",
       bind([](Exchange& e, string database, string table, string filter, int16_t max) {
         return e.hive.find_partitions(e.call, database, table, {{}, filter, max});
       }),
       kMetaFirst},
      // The expression is Java's: the client has to look again at what it is given.
      {"get_partitions_by_expr",
       bind([](Exchange& e, hive::PartitionsByExpressionRequest request)
                -> Result<hive::PartitionsByExpressionResult> {
         ASSIGN_OR_RETURN(auto found,
                          e.hive.find_partitions(
                              e.call, in_catalog(request.catalog_name, request.database_name),
                              request.table_name, {{}, "", request.partitions_max.value_or(-1)}));
         return hive::PartitionsByExpressionResult{std::move(found), true};
       }),
       kMetaFirst},
      {"get_partitions_by_names",
       bind([](Exchange& e, string database, string table, Strings names) {
         return e.hive.load_partitions(e.call, database, table, names);
       }),
       kMetaFirst},
      {"get_partitions_by_names_req",
       bind([](Exchange& e,
               hive::GetPartitionsByNamesRequest request) -> Result<hive::PartitionsResult> {
         ASSIGN_OR_RETURN(auto found,
                          e.hive.load_partitions(e.call, request.database_name, request.table_name,
                                                 request.names.value_or(Strings())));
         return hive::PartitionsResult{std::move(found)};
       }),
       kMetaFirst},
      {"get_partition_names", bind([](Exchange& e, string database, string table, int16_t max) {
         return e.hive.partition_names(e.call, database, table, {{}, "", max});
       }),
       kMissingFirst},
      {"get_partition_names_ps",
       bind([](Exchange& e, string database, string table, Strings values, int16_t max) {
         return e.hive.partition_names(e.call, database, table, prefix_query(values, max));
       }),
       kMetaFirst},
      {"get_partition_names_ps_req",
       bind([](Exchange& e, hive::PartitionNamesRequest request) -> Result<hive::NamesResult> {
         ASSIGN_OR_RETURN(
             auto names,
             e.hive.partition_names(e.call, in_catalog(request.catalog_name, request.database_name),
                                    request.table_name,
                                    prefix_query(request.values.value_or(Strings()),
                                                 request.partitions_max.value_or(-1))));
         return hive::NamesResult{std::move(names)};
       }),
       kMetaFirst},
      {"get_num_partitions_by_filter",
       bind([](Exchange& e, string database, string table, string filter) -> Result<int32_t> {
         ASSIGN_OR_RETURN(auto names,
                          e.hive.partition_names(e.call, database, table, {{}, filter, -1}));
         return static_cast<int32_t>(names.size());
       }),
       kMetaFirst},
      {"alter_partition",
       bind([](Exchange& e, string database, string table, hive::Partition partition) {
         return alter(e, database, table, {std::move(partition)});
       }),
       kAlter},
      {"alter_partition_with_environment_context",
       bind([](Exchange& e, string database, string table, hive::Partition partition, Context) {
         return alter(e, database, table, {std::move(partition)});
       }),
       kAlter},
      {"alter_partitions",
       bind([](Exchange& e, string database, string table, Vector<hive::Partition> partitions) {
         return alter(e, database, table, std::move(partitions));
       }),
       kAlter},
      {"alter_partitions_with_environment_context",
       bind([](Exchange& e, string database, string table, Vector<hive::Partition> partitions,
               Context) { return alter(e, database, table, std::move(partitions)); }),
       kAlter},
      {"alter_partitions_req",
       bind([](Exchange& e, hive::AlterPartitionsRequest request) -> Result<hive::Nothing> {
         RETURN_IF_ERROR(alter(e, in_catalog(request.catalog_name, request.database_name),
                               request.table_name, std::move(request.partitions)));
         return hive::Nothing{};
       }),
       kAlter},
      {"rename_partition",
       bind([](Exchange& e, string database, string table, Strings values,
               hive::Partition partition) {
         return e.hive.rename_partition(e.call, database, table, values, partition);
       }),
       kAlter},
      {"rename_partition_req",
       bind([](Exchange& e, hive::RenamePartitionRequest request) -> Result<hive::Nothing> {
         RETURN_IF_ERROR(e.hive.rename_partition(
             e.call, in_catalog(request.catalog_name, request.database_name), request.table_name,
             request.values, request.partition));
         return hive::Nothing{};
       }),
       kAlter},
      {"drop_partition",
       bind([](Exchange& e, string database, string table, Strings values, bool delete_data) {
         return drop(e, database, table, values, delete_data);
       }),
       kMissingFirst},
      {"drop_partition_with_environment_context",
       bind([](Exchange& e, string database, string table, Strings values, bool delete_data,
               Context) { return drop(e, database, table, values, delete_data); }),
       kMissingFirst},
      {"drop_partition_by_name",
       bind([](Exchange& e, string database, string table, string name, bool delete_data) {
         return drop_named(e, database, table, name, delete_data);
       }),
       kMissingFirst},
      {"drop_partition_by_name_with_environment_context",
       bind([](Exchange& e, string database, string table, string name, bool delete_data, Context) {
         return drop_named(e, database, table, name, delete_data);
       }),
       kMissingFirst},
      {"drop_partitions_req",
       bind([](Exchange& e, hive::DropPartitionsRequest request) { return drop_many(e, request); }),
       kMissingFirst},
      {"partition_name_to_vals",
       bind([](Exchange&, string name) -> Result<Strings> { return values_of(name); }),
       {meta}},
      {"partition_name_to_spec",
       bind(
           [](Exchange&, string name) -> Result<hive::Parameters> {
             ASSIGN_OR_RETURN(Strings values, values_of(name));
             hive::Parameters spec;
             size_t index = 0;
             for (size_t at = 0; at <= name.size() && index < values.size(); ++index) {
               spec[name.substr(at, name.find('=', at) - at)] = values[index];
               at = std::min(name.find('/', at), name.size()) + 1;
             }
             return spec;
           }),
       {meta}},
      {"update_table_column_statistics", bind([](Exchange& e, hive::ColumnStatistics statistics) {
         return update_statistics(e, statistics);
       }),
       kUpdate},
      {"update_partition_column_statistics",
       bind([](Exchange& e, hive::ColumnStatistics statistics) {
         return update_statistics(e, statistics);
       }),
       kUpdate},
      {"update_table_column_statistics_req",
       bind(
           [](Exchange& e, hive::SetStatisticsRequest request) { return update_many(e, request); }),
       kUpdate},
      {"update_partition_column_statistics_req",
       bind(
           [](Exchange& e, hive::SetStatisticsRequest request) { return update_many(e, request); }),
       kUpdate},
      {"set_aggr_stats_for",
       bind([](Exchange& e, hive::SetStatisticsRequest request) -> Result<bool> {
         RETURN_IF_ERROR(update_many(e, request));
         return true;
       }),
       {no_such_object, invalid_object, meta, invalid_input}},
      {"get_table_column_statistics",
       bind([](Exchange& e, string database, string table, string column) {
         return one_column(e, database, table, "", column);
       }),
       kLoad},
      {"get_partition_column_statistics",
       bind([](Exchange& e, string database, string table, string partition, string column) {
         return one_column(e, database, table, partition, column);
       }),
       kLoad},
      {"get_table_statistics_req",
       bind([](Exchange& e,
               hive::TableStatisticsRequest request) -> Result<hive::TableStatisticsResult> {
         ASSIGN_OR_RETURN(auto objects,
                          encoded(e.hive.load_statistics(
                              e.call, in_catalog(request.catalog_name, request.database_name),
                              request.table_name, "", request.column_names)));
         return hive::TableStatisticsResult{std::move(objects), {}};
       }),
       kMissingFirst},
      {"get_partitions_statistics_req",
       bind([](Exchange& e, hive::PartitionsStatisticsRequest request) {
         return partition_statistics(e, request);
       }),
       kMissingFirst},
      {"delete_table_column_statistics",
       bind([](Exchange& e, string database, string table, MaybeText column) {
         return delete_statistics(e, database, table, "", column);
       }),
       kDelete},
      {"delete_partition_column_statistics",
       bind([](Exchange& e, string database, string table, string partition, MaybeText column) {
         return delete_statistics(e, database, table, partition, column);
       }),
       kDelete},
  };
  return kMethods;
}

}  // namespace aichemy::serve::hms
