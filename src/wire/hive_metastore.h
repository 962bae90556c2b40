// The Hive Metastore's messages as field tables: hive_metastore.thrift of Hive 4, a superset by
// field id of what 2.x and 3.x clients speak. Only what our methods read or answer; other fields
// are skipped. Enumerations are their numbers. // lint: table
#pragma once

#include "wire/thrift.h"

namespace aichemy::wire::hive {

using Parameters = std::map<std::string, std::string>;

enum class PrincipalType : int32_t { user = 1, role = 2, group = 3 };
enum class LockType : int32_t {
  shared_read = 1,
  shared_write = 2,
  exclusive = 3,
  exclusive_write = 4
};
enum class LockLevel : int32_t { database = 1, table = 2, partition = 3 };
enum class LockState : int32_t { acquired = 1, waiting = 2, aborted = 3, not_acquired = 4 };

struct FieldSchema {
  std::optional<std::string> name;
  std::optional<std::string> type;
  std::optional<std::string> comment;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &FieldSchema::name), thrift::field(2, &FieldSchema::type),
                 thrift::field(3, &FieldSchema::comment)};
};

// 1 ascending, 0 descending.
struct Order {
  std::string column;
  int32_t direction = 0;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &Order::column), thrift::field(2, &Order::direction)};
};

struct SerDeInfo {
  std::optional<std::string> name;
  std::optional<std::string> serialization_library;
  std::optional<Parameters> parameters;
  std::optional<std::string> description;
  std::optional<std::string> serializer_class;
  std::optional<std::string> deserializer_class;
  std::optional<int32_t> serde_type;

  static constexpr auto kFields = std::tuple{thrift::field(1, &SerDeInfo::name),
                                             thrift::field(2, &SerDeInfo::serialization_library),
                                             thrift::field(3, &SerDeInfo::parameters),
                                             thrift::field(4, &SerDeInfo::description),
                                             thrift::field(5, &SerDeInfo::serializer_class),
                                             thrift::field(6, &SerDeInfo::deserializer_class),
                                             thrift::field(7, &SerDeInfo::serde_type)};
};

struct SkewedInfo {
  std::vector<std::string> column_names;
  std::vector<std::vector<std::string>> column_values;
  std::map<std::vector<std::string>, std::string> location_maps;

  static constexpr auto kFields = std::tuple{thrift::field(1, &SkewedInfo::column_names),
                                             thrift::field(2, &SkewedInfo::column_values),
                                             thrift::field(3, &SkewedInfo::location_maps)};
};

struct StorageDescriptor {
  std::optional<std::vector<FieldSchema>> columns;
  std::optional<std::string> location;
  std::optional<std::string> input_format;
  std::optional<std::string> output_format;
  std::optional<bool> compressed;
  std::optional<int32_t> buckets;
  std::optional<SerDeInfo> serde;
  std::optional<std::vector<std::string>> bucket_columns;
  std::optional<std::vector<Order>> sort_columns;
  std::optional<Parameters> parameters;
  std::optional<SkewedInfo> skewed;
  std::optional<bool> stored_as_sub_directories;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &StorageDescriptor::columns),
                 thrift::field(2, &StorageDescriptor::location),
                 thrift::field(3, &StorageDescriptor::input_format),
                 thrift::field(4, &StorageDescriptor::output_format),
                 thrift::field(5, &StorageDescriptor::compressed),
                 thrift::field(6, &StorageDescriptor::buckets),
                 thrift::field(7, &StorageDescriptor::serde),
                 thrift::field(8, &StorageDescriptor::bucket_columns),
                 thrift::field(9, &StorageDescriptor::sort_columns),
                 thrift::field(10, &StorageDescriptor::parameters),
                 thrift::field(11, &StorageDescriptor::skewed),
                 thrift::field(12, &StorageDescriptor::stored_as_sub_directories)};
};

struct PrivilegeGrantInfo {
  std::string privilege;
  int32_t create_time = 0;
  std::string grantor;
  int32_t grantor_type = 0;
  bool grant_option = false;

  static constexpr auto kFields = std::tuple{thrift::field(1, &PrivilegeGrantInfo::privilege),
                                             thrift::field(2, &PrivilegeGrantInfo::create_time),
                                             thrift::field(3, &PrivilegeGrantInfo::grantor),
                                             thrift::field(4, &PrivilegeGrantInfo::grantor_type),
                                             thrift::field(5, &PrivilegeGrantInfo::grant_option)};
};

struct PrincipalPrivilegeSet {
  std::map<std::string, std::vector<PrivilegeGrantInfo>> users;
  std::map<std::string, std::vector<PrivilegeGrantInfo>> groups;
  std::map<std::string, std::vector<PrivilegeGrantInfo>> roles;

  static constexpr auto kFields = std::tuple{thrift::field(1, &PrincipalPrivilegeSet::users),
                                             thrift::field(2, &PrincipalPrivilegeSet::groups),
                                             thrift::field(3, &PrincipalPrivilegeSet::roles)};
};

// Of a materialized view.
struct CreationMetadata {
  std::string catalog_name;
  std::string database_name;
  std::string table_name;
  thrift::Set<std::string> tables_used;
  std::optional<std::string> valid_transactions;
  std::optional<int64_t> materialization_time;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &CreationMetadata::catalog_name),
                 thrift::field(2, &CreationMetadata::database_name),
                 thrift::field(3, &CreationMetadata::table_name),
                 thrift::field(4, &CreationMetadata::tables_used),
                 thrift::field(5, &CreationMetadata::valid_transactions),
                 thrift::field(6, &CreationMetadata::materialization_time)};
};

struct Database {
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> location;
  std::optional<Parameters> parameters;
  std::optional<PrincipalPrivilegeSet> privileges;
  std::optional<std::string> owner;
  std::optional<int32_t> owner_type;
  std::optional<std::string> catalog_name;
  std::optional<int32_t> create_time;
  std::optional<std::string> managed_location;

  static constexpr auto kFields = std::tuple{
      thrift::field(1, &Database::name),        thrift::field(2, &Database::description),
      thrift::field(3, &Database::location),    thrift::field(4, &Database::parameters),
      thrift::field(5, &Database::privileges),  thrift::field(6, &Database::owner),
      thrift::field(7, &Database::owner_type),  thrift::field(8, &Database::catalog_name),
      thrift::field(9, &Database::create_time), thrift::field(10, &Database::managed_location)};
};

struct Table {
  std::optional<std::string> name;
  std::optional<std::string> database_name;
  std::optional<std::string> owner;
  std::optional<int32_t> create_time;
  std::optional<int32_t> last_access_time;
  std::optional<int32_t> retention;
  std::optional<StorageDescriptor> storage;
  std::optional<std::vector<FieldSchema>> partition_keys;
  std::optional<Parameters> parameters;
  std::optional<std::string> view_original_text;
  std::optional<std::string> view_expanded_text;
  std::optional<std::string> table_type;
  std::optional<bool> temporary;
  std::optional<bool> rewrite_enabled;
  std::optional<CreationMetadata> creation_metadata;
  std::optional<std::string> catalog_name;
  std::optional<int32_t> owner_type;

  static constexpr auto kFields = std::tuple{thrift::field(1, &Table::name),
                                             thrift::field(2, &Table::database_name),
                                             thrift::field(3, &Table::owner),
                                             thrift::field(4, &Table::create_time),
                                             thrift::field(5, &Table::last_access_time),
                                             thrift::field(6, &Table::retention),
                                             thrift::field(7, &Table::storage),
                                             thrift::field(8, &Table::partition_keys),
                                             thrift::field(9, &Table::parameters),
                                             thrift::field(10, &Table::view_original_text),
                                             thrift::field(11, &Table::view_expanded_text),
                                             thrift::field(12, &Table::table_type),
                                             thrift::field(14, &Table::temporary),
                                             thrift::field(15, &Table::rewrite_enabled),
                                             thrift::field(16, &Table::creation_metadata),
                                             thrift::field(17, &Table::catalog_name),
                                             thrift::field(18, &Table::owner_type)};
};

struct Partition {
  std::vector<std::string> values;
  std::optional<std::string> database_name;
  std::optional<std::string> table_name;
  std::optional<int32_t> create_time;
  std::optional<int32_t> last_access_time;
  std::optional<StorageDescriptor> storage;
  std::optional<Parameters> parameters;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{
      thrift::field(1, &Partition::values),           thrift::field(2, &Partition::database_name),
      thrift::field(3, &Partition::table_name),       thrift::field(4, &Partition::create_time),
      thrift::field(5, &Partition::last_access_time), thrift::field(6, &Partition::storage),
      thrift::field(7, &Partition::parameters),       thrift::field(9, &Partition::catalog_name)};
};

struct EnvironmentContext {
  std::optional<Parameters> properties;

  static constexpr auto kFields = std::tuple{thrift::field(1, &EnvironmentContext::properties)};
};

// A struct without fields we know.
struct Nothing {
  static constexpr auto kFields = std::tuple<>{};
};

struct GetTableRequest {
  std::string database_name;
  std::string table_name;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetTableRequest::database_name),
                                             thrift::field(2, &GetTableRequest::table_name),
                                             thrift::field(4, &GetTableRequest::catalog_name)};
};

struct GetTableResult {
  thrift::Raw table;
  std::optional<bool> is_stats_compliant;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetTableResult::table),
                                             thrift::field(2, &GetTableResult::is_stats_compliant)};
};

struct GetTablesRequest {
  std::string database_name;
  std::optional<std::vector<std::string>> table_names;
  std::optional<std::string> catalog_name;
  std::optional<std::string> pattern;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetTablesRequest::database_name),
                                             thrift::field(2, &GetTablesRequest::table_names),
                                             thrift::field(4, &GetTablesRequest::catalog_name),
                                             thrift::field(8, &GetTablesRequest::pattern)};
};

struct GetTablesResult {
  std::vector<thrift::Raw> tables;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetTablesResult::tables)};
};

struct TableMeta {
  std::string database_name;
  std::string table_name;
  std::string table_type;
  std::optional<std::string> comments;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{
      thrift::field(1, &TableMeta::database_name), thrift::field(2, &TableMeta::table_name),
      thrift::field(3, &TableMeta::table_type), thrift::field(4, &TableMeta::comments),
      thrift::field(5, &TableMeta::catalog_name)};
};

// Constraints are fields 3 to 8.
struct CreateTableRequest {
  Table table;
  std::optional<EnvironmentContext> context;
  std::optional<std::vector<Nothing>> primary_keys;
  std::optional<std::vector<Nothing>> foreign_keys;
  std::optional<std::vector<Nothing>> unique_constraints;
  std::optional<std::vector<Nothing>> not_null_constraints;
  std::optional<std::vector<Nothing>> default_constraints;
  std::optional<std::vector<Nothing>> check_constraints;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &CreateTableRequest::table),
                 thrift::field(2, &CreateTableRequest::context),
                 thrift::field(3, &CreateTableRequest::primary_keys),
                 thrift::field(4, &CreateTableRequest::foreign_keys),
                 thrift::field(5, &CreateTableRequest::unique_constraints),
                 thrift::field(6, &CreateTableRequest::not_null_constraints),
                 thrift::field(7, &CreateTableRequest::default_constraints),
                 thrift::field(8, &CreateTableRequest::check_constraints)};
};

struct AlterTableRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  Table table;
  std::optional<EnvironmentContext> context;

  static constexpr auto kFields = std::tuple{thrift::field(1, &AlterTableRequest::catalog_name),
                                             thrift::field(2, &AlterTableRequest::database_name),
                                             thrift::field(3, &AlterTableRequest::table_name),
                                             thrift::field(4, &AlterTableRequest::table),
                                             thrift::field(5, &AlterTableRequest::context)};
};

struct TruncateTableRequest {
  std::string database_name;
  std::string table_name;
  std::optional<std::vector<std::string>> partition_names;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &TruncateTableRequest::database_name),
                 thrift::field(2, &TruncateTableRequest::table_name),
                 thrift::field(3, &TruncateTableRequest::partition_names)};
};

struct AddPartitionsRequest {
  std::string database_name;
  std::string table_name;
  std::vector<Partition> partitions;
  bool if_not_exists = false;
  std::optional<bool> need_result;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &AddPartitionsRequest::database_name),
                                             thrift::field(2, &AddPartitionsRequest::table_name),
                                             thrift::field(3, &AddPartitionsRequest::partitions),
                                             thrift::field(4, &AddPartitionsRequest::if_not_exists),
                                             thrift::field(5, &AddPartitionsRequest::need_result),
                                             thrift::field(6, &AddPartitionsRequest::catalog_name)};
};

struct AddPartitionsResult {
  std::optional<std::vector<thrift::Raw>> partitions;
  std::optional<bool> is_stats_compliant;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &AddPartitionsResult::partitions),
                 thrift::field(2, &AddPartitionsResult::is_stats_compliant)};
};

// `expression` is Java objects of Kryo: nobody but Hive reads it.
struct DropPartitionsExpression {
  std::string expression;
  std::optional<int32_t> archive_level;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &DropPartitionsExpression::expression),
                 thrift::field(2, &DropPartitionsExpression::archive_level)};
};

// A union.
struct RequestPartsSpec {
  std::optional<std::vector<std::string>> names;
  std::optional<std::vector<DropPartitionsExpression>> expressions;

  static constexpr auto kFields = std::tuple{thrift::field(1, &RequestPartsSpec::names),
                                             thrift::field(2, &RequestPartsSpec::expressions)};
};

struct DropPartitionsRequest {
  std::string database_name;
  std::string table_name;
  RequestPartsSpec parts;
  std::optional<bool> delete_data;
  std::optional<bool> if_exists;
  std::optional<EnvironmentContext> context;
  std::optional<bool> need_result;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &DropPartitionsRequest::database_name),
                 thrift::field(2, &DropPartitionsRequest::table_name),
                 thrift::field(3, &DropPartitionsRequest::parts),
                 thrift::field(4, &DropPartitionsRequest::delete_data),
                 thrift::field(5, &DropPartitionsRequest::if_exists),
                 thrift::field(7, &DropPartitionsRequest::context),
                 thrift::field(8, &DropPartitionsRequest::need_result),
                 thrift::field(9, &DropPartitionsRequest::catalog_name)};
};

// PartitionsResponse, DropPartitionsResult, GetPartitionsByNamesResult.
struct PartitionsResult {
  std::optional<std::vector<thrift::Raw>> partitions;

  static constexpr auto kFields = std::tuple{thrift::field(1, &PartitionsResult::partitions)};
};

struct PartitionResult {
  thrift::Raw partition;

  static constexpr auto kFields = std::tuple{thrift::field(1, &PartitionResult::partition)};
};

struct PartitionsByExpressionRequest {
  std::string database_name;
  std::string table_name;
  std::string expression;
  std::optional<int16_t> partitions_max;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &PartitionsByExpressionRequest::database_name),
                 thrift::field(2, &PartitionsByExpressionRequest::table_name),
                 thrift::field(3, &PartitionsByExpressionRequest::expression),
                 thrift::field(5, &PartitionsByExpressionRequest::partitions_max),
                 thrift::field(6, &PartitionsByExpressionRequest::catalog_name)};
};

struct PartitionsByExpressionResult {
  std::vector<thrift::Raw> partitions;
  bool has_unknown_partitions = false;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &PartitionsByExpressionResult::partitions),
                 thrift::field(2, &PartitionsByExpressionResult::has_unknown_partitions)};
};

struct GetPartitionsByNamesRequest {
  std::string database_name;
  std::string table_name;
  std::optional<std::vector<std::string>> names;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &GetPartitionsByNamesRequest::database_name),
                 thrift::field(2, &GetPartitionsByNamesRequest::table_name),
                 thrift::field(3, &GetPartitionsByNamesRequest::names)};
};

struct GetPartitionRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  std::vector<std::string> values;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetPartitionRequest::catalog_name),
                                             thrift::field(2, &GetPartitionRequest::database_name),
                                             thrift::field(3, &GetPartitionRequest::table_name),
                                             thrift::field(4, &GetPartitionRequest::values)};
};

struct PartitionsRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  std::optional<int16_t> partitions_max;

  static constexpr auto kFields = std::tuple{thrift::field(1, &PartitionsRequest::catalog_name),
                                             thrift::field(2, &PartitionsRequest::database_name),
                                             thrift::field(3, &PartitionsRequest::table_name),
                                             thrift::field(4, &PartitionsRequest::partitions_max)};
};

struct PartitionNamesRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  std::optional<std::vector<std::string>> values;
  std::optional<int16_t> partitions_max;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &PartitionNamesRequest::catalog_name),
                 thrift::field(2, &PartitionNamesRequest::database_name),
                 thrift::field(3, &PartitionNamesRequest::table_name),
                 thrift::field(4, &PartitionNamesRequest::values),
                 thrift::field(5, &PartitionNamesRequest::partitions_max)};
};

struct NamesResult {
  std::vector<std::string> names;

  static constexpr auto kFields = std::tuple{thrift::field(1, &NamesResult::names)};
};

struct AlterPartitionsRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  std::vector<Partition> partitions;
  std::optional<EnvironmentContext> context;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &AlterPartitionsRequest::catalog_name),
                 thrift::field(2, &AlterPartitionsRequest::database_name),
                 thrift::field(3, &AlterPartitionsRequest::table_name),
                 thrift::field(4, &AlterPartitionsRequest::partitions),
                 thrift::field(5, &AlterPartitionsRequest::context)};
};

struct RenamePartitionRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;
  std::vector<std::string> values;
  Partition partition;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &RenamePartitionRequest::catalog_name),
                 thrift::field(2, &RenamePartitionRequest::database_name),
                 thrift::field(3, &RenamePartitionRequest::table_name),
                 thrift::field(4, &RenamePartitionRequest::values),
                 thrift::field(5, &RenamePartitionRequest::partition)};
};

// Its data is a union by type that the store keeps as it came.
struct ColumnStatisticsObject {
  std::string column_name;
  std::string column_type;
  thrift::Raw data;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ColumnStatisticsObject::column_name),
                                             thrift::field(2, &ColumnStatisticsObject::column_type),
                                             thrift::field(3, &ColumnStatisticsObject::data)};
};

struct ColumnStatisticsDescription {
  bool is_table_level = false;
  std::string database_name;
  std::string table_name;
  std::optional<std::string> partition_name;
  std::optional<int64_t> last_analyzed;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &ColumnStatisticsDescription::is_table_level),
                 thrift::field(2, &ColumnStatisticsDescription::database_name),
                 thrift::field(3, &ColumnStatisticsDescription::table_name),
                 thrift::field(4, &ColumnStatisticsDescription::partition_name),
                 thrift::field(5, &ColumnStatisticsDescription::last_analyzed),
                 thrift::field(6, &ColumnStatisticsDescription::catalog_name)};
};

struct ColumnStatistics {
  ColumnStatisticsDescription description;
  std::vector<ColumnStatisticsObject> columns;
  std::optional<bool> is_stats_compliant;
  std::optional<std::string> engine;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &ColumnStatistics::description),
                 thrift::field(2, &ColumnStatistics::columns),
                 thrift::field(3, &ColumnStatistics::is_stats_compliant),
                 thrift::field(4, &ColumnStatistics::engine)};
};

struct TableStatisticsRequest {
  std::string database_name;
  std::string table_name;
  std::vector<std::string> column_names;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &TableStatisticsRequest::database_name),
                 thrift::field(2, &TableStatisticsRequest::table_name),
                 thrift::field(3, &TableStatisticsRequest::column_names),
                 thrift::field(4, &TableStatisticsRequest::catalog_name)};
};

struct TableStatisticsResult {
  std::vector<thrift::Raw> columns;
  std::optional<bool> is_stats_compliant;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &TableStatisticsResult::columns),
                 thrift::field(2, &TableStatisticsResult::is_stats_compliant)};
};

struct PartitionsStatisticsRequest {
  std::string database_name;
  std::string table_name;
  std::vector<std::string> column_names;
  std::vector<std::string> partition_names;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &PartitionsStatisticsRequest::database_name),
                 thrift::field(2, &PartitionsStatisticsRequest::table_name),
                 thrift::field(3, &PartitionsStatisticsRequest::column_names),
                 thrift::field(4, &PartitionsStatisticsRequest::partition_names),
                 thrift::field(5, &PartitionsStatisticsRequest::catalog_name)};
};

struct PartitionsStatisticsResult {
  std::map<std::string, std::vector<thrift::Raw>> partitions;
  std::optional<bool> is_stats_compliant;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &PartitionsStatisticsResult::partitions),
                 thrift::field(2, &PartitionsStatisticsResult::is_stats_compliant)};
};

struct SetStatisticsRequest {
  std::vector<ColumnStatistics> statistics;
  std::optional<bool> need_merge;

  static constexpr auto kFields = std::tuple{thrift::field(1, &SetStatisticsRequest::statistics),
                                             thrift::field(2, &SetStatisticsRequest::need_merge)};
};

struct SetStatisticsResult {
  bool result = false;

  static constexpr auto kFields = std::tuple{thrift::field(1, &SetStatisticsResult::result)};
};

struct ResourceUri {
  std::optional<int32_t> resource_type;
  std::optional<std::string> uri;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ResourceUri::resource_type),
                                             thrift::field(2, &ResourceUri::uri)};
};

struct Function {
  std::string name;
  std::string database_name;
  std::optional<std::string> class_name;
  std::optional<std::string> owner;
  std::optional<int32_t> owner_type;
  std::optional<int32_t> create_time;
  std::optional<int32_t> function_type;
  std::optional<std::vector<ResourceUri>> resources;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{
      thrift::field(1, &Function::name),          thrift::field(2, &Function::database_name),
      thrift::field(3, &Function::class_name),    thrift::field(4, &Function::owner),
      thrift::field(5, &Function::owner_type),    thrift::field(6, &Function::create_time),
      thrift::field(7, &Function::function_type), thrift::field(8, &Function::resources),
      thrift::field(9, &Function::catalog_name)};
};

struct GetAllFunctionsResult {
  std::vector<Function> functions;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetAllFunctionsResult::functions)};
};

struct LockComponent {
  int32_t type = 0;
  int32_t level = 0;
  std::string database_name;
  std::optional<std::string> table_name;
  std::optional<std::string> partition_name;
  std::optional<int32_t> operation;

  static constexpr auto kFields = std::tuple{thrift::field(1, &LockComponent::type),
                                             thrift::field(2, &LockComponent::level),
                                             thrift::field(3, &LockComponent::database_name),
                                             thrift::field(4, &LockComponent::table_name),
                                             thrift::field(5, &LockComponent::partition_name),
                                             thrift::field(6, &LockComponent::operation)};
};

struct LockRequest {
  std::vector<LockComponent> components;
  std::optional<int64_t> transaction_id;
  std::string user;
  std::string host;
  std::optional<std::string> agent;

  static constexpr auto kFields = std::tuple{
      thrift::field(1, &LockRequest::components), thrift::field(2, &LockRequest::transaction_id),
      thrift::field(3, &LockRequest::user), thrift::field(4, &LockRequest::host),
      thrift::field(5, &LockRequest::agent)};
};

struct LockResponse {
  int64_t lock_id = 0;
  int32_t state = 0;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &LockResponse::lock_id), thrift::field(2, &LockResponse::state)};
};

// CheckLockRequest, UnlockRequest, HeartbeatRequest.
struct LockIdRequest {
  std::optional<int64_t> lock_id;
  std::optional<int64_t> transaction_id;

  static constexpr auto kFields = std::tuple{thrift::field(1, &LockIdRequest::lock_id),
                                             thrift::field(2, &LockIdRequest::transaction_id)};
};

struct ShowLocksRequest {
  std::optional<std::string> database_name;
  std::optional<std::string> table_name;
  std::optional<std::string> partition_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ShowLocksRequest::database_name),
                                             thrift::field(2, &ShowLocksRequest::table_name),
                                             thrift::field(3, &ShowLocksRequest::partition_name)};
};

struct ShownLock {
  int64_t lock_id = 0;
  std::string database_name;
  std::optional<std::string> table_name;
  std::optional<std::string> partition_name;
  int32_t state = 0;
  int32_t type = 0;
  std::optional<int64_t> transaction_id;
  int64_t last_heartbeat = 0;
  std::optional<int64_t> acquired_at;
  std::string user;
  std::string host;
  std::optional<int32_t> heartbeats;
  std::optional<std::string> agent;
  std::optional<int64_t> blocked_by;
  std::optional<int64_t> component_number;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ShownLock::lock_id),
                                             thrift::field(2, &ShownLock::database_name),
                                             thrift::field(3, &ShownLock::table_name),
                                             thrift::field(4, &ShownLock::partition_name),
                                             thrift::field(5, &ShownLock::state),
                                             thrift::field(6, &ShownLock::type),
                                             thrift::field(7, &ShownLock::transaction_id),
                                             thrift::field(8, &ShownLock::last_heartbeat),
                                             thrift::field(9, &ShownLock::acquired_at),
                                             thrift::field(10, &ShownLock::user),
                                             thrift::field(11, &ShownLock::host),
                                             thrift::field(12, &ShownLock::heartbeats),
                                             thrift::field(13, &ShownLock::agent),
                                             thrift::field(14, &ShownLock::blocked_by),
                                             thrift::field(16, &ShownLock::component_number)};
};

struct ShowLocksResult {
  std::vector<ShownLock> locks;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ShowLocksResult::locks)};
};

struct NotificationRequest {
  int64_t last_event = 0;
  std::optional<int32_t> events_max;
  std::optional<std::vector<std::string>> skipped_types;

  static constexpr auto kFields = std::tuple{thrift::field(1, &NotificationRequest::last_event),
                                             thrift::field(2, &NotificationRequest::events_max),
                                             thrift::field(3, &NotificationRequest::skipped_types)};
};

struct NotificationEvent {
  int64_t id = 0;
  int32_t time = 0;
  std::string type;
  std::optional<std::string> database_name;
  std::optional<std::string> table_name;
  std::string message;
  std::optional<std::string> message_format;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &NotificationEvent::id),
                                             thrift::field(2, &NotificationEvent::time),
                                             thrift::field(3, &NotificationEvent::type),
                                             thrift::field(4, &NotificationEvent::database_name),
                                             thrift::field(5, &NotificationEvent::table_name),
                                             thrift::field(6, &NotificationEvent::message),
                                             thrift::field(7, &NotificationEvent::message_format),
                                             thrift::field(8, &NotificationEvent::catalog_name)};
};

struct NotificationResult {
  std::vector<NotificationEvent> events;

  static constexpr auto kFields = std::tuple{thrift::field(1, &NotificationResult::events)};
};

struct CurrentNotification {
  int64_t id = 0;

  static constexpr auto kFields = std::tuple{thrift::field(1, &CurrentNotification::id)};
};

struct NotificationCountRequest {
  int64_t from_event = 0;
  std::string database_name;
  std::optional<std::string> catalog_name;
  std::optional<int64_t> to_event;
  std::optional<int64_t> limit;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &NotificationCountRequest::from_event),
                 thrift::field(2, &NotificationCountRequest::database_name),
                 thrift::field(3, &NotificationCountRequest::catalog_name),
                 thrift::field(4, &NotificationCountRequest::to_event),
                 thrift::field(5, &NotificationCountRequest::limit)};
};

struct NotificationCount {
  int64_t count = 0;

  static constexpr auto kFields = std::tuple{thrift::field(1, &NotificationCount::count)};
};

struct CatalogDescription {
  std::string name;
  std::optional<std::string> description;
  std::string location;
  std::optional<int32_t> create_time;

  static constexpr auto kFields = std::tuple{thrift::field(1, &CatalogDescription::name),
                                             thrift::field(2, &CatalogDescription::description),
                                             thrift::field(3, &CatalogDescription::location),
                                             thrift::field(4, &CatalogDescription::create_time)};
};

struct GetCatalogRequest {
  std::string name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetCatalogRequest::name)};
};

struct GetCatalogResult {
  CatalogDescription catalog;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetCatalogResult::catalog)};
};

struct GetDatabaseRequest {
  std::optional<std::string> name;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetDatabaseRequest::name),
                                             thrift::field(2, &GetDatabaseRequest::catalog_name)};
};

struct DropDatabaseRequest {
  std::string name;
  std::optional<std::string> catalog_name;
  bool ignore_unknown = false;
  bool delete_data = false;
  bool cascade = false;

  static constexpr auto kFields = std::tuple{thrift::field(1, &DropDatabaseRequest::name),
                                             thrift::field(2, &DropDatabaseRequest::catalog_name),
                                             thrift::field(3, &DropDatabaseRequest::ignore_unknown),
                                             thrift::field(4, &DropDatabaseRequest::delete_data),
                                             thrift::field(5, &DropDatabaseRequest::cascade)};
};

struct GetFieldsRequest {
  std::optional<std::string> catalog_name;
  std::string database_name;
  std::string table_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetFieldsRequest::catalog_name),
                                             thrift::field(2, &GetFieldsRequest::database_name),
                                             thrift::field(3, &GetFieldsRequest::table_name)};
};

struct GetFieldsResult {
  std::vector<FieldSchema> fields;

  static constexpr auto kFields = std::tuple{thrift::field(1, &GetFieldsResult::fields)};
};

// Every kind of constraint: we keep none.
struct ConstraintsResult {
  std::vector<Nothing> constraints;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ConstraintsResult::constraints)};
};

// PrimaryKeysRequest.
struct ConstraintsRequest {
  std::optional<std::string> database_name;
  std::optional<std::string> table_name;
  std::optional<std::string> catalog_name;

  static constexpr auto kFields = std::tuple{thrift::field(1, &ConstraintsRequest::database_name),
                                             thrift::field(2, &ConstraintsRequest::table_name),
                                             thrift::field(3, &ConstraintsRequest::catalog_name)};
};

// Unique, not-null, default and check constraints.
struct NamedConstraintsRequest {
  std::optional<std::string> catalog_name;
  std::optional<std::string> database_name;
  std::optional<std::string> table_name;

  static constexpr auto kFields =
      std::tuple{thrift::field(1, &NamedConstraintsRequest::catalog_name),
                 thrift::field(2, &NamedConstraintsRequest::database_name),
                 thrift::field(3, &NamedConstraintsRequest::table_name)};
};

}  // namespace aichemy::wire::hive
