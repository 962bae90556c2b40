#include "sql/engine/duckdb_scan.h"

#include <fmt/core.h>
#include <algorithm>
#include <bit>
#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/common/types/hugeint.hpp>
#include <duckdb/common/types/uuid.hpp>
#include <duckdb/function/partition_stats.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>
#include <duckdb/transaction/transaction_data.hpp>
#include <map>
#include <mutex>
#include <unordered_map>

#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/engine.h"
#include "tables/deletion_vector.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::MultiFileColumnDefinition;

constexpr const char* kFileIndex = "aichemy_file_index";
// The column mapper stops at the first local column without an identifier: give those ids nobody
// asks for.
constexpr int32_t kNoSuchFieldId = -1'000'000;

// Row positions of one file that are deleted, ascending.
using Positions = std::vector<uint64_t>;

class PositionFilter final : public duckdb::DeleteFilter {
 public:
  explicit PositionFilter(std::shared_ptr<const Positions> positions)
      : positions_(std::move(positions)) {}

  idx_t Filter(duckdb::row_t start, idx_t count, duckdb::SelectionVector& kept) override {
    auto next =
        std::lower_bound(positions_->begin(), positions_->end(), static_cast<uint64_t>(start));
    if (!kept.data()) kept.Initialize(STANDARD_VECTOR_SIZE);
    idx_t out = 0;
    for (idx_t i = 0; i < count; ++i) {
      auto row = static_cast<uint64_t>(start) + i;
      if (next != positions_->end() && *next == row) {
        ++next;
        continue;
      }
      kept.set_index(out++, i);
    }
    return out;
  }

 private:
  std::shared_ptr<const Positions> positions_;
};

// One running lake_scan. Shared by the copies DuckDB makes of its file list; deletes are read when
// the first file that needs them is opened.
class ScanState {
 public:
  ScanState(std::shared_ptr<const LakeScan> scan, std::string handle)
      : scan_(std::move(scan)), handle_(std::move(handle)) {}
  const LakeScan& scan() const { return *scan_; }
  const std::string& handle() const { return handle_; }
  const tables::ScanPlan& plan() const { return scan_->plan; }

  // nullptr: nothing of that file is deleted.
  std::shared_ptr<const Positions> deleted_rows(duckdb::ClientContext& context, size_t file_index);

 private:
  std::shared_ptr<const LakeScan> scan_;
  std::string handle_;
  std::mutex mutex_;
  bool positions_loaded_ = false;
  std::unordered_map<std::string, Positions> positions_by_path_;  // of position delete files

  void load_position_deletes(duckdb::ClientContext& context);
  Positions equality_deleted(duckdb::ClientContext& context, const tables::DataFile& file,
                             const tables::DeleteFile& deletes);
};

std::string lake_path_or_throw(const std::string& location) {
  auto path = lake_path(location);
  if (!path) throw_error(path.error());
  return *path;
}

std::string quoted(const std::string& text) { return duckdb::Value(text).ToSQLString(); }

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

duckdb::unique_ptr<duckdb::MaterializedQueryResult> query(duckdb::ClientContext& context,
                                                          const std::string& sql) {
  duckdb::Connection connection(*context.db);
  auto result = connection.Query(sql);
  if (result->HasError()) throw_error(error_from_duckdb(result->GetErrorObject()));
  return result;
}

void ScanState::load_position_deletes(duckdb::ClientContext& context) {
  for (const tables::DeleteFile& file : plan().delete_files) {
    if (file.kind == tables::DeleteKind::deletion_vector) continue;
    if (file.format != tables::FileFormat::parquet) {
      throw_error({Code::unsupported, "scan",
                   fmt::format("delete file {}: this kind is not supported", file.path)});
    }
    if (file.kind != tables::DeleteKind::position) continue;
    auto rows = query(context, fmt::format("SELECT file_path, pos FROM read_parquet({})",
                                           quoted(lake_path_or_throw(file.path))));
    for (auto& row : *rows) {
      positions_by_path_[row.GetValue<std::string>(0)].push_back(row.GetValue<uint64_t>(1));
    }
  }
  for (auto& [path, positions] : positions_by_path_) {
    std::ranges::sort(positions);
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  }
  positions_loaded_ = true;
}

// Rows of the data file that equal a row of the delete file in the named columns (null equals
// null).
Positions ScanState::equality_deleted(duckdb::ClientContext& context, const tables::DataFile& file,
                                      const tables::DeleteFile& deletes) {
  std::string condition;
  for (int id : deletes.equality_ids) {
    const tables::Field* field = plan().schema.find(id);
    if (!field)
      throw_error({Code::unsupported, "scan", "an equality delete names a dropped column"});
    std::string name = quoted_name(field->name);
    condition += fmt::format("{}data.{} IS NOT DISTINCT FROM gone.{}",
                             condition.empty() ? "" : " AND ", name, name);
  }
  auto rows = query(
      context,
      fmt::format("SELECT file_row_number FROM read_parquet({}, file_row_number=true) AS data "
                  "WHERE EXISTS (SELECT 1 FROM read_parquet({}) AS gone WHERE {})",
                  quoted(lake_path_or_throw(file.path)), quoted(lake_path_or_throw(deletes.path)),
                  condition));
  Positions positions;
  for (auto& row : *rows) positions.push_back(row.GetValue<uint64_t>(0));
  return positions;
}

// The blob of a deletion vector, through DuckDB's own reading of files.
Positions vector_deleted(duckdb::ClientContext& context, const tables::DeleteFile& vector) {
  auto rows = query(context, fmt::format("SELECT content FROM read_blob({})",
                                         quoted(lake_path_or_throw(vector.path))));
  std::string file = duckdb::StringValue::Get(rows->GetValue(0, 0));
  auto positions = tables::deletion_vector_in(file, vector);
  if (!positions) throw_error(positions.error());
  return std::move(*positions);
}

std::shared_ptr<const Positions> ScanState::deleted_rows(duckdb::ClientContext& context,
                                                         size_t file_index) {
  const tables::DataFile& file = plan().files[file_index];
  if (file.deletes.empty()) return nullptr;
  auto positions = std::make_shared<Positions>();
  {
    std::lock_guard lock(mutex_);
    if (!positions_loaded_) load_position_deletes(context);
    bool by_position = std::ranges::any_of(file.deletes, [&](uint32_t index) {
      return plan().delete_files[index].kind == tables::DeleteKind::position;
    });
    if (auto found = positions_by_path_.find(file.path);
        by_position && found != positions_by_path_.end()) {
      *positions = found->second;
    }
  }
  for (uint32_t index : file.deletes) {
    const tables::DeleteFile& deletes = plan().delete_files[index];
    if (deletes.kind == tables::DeleteKind::position) continue;
    Positions more = deletes.kind == tables::DeleteKind::equality
                         ? equality_deleted(context, file, deletes)
                         : vector_deleted(context, deletes);
    positions->insert(positions->end(), more.begin(), more.end());
  }
  if (positions->empty()) return nullptr;
  std::ranges::sort(*positions);
  positions->erase(std::unique(positions->begin(), positions->end()), positions->end());
  return positions;
}

class LakeFileList final : public duckdb::MultiFileList {
 public:
  explicit LakeFileList(std::shared_ptr<ScanState> state)
      : MultiFileList(duckdb::vector<duckdb::OpenFileInfo>(), duckdb::FileGlobOptions::ALLOW_EMPTY),
        state_(std::move(state)) {}

  ScanState& state() const { return *state_; }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (idx_t i = 0; i < state_->plan().files.size(); ++i) files.push_back(GetFile(i));
    return files;
  }
  duckdb::FileExpandResult GetExpandResult() override {
    size_t count = state_->plan().files.size();
    if (count == 0) return duckdb::FileExpandResult::NO_FILES;
    return count == 1 ? duckdb::FileExpandResult::SINGLE_FILE
                      : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  idx_t GetTotalFileCount() override { return state_->plan().files.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) override {
    uint64_t rows = state_->plan().record_count;
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
  }
  duckdb::unique_ptr<MultiFileList> Copy() override {
    return duckdb::make_uniq<LakeFileList>(state_);
  }

 protected:
  duckdb::OpenFileInfo GetFile(idx_t i) override {
    if (i >= state_->plan().files.size()) return {};
    const tables::DataFile& file = state_->plan().files[i];
    if (file.format != tables::FileFormat::parquet) {
      throw_error({Code::unsupported, "scan",
                   fmt::format("{}: only Parquet data files can be read", file.path)});
    }
    duckdb::OpenFileInfo info(lake_path_or_throw(file.path));
    info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
    auto& options = info.extended_info->options;
    options[kFileIndex] = duckdb::Value::UBIGINT(i);
    options["file_size"] = duckdb::Value::UBIGINT(file.size);
    // Data files never change under their name.
    options["validate_external_file_cache"] = duckdb::Value::BOOLEAN(false);
    options["etag"] = duckdb::Value("");
    options["last_modified"] = duckdb::Value::TIMESTAMP(duckdb::timestamp_t(0));
    options["has_deletes"] = duckdb::Value::BOOLEAN(!file.deletes.empty());
    return info;
  }

 private:
  std::shared_ptr<ScanState> state_;
};

struct LakeScanInfo final : public duckdb::TableFunctionInfo {
  explicit LakeScanInfo(const LakeScans& all) : scans(all) {}
  const LakeScans& scans;
};

// Definition of a column or a part of one; ids follow the shape of the type.
MultiFileColumnDefinition definition(const std::string& name, const Type& type, const FieldId& id) {
  MultiFileColumnDefinition out(name, duckdb_type(type));
  out.identifier = duckdb::Value::INTEGER(id.id);
  out.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(out.type));
  auto child = [&](size_t i, const std::string& child_name) {
    FieldId child_id = i < id.children.size()
                           ? id.children[i]
                           : FieldId{kNoSuchFieldId - static_cast<int32_t>(i), {}};
    out.children.push_back(definition(child_name, type.fields[i].type, child_id));
  };
  if (type.is(TypeKind::array)) child(0, "list");
  if (type.is(TypeKind::map)) {
    child(0, "key");
    child(1, "value");
  }
  if (type.is(TypeKind::row)) {
    for (size_t i = 0; i < type.fields.size(); ++i) child(i, fmt::format("f{}", i));
  }
  return out;
}

// Gives the columns of a file without field ids those of the name mapping; others get an id nobody
// asks for.
void identify(duckdb::vector<MultiFileColumnDefinition>& columns,
              const std::vector<tables::NameMapping>& mapping, int32_t& unused) {
  for (MultiFileColumnDefinition& column : columns) {
    const tables::NameMapping* named = nullptr;
    for (const tables::NameMapping& entry : mapping) {
      if (std::ranges::find(entry.names, column.name) != entry.names.end()) named = &entry;
    }
    if (column.identifier.IsNull()) {
      column.identifier =
          duckdb::Value::INTEGER(named && named->field_id ? *named->field_id : --unused);
    }
    static const std::vector<tables::NameMapping> kNone;
    identify(column.children, named ? named->fields : kNone, unused);
  }
}

class LakeFileReader final : public duckdb::MultiFileReader {
 public:
  explicit LakeFileReader(const LakeScans& scans) : scans_(scans) {}

  static duckdb::unique_ptr<MultiFileReader> create(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<LakeFileReader>(function.function_info->Cast<LakeScanInfo>().scans);
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    return duckdb::make_uniq<LakeFileReader>(scans_);
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    auto scan = paths.size() == 1 ? scans_.find(paths[0]) : nullptr;
    if (!scan) throw_error({Code::internal, "scan", "unknown scan handle"});
    state_ = std::make_shared<ScanState>(std::move(scan), paths[0]);
    return duckdb::make_shared_ptr<LakeFileList>(state_);
  }

  bool Bind(duckdb::MultiFileOptions& options, duckdb::MultiFileList& files,
            duckdb::vector<LogicalType>& return_types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind_data) override {
    const LakeScan& scan = files.Cast<LakeFileList>().state().scan();
    options.auto_detect_hive_partitioning = false;
    options.hive_partitioning = false;
    for (size_t i = 0; i < scan.columns.size(); ++i) {
      const LakeColumn& column = scan.columns[i];
      FieldId id = column.field_id;
      // Constant columns must not match anything in a file.
      if (column.source != LakeColumnSource::data)
        id.id = kNoSuchFieldId / 2 - static_cast<int32_t>(i);
      names.push_back(fmt::format("c{}", i));
      return_types.push_back(duckdb_type(column.type));
      bind_data.schema.push_back(definition(names.back(), column.type, id));
    }
    set_defaults(scan, bind_data.schema);
    bind_data.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }

  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<LogicalType>&,
                   duckdb::vector<std::string>&, duckdb::MultiFileReaderBindData&) override {}

  void FinalizeBind(
      duckdb::MultiFileReaderData& reader_data, const duckdb::MultiFileOptions& options,
      const duckdb::MultiFileReaderBindData& bind_data,
      const duckdb::vector<MultiFileColumnDefinition>& global_columns,
      const duckdb::vector<duckdb::ColumnIndex>& global_column_ids, duckdb::ClientContext& context,
      duckdb::optional_ptr<duckdb::MultiFileReaderGlobalState> global_state) override {
    MultiFileReader::FinalizeBind(reader_data, options, bind_data, global_columns,
                                  global_column_ids, context, global_state);
    ScanState& state = global_state->file_list->Cast<LakeFileList>().state();
    duckdb::BaseFileReader& reader = *reader_data.reader;
    auto index = reader.file.extended_info->options.at(kFileIndex).GetValue<uint64_t>();
    const tables::DataFile& file = state.plan().files[index];

    int32_t unused = kNoSuchFieldId;
    identify(reader.columns, state.plan().name_mapping, unused);
    for (idx_t i = 0; i < global_column_ids.size(); ++i) {
      idx_t column = global_column_ids[i].GetPrimaryIndex();
      if (column >= state.scan().columns.size()) continue;  // virtual
      if (auto value = constant_of(state.scan().columns[column], file, reader)) {
        reader_data.constant_map.Add(duckdb::MultiFileGlobalIndex(i), std::move(*value));
      }
    }
    if (auto positions = state.deleted_rows(context, index)) {
      reader.deletion_filter = duckdb::make_uniq<PositionFilter>(std::move(positions));
    }
  }

  duckdb::unique_ptr<duckdb::MultiFileReaderGlobalState> InitializeGlobalState(
      duckdb::ClientContext&, const duckdb::MultiFileOptions&,
      const duckdb::MultiFileReaderBindData&, const duckdb::MultiFileList& file_list,
      const duckdb::vector<MultiFileColumnDefinition>&,
      const duckdb::vector<duckdb::ColumnIndex>&) override {
    return duckdb::make_uniq<duckdb::MultiFileReaderGlobalState>(duckdb::vector<LogicalType>(),
                                                                 &file_list);
  }

 private:
  const LakeScans& scans_;
  std::shared_ptr<ScanState> state_;

  static void set_defaults(const LakeScan& scan,
                           duckdb::vector<MultiFileColumnDefinition>& schema) {
    for (size_t i = 0; i < scan.columns.size(); ++i) {
      const tables::Field* field = scan.plan.schema.find(scan.columns[i].field_id.id);
      if (!field || !field->initial_default) continue;
      auto value = tables::value_from_json(*field->initial_default, field->type);
      if (!value) throw_error(value.error());
      schema[i].default_expression =
          duckdb::make_uniq<duckdb::ConstantExpression>(duckdb_value(*value, scan.columns[i].type));
    }
  }

  // The value that a whole file has in this column, none when it is to be read.
  static std::optional<duckdb::Value> constant_of(const LakeColumn& column,
                                                  const tables::DataFile& file,
                                                  const duckdb::BaseFileReader& reader) {
    switch (column.source) {
      case LakeColumnSource::path: return duckdb::Value(file.path);
      case LakeColumnSource::partition: return duckdb::Value(file.partition);
      case LakeColumnSource::file_size:
        return duckdb::Value::BIGINT(static_cast<int64_t>(file.size));
      case LakeColumnSource::data: break;
    }
    // What the file holds wins over the partition value (spec: column projection).
    for (const MultiFileColumnDefinition& local : reader.columns) {
      if (!local.identifier.IsNull() && local.GetIdentifierFieldId() == column.field_id.id)
        return std::nullopt;
    }
    for (const tables::ColumnConstant& constant : file.constants) {
      if (constant.field_id == column.field_id.id) return duckdb_value(constant.value, column.type);
    }
    return std::nullopt;
  }
};

duckdb::vector<duckdb::PartitionStatistics> partition_statistics(
    duckdb::ClientContext&, duckdb::GetPartitionStatsInput& input) {
  duckdb::vector<duckdb::PartitionStatistics> out;
  auto& bound = input.bind_data->Cast<duckdb::MultiFileBindData>();
  const tables::ScanPlan& plan = bound.file_list->Cast<LakeFileList>().state().plan();
  if (!plan.exact_count()) return out;
  for (const tables::DataFile& file : plan.files) {
    duckdb::PartitionStatistics statistics;
    statistics.row_start = 0;
    statistics.count = file.record_count;
    statistics.count_type = duckdb::CountType::COUNT_EXACT;
    out.push_back(statistics);
  }
  return out;
}

// Beyond this many files the planning would cost more than a better plan gains.
constexpr size_t kFilesWithStatisticsMax = 10'000;

bool has_ordered_bounds(const Type& type) {
  return type.is_integer() || type.is(TypeKind::date) || type.is(TypeKind::decimal) ||
         (type.is(TypeKind::timestamp) && type.precision <= 6);
}

// The smallest lower and the largest upper bound of a column. None when a file does not say.
std::optional<std::pair<duckdb::Value, duckdb::Value>> bounds_of(const tables::ScanPlan& plan,
                                                                 const LakeColumn& column) {
  std::optional<std::pair<duckdb::Value, duckdb::Value>> out;
  for (const tables::DataFile& file : plan.files) {
    auto bounds =
        std::ranges::find(file.bounds, column.field_id.id, &tables::ColumnBounds::field_id);
    if (bounds == file.bounds.end() || bounds->lower.is_null() || bounds->upper.is_null())
      return {};
    duckdb::Value lower = duckdb_value(bounds->lower, column.type),
                  upper = duckdb_value(bounds->upper, column.type);
    if (!out) {
      out = {lower, upper};
      continue;
    }
    if (lower < out->first) out->first = lower;
    if (out->second < upper) out->second = upper;
  }
  return out;
}

// For the engine's join order and its tables addressed by key. Nulls are always thought possible.
duckdb::unique_ptr<duckdb::BaseStatistics> column_statistics(duckdb::ClientContext&,
                                                             const duckdb::FunctionData* data,
                                                             duckdb::column_t index) {
  const auto& files = *data->Cast<duckdb::MultiFileBindData>().file_list;
  const LakeScan& scan = files.Cast<LakeFileList>().state().scan();
  if (index >= scan.columns.size() || scan.plan.files.size() > kFilesWithStatisticsMax)
    return nullptr;
  const LakeColumn& column = scan.columns[index];
  if (column.source != LakeColumnSource::data || !has_ordered_bounds(column.type)) return nullptr;
  auto bounds = bounds_of(scan.plan, column);
  if (!bounds) return nullptr;
  auto statistics = duckdb::NumericStats::CreateUnknown(duckdb_type(column.type));
  duckdb::NumericStats::SetMin(statistics, bounds->first);
  duckdb::NumericStats::SetMax(statistics, bounds->second);
  return statistics.ToUnique();
}

duckdb::InsertionOrderPreservingMap<std::string> describe(
    duckdb::TableFunctionToStringInput& input) {
  const auto& files = *input.bind_data->Cast<duckdb::MultiFileBindData>().file_list;
  const ScanState& state = files.Cast<LakeFileList>().state();
  duckdb::InsertionOrderPreservingMap<std::string> out;
  out[kScanHandle] = state.handle();
  out["Files"] = std::to_string(state.plan().files.size());
  return out;
}

}  // namespace

duckdb::LogicalType duckdb_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::array: return LogicalType::LIST(duckdb_type(type.element()));
    case TypeKind::map: return LogicalType::MAP(duckdb_type(type.key()), duckdb_type(type.value()));
    case TypeKind::row: {
      duckdb::child_list_t<LogicalType> fields;
      for (size_t i = 0; i < type.fields.size(); ++i) {
        fields.emplace_back(fmt::format("f{}", i), duckdb_type(type.fields[i].type));
      }
      return LogicalType::STRUCT(std::move(fields));
    }
    case TypeKind::decimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                  static_cast<uint8_t>(type.scale));
    default: return duckdb::TransformStringToLogicalType(stored_type(type));
  }
}

duckdb::Value duckdb_value(const tables::Value& value, const Type& type) {
  LogicalType physical = duckdb_type(type);
  if (value.is_null()) return duckdb::Value(physical);
  switch (type.kind) {
    case TypeKind::boolean: return duckdb::Value::BOOLEAN(value.as_bool());
    case TypeKind::real: return duckdb::Value::FLOAT(static_cast<float>(value.as_double()));
    case TypeKind::double_: return duckdb::Value::DOUBLE(value.as_double());
    case TypeKind::date:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(value.as_int())));
    case TypeKind::time: return duckdb::Value::TIME(duckdb::dtime_t(value.as_int()));
    case TypeKind::timestamp_tz:
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(value.as_int()));
    case TypeKind::timestamp:
      if (type.precision > 6)
        return duckdb::Value::TIMESTAMPNS(duckdb::timestamp_ns_t(value.as_int()));
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(value.as_int()));
    case TypeKind::decimal: {
      tables::Int128 unscaled = value.as_decimal();
      duckdb::hugeint_t huge;
      huge.lower = static_cast<uint64_t>(unscaled);
      huge.upper = static_cast<int64_t>(unscaled >> 64);
      return duckdb::Value::DECIMAL(huge, static_cast<uint8_t>(type.precision),
                                    static_cast<uint8_t>(type.scale))
          .DefaultCastAs(physical);
    }
    case TypeKind::varbinary: return duckdb::Value::BLOB_RAW(value.as_bytes());
    case TypeKind::uuid: {
      const std::string& raw = value.as_bytes();
      if (raw.size() != 16) throw_error({Code::corrupt, "scan", "a UUID constant is not 16 bytes"});
      auto half = [&](size_t at) {
        uint64_t word;
        std::memcpy(&word, raw.data() + at, 8);
        return __builtin_bswap64(word);
      };
      duckdb::hugeint_t huge;  // DuckDB keeps UUIDs with the top bit flipped so that they sort
      huge.upper = std::bit_cast<int64_t>(half(0) ^ (uint64_t{1} << 63));
      huge.lower = half(8);
      return duckdb::Value::UUID(huge);
    }
    case TypeKind::varchar:
    case TypeKind::char_:
    case TypeKind::json: return duckdb::Value(value.as_bytes());
    default: return duckdb::Value::BIGINT(value.as_int()).DefaultCastAs(physical);
  }
}

void register_lake_scan(duckdb::DatabaseInstance& database, const LakeScans& scans) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  auto& parquet = loader.GetTableFunction("parquet_scan");
  for (duckdb::TableFunction function : parquet.functions.functions) {
    if (function.arguments.size() != 1 || function.arguments[0] != LogicalType::VARCHAR) continue;
    function.name = "lake_scan";
    function.get_multi_file_reader = LakeFileReader::create;
    function.function_info = duckdb::make_shared_ptr<LakeScanInfo>(scans);
    function.get_partition_stats = partition_statistics;
    function.statistics = column_statistics;
    function.to_string = describe;
    function.serialize = nullptr;
    function.deserialize = nullptr;
    function.named_parameters.clear();
    loader.RegisterFunction(function);
    return;
  }
  throw_error({Code::internal, "engine", "DuckDB has no parquet_scan(VARCHAR)"});
}

}  // namespace aichemy::sql
