#include "jobs/outbox.h"

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::jobs {
namespace {

Json optional_text(const std::optional<std::string>& text) {
  return text ? Json(to_base64(*text)) : Json();
}

Result<std::optional<std::string>> text_from(const Json& json) {
  if (json.is_null()) return std::optional<std::string>();
  ASSIGN_OR_RETURN(std::string bytes, from_base64(json.as_string()));
  return std::optional<std::string>(std::move(bytes));
}

std::string_view bytes_of(const wire::Uuid& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

}  // namespace

Json offsets_to_json(const Positions& offsets) {
  Json out = Json::array();
  for (const auto& [which, position] : offsets) {
    out.push(Json()
                 .set("topic", which.first)
                 .set("topic_id", to_hex(bytes_of(position.topic_id)))
                 .set("partition", which.second)
                 .set("offset", position.offset));
  }
  return out;
}

Result<Positions> offsets_from_json(const Json& json) {
  Positions out;
  for (const Json& row : json.as_array()) {
    Position position;
    ASSIGN_OR_RETURN(std::string topic, row.string_at("topic"));
    ASSIGN_OR_RETURN(int64_t partition, row.int_at("partition"));
    ASSIGN_OR_RETURN(position.offset, row.int_at("offset"));
    if (!row["topic_id"].is_null()) {
      ASSIGN_OR_RETURN(std::string id, from_hex(row["topic_id"].as_string()));
      if (id.size() != position.topic_id.size())
        return fail(Code::corrupt, "offsets", "a topic id is not 16 bytes");
      std::copy(id.begin(), id.end(), position.topic_id.begin());
    }
    out[{std::move(topic), static_cast<int32_t>(partition)}] = position;
  }
  return out;
}

// Statistics are bytes in an encoding of DuckDB's: base64 keeps them whole.
namespace {

Json files_to_json(const std::vector<sql::WrittenFile>& files) {
  Json out = Json::array();
  for (const sql::WrittenFile& file : files) {
    Json partition = Json::array();
    for (const auto& value : file.partition) partition.push(optional_text(value));
    Json columns = Json::array();
    for (const sql::WrittenColumn& column : file.columns) {
      Json row;
      row.set("id", column.field_id).set("bytes", column.bytes).set("nan", column.has_nan);
      row.set("nulls", column.null_count ? Json(*column.null_count) : Json());
      row.set("min", optional_text(column.min)).set("max", optional_text(column.max));
      columns.push(std::move(row));
    }
    Json offsets = Json::array();
    for (int64_t offset : file.split_offsets) offsets.push(offset);
    Json row;
    row.set("path", file.path).set("rows", file.rows).set("bytes", file.bytes);
    row.set("partition", std::move(partition))
        .set("columns", std::move(columns))
        .set("splits", std::move(offsets));
    if (file.sort_order_id) row.set("sort_order", *file.sort_order_id);
    out.push(std::move(row));
  }
  return out;
}

Result<std::vector<sql::WrittenFile>> files_from_json(const Json& json) {
  std::vector<sql::WrittenFile> out;
  for (const Json& row : json.as_array()) {
    sql::WrittenFile file;
    ASSIGN_OR_RETURN(file.path, row.string_at("path"));
    ASSIGN_OR_RETURN(int64_t rows, row.int_at("rows"));
    ASSIGN_OR_RETURN(int64_t bytes, row.int_at("bytes"));
    file.rows = static_cast<uint64_t>(rows);
    file.bytes = static_cast<uint64_t>(bytes);
    for (const Json& value : row["partition"].as_array()) {
      ASSIGN_OR_RETURN(auto text, text_from(value));
      file.partition.push_back(std::move(text));
    }
    for (const Json& item : row["columns"].as_array()) {
      sql::WrittenColumn column;
      column.field_id = static_cast<int32_t>(item["id"].as_int());
      column.bytes = static_cast<uint64_t>(item["bytes"].as_int());
      column.has_nan = item["nan"].as_bool();
      if (item["nulls"].is_integer())
        column.null_count = static_cast<uint64_t>(item["nulls"].as_int());
      ASSIGN_OR_RETURN(column.min, text_from(item["min"]));
      ASSIGN_OR_RETURN(column.max, text_from(item["max"]));
      file.columns.push_back(std::move(column));
    }
    for (const Json& offset : row["splits"].as_array())
      file.split_offsets.push_back(offset.as_int());
    if (row["sort_order"].is_integer())
      file.sort_order_id = static_cast<int>(row["sort_order"].as_int());
    out.push_back(std::move(file));
  }
  return out;
}

}  // namespace

Json batch_to_json(const WrittenBatch& batch) {
  Json summary = Json::object();
  for (const auto& [key, value] : batch.summary) summary.set(key, value);
  return Json().set("files", files_to_json(batch.files)).set("summary", std::move(summary));
}

// A bare array is an outbox of before summaries were kept.
Result<WrittenBatch> batch_from_json(const Json& json) {
  WrittenBatch batch;
  ASSIGN_OR_RETURN(batch.files, files_from_json(json.is_object() ? json["files"] : json));
  for (const auto& [key, value] : json["summary"].as_object())
    batch.summary[key] = value.as_string();
  return batch;
}

}  // namespace aichemy::jobs
