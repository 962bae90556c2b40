// SHOW STATS from the manifests and the statistics file of the current snapshot, and ANALYZE, which
// writes that file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_tables.h"
#include "sql/connectors/table_change.h"
#include "tables/puffin.h"
#include "tables/statistics_file.h"

namespace aichemy::sql {

namespace {

using tables::iceberg::TableMetadata;
using Kind = tables::TypeKind;

// Of one column over all files; what a file does not say makes the sum unknown.
struct Totals {
  std::optional<int64_t> nulls = 0;
  tables::Value low, high;
  bool bounded = true;

  void add(const tables::ColumnBounds& bounds, int64_t rows) {
    if (bounds.null_count < 0)
      nulls.reset();
    else if (nulls)
      *nulls += bounds.null_count;
    bool all_null = bounds.null_count == rows;
    if (all_null) return;
    bounded = bounded && !bounds.lower.is_null() && !bounds.upper.is_null();
    if (!bounded) return;
    if (low.is_null() || bounds.lower.compare(low) < 0) low = bounds.lower;
    if (high.is_null() || bounds.upper.compare(high) > 0) high = bounds.upper;
  }
};

// As Java prints a double.
std::string double_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e7) return fmt::format("{:.1f}", value);
  if (std::abs(value) >= 1e7 || (value != 0 && std::abs(value) < 1e-3)) {
    std::string text = fmt::format("{:E}", value);
    size_t e = text.find('E');
    std::string mantissa = fmt::format("{}", value / std::pow(10, std::stoi(text.substr(e + 1))));
    if (mantissa.find('.') == std::string::npos) mantissa += ".0";
    return mantissa + "E" + std::to_string(std::stoi(text.substr(e + 1)));
  }
  return fmt::format("{}", value);
}

// What SHOW STATS prints of a bound; none for types it has no range of.
std::optional<std::string> bound_text(const tables::Value& value, const tables::Type& type) {
  if (value.is_null()) return std::nullopt;
  switch (type.kind) {
    case Kind::int32:
    case Kind::int64:
    case Kind::decimal:
    case Kind::date: return tables::value_text(value, type);
    case Kind::float32:
    case Kind::float64: return double_text(value.as_double());
    case Kind::timestamp:
    case Kind::timestamptz: {
      std::string text = tables::value_text(value, type);
      if (size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
      bool zoned = type.kind == Kind::timestamptz;
      if (size_t zone = text.find('+'); zone != std::string::npos) text.resize(zone);
      size_t dot = text.find('.');
      if (dot == std::string::npos) {
        if (text.size() == 16) text += ":00";
        text += '.';
        dot = text.size() - 1;
      }
      text.resize(dot + 1 + (zoned ? 3 : 6), '0');
      return zoned ? text + " UTC" : text;
    }
    default: return std::nullopt;
  }
}

// The sketches themselves, for a writer that does not repeat their estimates in the metadata. The
// specification calls statistics informational: a file that is gone or broken says nothing.
void add_sketches(const Call& call, tables::FileIo& files, const Json& file,
                  std::map<int, double>* counts) {
  auto bytes = files.read(call, std::string(file["statistics-path"].as_string()));
  auto puffin = bytes ? tables::decode_puffin(*bytes) : std::unexpected(bytes.error());
  if (!puffin) return;
  for (const tables::PuffinBlob& blob : puffin->blobs) {
    if (blob.type != tables::kThetaBlob || blob.fields.empty()) continue;
    auto sketch = tables::puffin_blob(*bytes, blob);
    auto estimate = sketch ? tables::theta_estimate(*sketch) : std::unexpected(sketch.error());
    if (estimate) counts->try_emplace(blob.fields[0], *estimate);
  }
}

// Distinct values by field id, of the newest snapshot in the ancestry that has been analysed.
std::map<int, double> distinct_counts(const Call& call, tables::FileIo& files,
                                      const TableMetadata& metadata) {
  std::map<int, double> counts;
  const auto* at = metadata.current_snapshot();
  for (size_t steps = 0; at && steps <= metadata.snapshots.size(); ++steps) {
    for (const Json& file : metadata.statistics) {
      if (file["snapshot-id"].as_int() != at->id) continue;
      for (const Json& blob : file["blob-metadata"].as_array()) {
        if (blob["type"].as_string() != tables::kThetaBlob || blob["fields"].as_array().empty())
          continue;
        std::string ndv(blob["properties"]["ndv"].as_string());
        int field = static_cast<int>(blob["fields"].as_array()[0].as_int());
        if (!ndv.empty()) counts.try_emplace(field, std::strtod(ndv.c_str(), nullptr));
        if (ndv.empty() && !counts.contains(field)) add_sketches(call, files, file, &counts);
      }
    }
    at = at->parent_id ? metadata.snapshot(*at->parent_id) : nullptr;
  }
  return counts;
}

}  // namespace

Result<TableStatistics> IcebergConnector::statistics(const Call& call, const TableRef& table) {
  const auto* source = dynamic_cast<const IcebergTable*>(table.get());
  if (!source) return TableStatistics{};
  const TableMetadata& metadata = *source->loaded.metadata;
  const tables::Schema& schema = metadata.current_schema();
  TableStatistics made;
  made.columns.resize(schema.fields.size());
  tables::ScanRequest request;
  ASSIGN_OR_RETURN(auto plan, catalog_.plan(call, source->loaded, request));
  if (plan.files.empty()) {
    made.rows = 0;
    for (auto& column : made.columns) column = {0, 0, 1, std::nullopt, std::nullopt};
    return made;
  }
  std::map<int, Totals> totals;
  int64_t rows = 0;
  for (const tables::DataFile& file : plan.files) {
    auto file_rows = static_cast<int64_t>(file.record_count);
    rows += file_rows;
    std::map<int, const tables::ColumnBounds*> known;
    for (const auto& bounds : file.bounds) known[bounds.field_id] = &bounds;
    for (const auto& field : schema.fields) {
      auto found = known.find(field.id);
      tables::ColumnBounds none;
      totals[field.id].add(found == known.end() ? none : *found->second, file_rows);
    }
  }
  made.rows = static_cast<double>(rows);
  auto distinct = distinct_counts(call, catalog_.files(), metadata);
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    const tables::Field& field = schema.fields[i];
    const Totals& total = totals[field.id];
    ColumnStatistics& column = made.columns[i];
    if (total.nulls && rows > 0 && !field.type.is_nested())
      column.nulls_fraction = static_cast<double>(*total.nulls) / static_cast<double>(rows);
    if (auto found = distinct.find(field.id); found != distinct.end())
      column.distinct_values = found->second;
    if (!total.bounded) continue;
    column.low = bound_text(total.low, field.type);
    column.high = bound_text(total.high, field.type);
  }
  return made;
}

Status IcebergConnector::store_distinct(const Call& call, const TableRef& table,
                                        const std::vector<DistinctHashes>& columns) {
  const auto* source = dynamic_cast<const IcebergTable*>(table.get());
  const auto* snapshot = source ? source->loaded.metadata->current_snapshot() : nullptr;
  if (!snapshot) return {};
  const TableMetadata& metadata = *source->loaded.metadata;
  std::vector<tables::ThetaSketch> sketches;
  for (const DistinctHashes& column : columns)
    sketches.push_back({metadata.current_schema().fields[column.column].id, column.hashes});
  auto file = tables::encode_statistics(sketches, snapshot->id, snapshot->sequence_number);
  std::string path =
      fmt::format("{}/metadata/{}-{}.stats", metadata.location, snapshot->id, catalog_.new_uuid());
  RETURN_IF_ERROR(catalog_.files().write_new(call, path, file.bytes));
  tables::iceberg::Update update;
  update.kind = tables::iceberg::Update::Kind::set_statistics;
  update.json = Json::object();
  update.json.set("snapshot-id", snapshot->id).set("statistics-path", path);
  update.json.set("file-size-in-bytes", static_cast<int64_t>(file.bytes.size()));
  update.json.set("file-footer-size-in-bytes", file.footer_size);
  update.json.set("blob-metadata", std::move(file.blob_metadata));
  catalog::CommitTable change{source->loaded.name,
                              {tables::iceberg::Requirement::uuid(metadata.uuid)},
                              {std::move(update)}};
  auto done = catalog_.commit(call, change);
  if (done) return {};
  (void)catalog_.files().remove(call, path);
  return std::unexpected(in_our_words(done.error()));
}

}  // namespace aichemy::sql
