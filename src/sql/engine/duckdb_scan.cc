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
#include <numeric>
#include <unordered_map>

#include "sql/engine/column_cache.h"
#include "sql/engine/duckdb_columns.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/duckdb_prune.h"
#include "sql/engine/duckdb_value.h"
#include "sql/engine/engine.h"
#include "sql/native/duckdb_type.h"
#include "tables/deletion_vector.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::MultiFileColumnDefinition;

constexpr const char* kFileIndex = "aichemy_file_index";

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

// Rows of one file that are wanted, ascending; the reader passes over the others' values.
class WantedRows final : public duckdb::DeleteFilter {
 public:
  WantedRows(std::shared_ptr<const LakeScan> scan, size_t file)
      : scan_(std::move(scan)), rows_(scan_->rows[file]) {}

  idx_t Filter(duckdb::row_t start, idx_t count, duckdb::SelectionVector& kept) override {
    auto first = static_cast<uint64_t>(start);
    if (!kept.data()) kept.Initialize(STANDARD_VECTOR_SIZE);
    idx_t out = 0;
    for (auto next = std::ranges::lower_bound(rows_, first);
         next != rows_.end() && *next < first + count; ++next)
      kept.set_index(out++, *next - first);
    return out;
  }

 private:
  std::shared_ptr<const LakeScan> scan_;
  const Positions& rows_;
};

// One running lake_scan. Shared by the copies DuckDB makes of its file list; deletes are read when
// the first file that needs them is opened.
class ScanState {
 public:
  // `numbers`: the columns of the scan that the query reads.
  ScanState(std::shared_ptr<const LakeScan> scan, std::string handle, std::vector<size_t> numbers)
      : scan_(std::move(scan)), handle_(std::move(handle)), numbers_(std::move(numbers)) {
    for (size_t number : numbers_) columns_.push_back(scan_->columns.at(number));
  }
  const std::vector<LakeColumn>& columns() const { return columns_; }
  const std::vector<size_t>& numbers() const { return numbers_; }
  const LakeScan& scan() const { return *scan_; }
  const std::shared_ptr<const LakeScan>& shared_scan() const { return scan_; }
  const std::string& handle() const { return handle_; }
  const tables::ScanPlan& plan() const { return scan_->plan; }

  // nullptr: nothing of that file is deleted.
  std::shared_ptr<const Positions> deleted_rows(duckdb::ClientContext& context, size_t file_index);

 private:
  std::shared_ptr<const LakeScan> scan_;
  std::string handle_;
  std::vector<size_t> numbers_;
  std::vector<LakeColumn> columns_;
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
    auto rows = query(context, fmt::format("SELECT file_path, pos::BIGINT FROM read_parquet({})",
                                           quoted(lake_path_or_throw(file.path))));
    for (auto& chunk : rows->Collection().Chunks()) {
      chunk.Flatten();
      const auto* paths = duckdb::FlatVector::GetData<duckdb::string_t>(chunk.data[0]);
      const auto* at = duckdb::FlatVector::GetData<int64_t>(chunk.data[1]);
      // Sorted by path: one look-up for each run of rows.
      Positions* of = nullptr;
      for (idx_t i = 0; i < chunk.size(); ++i) {
        if (!of || paths[i] != paths[i - 1]) of = &positions_by_path_[paths[i].GetString()];
        of->push_back(static_cast<uint64_t>(at[i]));
      }
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
  LakeFileList(std::shared_ptr<ScanState> state, std::vector<size_t> files)
      : MultiFileList(duckdb::vector<duckdb::OpenFileInfo>(), duckdb::FileGlobOptions::ALLOW_EMPTY),
        state_(std::move(state)),
        files_(std::move(files)) {}
  explicit LakeFileList(std::shared_ptr<ScanState> state) : LakeFileList(state, all_of(*state)) {}

  ScanState& state() const { return *state_; }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (idx_t i = 0; i < files_.size(); ++i) files.push_back(GetFile(i));
    return files;
  }
  // When the scan begins: filters that came up while the query ran are among them.
  duckdb::unique_ptr<MultiFileList> DynamicFilterPushdown(
      duckdb::ClientContext&, const duckdb::MultiFileOptions&, const duckdb::vector<std::string>&,
      const duckdb::vector<LogicalType>&, const duckdb::vector<duckdb::column_t>& columns,
      duckdb::TableFilterSet& filters) const override {
    auto kept = files_that_may_pass(state_->scan(), state_->columns(), columns, filters);
    if (kept.size() == files_.size()) return nullptr;
    return duckdb::make_uniq<LakeFileList>(state_, std::move(kept));
  }
  duckdb::FileExpandResult GetExpandResult() override {
    size_t count = files_.size();
    if (count == 0) return duckdb::FileExpandResult::NO_FILES;
    return count == 1 ? duckdb::FileExpandResult::SINGLE_FILE
                      : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  idx_t GetTotalFileCount() override { return files_.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) override {
    uint64_t rows = state_->plan().record_count;
    if (!state_->scan().counts_known) return duckdb::make_uniq<duckdb::NodeStatistics>(rows);
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
  }
  duckdb::unique_ptr<MultiFileList> Copy() override {
    return duckdb::make_uniq<LakeFileList>(state_, files_);
  }

 protected:
  duckdb::OpenFileInfo GetFile(idx_t i) override {
    if (i >= files_.size()) return {};
    const tables::DataFile& file = state_->plan().files[files_[i]];
    if (file.format != tables::FileFormat::parquet) {
      throw_error({Code::unsupported, "scan",
                   fmt::format("{}: only Parquet data files can be read", file.path)});
    }
    duckdb::OpenFileInfo info(lake_path_or_throw(file.path));
    info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
    auto& options = info.extended_info->options;
    options[kFileIndex] = duckdb::Value::UBIGINT(files_[i]);
    options["file_size"] = duckdb::Value::UBIGINT(file.size);
    const auto& versions = state_->scan().versions;
    FileVersion version = versions.empty() ? FileVersion{} : versions[files_[i]];
    options["validate_external_file_cache"] = duckdb::Value::BOOLEAN(!versions.empty());
    options["etag"] = duckdb::Value(version.etag);
    options["last_modified"] =
        duckdb::Value::TIMESTAMP(duckdb::timestamp_t(version.modified_micros));
    options["has_deletes"] =
        duckdb::Value::BOOLEAN(!file.deletes.empty() || !state_->scan().rows.empty());
    return info;
  }

 private:
  std::shared_ptr<ScanState> state_;
  std::vector<size_t> files_;  // of the plan, those to read

  static std::vector<size_t> all_of(const ScanState& state) {
    std::vector<size_t> files(state.plan().files.size());
    std::iota(files.begin(), files.end(), size_t{0});
    return files;
  }
};

struct LakeScanInfo final : public duckdb::TableFunctionInfo {
  LakeScanInfo(const LakeScans& all, Counter& opened, std::shared_ptr<ColumnCache> columns)
      : scans(all), files_opened(opened), cache(std::move(columns)) {}
  const LakeScans& scans;
  Counter& files_opened;
  std::shared_ptr<ColumnCache> cache;  // may be null
};

duckdb::unique_ptr<duckdb::TableRef> in_memory(duckdb::ClientContext& context,
                                               duckdb::TableFunctionBindInput& input) {
  auto& info = input.info->Cast<LakeScanInfo>();
  ScanArgument asked = scan_argument(input.inputs[0].GetValue<std::string>());
  auto scan = info.scans.find(asked.handle);
  return scan && info.cache ? info.cache->find(context, scan, asked) : nullptr;
}

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

class LakeFileReader final : public duckdb::MultiFileReader {
 public:
  explicit LakeFileReader(LakeScanInfo& info) : info_(info) {}

  static duckdb::unique_ptr<MultiFileReader> create(const duckdb::TableFunction& function) {
    return duckdb::make_uniq<LakeFileReader>(function.function_info->Cast<LakeScanInfo>());
  }
  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    return duckdb::make_uniq<LakeFileReader>(info_);
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    ScanArgument asked = scan_argument(paths.size() == 1 ? paths[0] : "");
    auto scan = info_.scans.find(asked.handle);
    if (!scan) throw_error({Code::internal, "scan", "unknown scan handle"});
    if (asked.columns.empty()) {
      asked.columns.resize(scan->columns.size());
      std::iota(asked.columns.begin(), asked.columns.end(), size_t{0});
    }
    state_ = std::make_shared<ScanState>(std::move(scan), asked.handle, std::move(asked.columns));
    return duckdb::make_shared_ptr<LakeFileList>(state_);
  }

  bool Bind(duckdb::MultiFileOptions& options, duckdb::MultiFileList& files,
            duckdb::vector<LogicalType>& return_types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind_data) override {
    const ScanState& state = files.Cast<LakeFileList>().state();
    options.auto_detect_hive_partitioning = false;
    options.hive_partitioning = false;
    for (size_t i = 0; i < state.columns().size(); ++i) {
      const LakeColumn& column = state.columns()[i];
      FieldId id = column.field_id;
      // Constant columns must not match anything in a file.
      if (column.source != LakeColumnSource::data)
        id.id = kNoSuchFieldId / 2 - static_cast<int32_t>(i);
      names.push_back(fmt::format("c{}", state.numbers()[i]));
      return_types.push_back(duckdb_type(column.type));
      bind_data.schema.push_back(definition(names.back(), column.type, id));
    }
    for (size_t i = 0; i < state.columns().size(); ++i)
      set_defaults(state.plan().schema, state.columns()[i].field_id, state.columns()[i].type,
                   bind_data.schema[i]);
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
    info_.files_opened.add();

    int32_t unused = kNoSuchFieldId;
    if (state.scan().by_name) {
      identify_by_name(reader.columns, state.plan().name_mapping, unused);
      check_types(reader, bind_data, global_column_ids);
    } else {
      identify_by_id(reader.columns, state.plan().name_mapping, unused);
    }
    for (idx_t i = 0; i < global_column_ids.size(); ++i) {
      idx_t column = global_column_ids[i].GetPrimaryIndex();
      if (column >= state.columns().size()) continue;  // virtual
      if (auto value = constant_of(state.columns()[column], file, reader, context)) {
        reader_data.constant_map.Add(duckdb::MultiFileGlobalIndex(i), std::move(*value));
      }
    }
    if (!state.scan().rows.empty()) {
      reader.deletion_filter = duckdb::make_uniq<WantedRows>(state.shared_scan(), index);
    } else if (auto positions = state.deleted_rows(context, index)) {
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
  LakeScanInfo& info_;
  std::shared_ptr<ScanState> state_;

  // Of the field and of those inside it: a struct that a file has may lack a later field.
  static void set_defaults(const tables::Schema& schema, const FieldId& id, const Type& type,
                           MultiFileColumnDefinition& to) {
    const tables::Field* field = schema.find(id.id);
    if (field && field->initial_default) {
      auto value = tables::value_from_json(*field->initial_default, field->type);
      if (!value) throw_error(value.error());
      to.default_expression =
          duckdb::make_uniq<duckdb::ConstantExpression>(duckdb_value(*value, type));
    }
    for (size_t i = 0; i < id.children.size() && i < to.children.size(); ++i)
      set_defaults(schema, id.children[i], type.fields[i].type, to.children[i]);
  }

  static void check_types(const duckdb::BaseFileReader& reader,
                          const duckdb::MultiFileReaderBindData& bind_data,
                          const duckdb::vector<duckdb::ColumnIndex>& wanted) {
    for (const duckdb::ColumnIndex& index : wanted) {
      if (index.GetPrimaryIndex() >= bind_data.schema.size()) continue;
      const MultiFileColumnDefinition& column = bind_data.schema[index.GetPrimaryIndex()];
      for (const MultiFileColumnDefinition& local : reader.columns) {
        if (local.identifier != column.identifier || file_type_fits(local.type, column.type))
          continue;
        throw_error({Code::corrupt, "HIVE_BAD_DATA",
                     fmt::format("Unsupported column type ({}) for Parquet column {} ({}): {}",
                                 column.type.ToString(), local.name, local.type.ToString(),
                                 location_of_lake_path(reader.file.path))});
      }
    }
  }

  // The value that a whole file has in this column, none when it is to be read.
  static std::optional<duckdb::Value> constant_of(const LakeColumn& column,
                                                  const tables::DataFile& file,
                                                  const duckdb::BaseFileReader& reader,
                                                  duckdb::ClientContext& context) {
    switch (column.source) {
      case LakeColumnSource::modified: {
        auto& system = duckdb::FileSystem::GetFileSystem(context);
        auto handle =
            system.OpenFile(lake_path_or_throw(file.path), duckdb::FileFlags::FILE_FLAGS_READ);
        return duckdb::Value::TIMESTAMPTZ(
            duckdb::timestamp_tz_t(system.GetLastModifiedTime(*handle).value));
      }
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
  const LakeScan& scan = bound.file_list->Cast<LakeFileList>().state().scan();
  const tables::ScanPlan& plan = scan.plan;
  if (!plan.exact_count() || !scan.counts_known) return out;
  for (const tables::DataFile& file : plan.files) {
    duckdb::PartitionStatistics statistics;
    statistics.row_start = 0;
    statistics.count = file.record_count;
    statistics.count_type = duckdb::CountType::COUNT_EXACT;
    out.push_back(statistics);
  }
  return out;
}

// For the engine's join order and its tables addressed by key. Nulls are always thought possible.
duckdb::unique_ptr<duckdb::BaseStatistics> column_statistics(duckdb::ClientContext&,
                                                             const duckdb::FunctionData* data,
                                                             duckdb::column_t index) {
  const auto& files = *data->Cast<duckdb::MultiFileBindData>().file_list;
  const ScanState& state = files.Cast<LakeFileList>().state();
  if (index >= state.columns().size()) return nullptr;
  return range_statistics(state.plan(), state.columns()[index]);
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

void register_lake_scan(duckdb::DatabaseInstance& database, const LakeScans& scans,
                        Counter& files_opened, std::shared_ptr<ColumnCache> cache) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  auto& parquet = loader.GetTableFunction("parquet_scan");
  for (duckdb::TableFunction function : parquet.functions.functions) {
    if (function.arguments.size() != 1 || function.arguments[0] != LogicalType::VARCHAR) continue;
    function.name = "lake_scan";
    function.get_multi_file_reader = LakeFileReader::create;
    function.function_info =
        duckdb::make_shared_ptr<LakeScanInfo>(scans, files_opened, std::move(cache));
    function.bind_replace = in_memory;
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
