// Scan planning for clients that leave it to the catalog. A plan is made whole when it is asked
// for, so it is always "completed"; what does not fit the first answer is fetched task by task, a
// task being "<plan>:<first file>".
#include <charconv>
#include <cmath>
#include <map>

#include "serve/iceberg/rest.h"
#include "tables/transform.h"

namespace aichemy::serve::iceberg {

namespace {

using tables::iceberg::TableMetadata;

constexpr size_t kFilesPerAnswer = 2000;

constexpr std::string_view kFormats[] = {"parquet", "orc", "avro", "puffin"};

Json partition_json(const TableMetadata& metadata, int spec_id,
                    const std::vector<tables::Value>& values) {
  Json list = Json::array();
  const auto* spec = metadata.spec(spec_id);
  for (size_t i = 0; spec && i < spec->fields.size() && i < values.size(); ++i) {
    const auto& field = spec->fields[i];
    const tables::Field* source = nullptr;
    for (auto schema = metadata.schemas.rbegin(); !source && schema != metadata.schemas.rend();
         ++schema)
      source = schema->find(field.source_id);
    auto type = source ? tables::transform_result_type(field.transform, source->type)
                       : Result<tables::Type>(tables::primitive(tables::TypeKind::unknown));
    list.push(type ? tables::value_to_json(values[i], *type) : Json());
  }
  return list;
}

Json counts_json(const std::vector<tables::ColumnBounds>& bounds,
                 int64_t tables::ColumnBounds::* count) {
  Json keys = Json::array(), values = Json::array();
  for (const auto& column : bounds) {
    if (column.*count < 0) continue;
    keys.push(column.field_id);
    values.push(column.*count);
  }
  return Json::object().set("keys", std::move(keys)).set("values", std::move(values));
}

Json values_json(const std::vector<tables::ColumnBounds>& bounds, const tables::Schema& schema,
                 tables::Value tables::ColumnBounds::* bound) {
  Json keys = Json::array(), values = Json::array();
  for (const auto& column : bounds) {
    const tables::Value& value = column.*bound;
    const tables::Field* field = schema.find(column.field_id);
    bool finite = !value.holds_double() || std::isfinite(value.as_double());
    if (value.is_null() || !field || !finite) continue;
    keys.push(column.field_id);
    values.push(tables::value_to_json(value, field->type));
  }
  return Json::object().set("keys", std::move(keys)).set("values", std::move(values));
}

// Members that data files and delete files share.
template <class File>
Json content_file_json(const TableMetadata& metadata, const File& file, const char* content) {
  Json json = Json::object();
  json.set("content", content).set("file-path", file.path);
  json.set("file-format", kFormats[static_cast<size_t>(file.format)]);
  json.set("spec-id", file.spec_id);
  json.set("partition", partition_json(metadata, file.spec_id, file.partition_values));
  json.set("file-size-in-bytes", file.size).set("record-count", file.record_count);
  return json;
}

Json data_file_json(const PlannedScan& scan, const tables::DataFile& file) {
  Json json = content_file_json(*scan.table.metadata, file, "data");
  if (!file.split_offsets.empty()) {
    Json offsets = Json::array();
    for (int64_t offset : file.split_offsets) offsets.push(offset);
    json.set("split-offsets", std::move(offsets));
  }
  if (file.sort_order_id) json.set("sort-order-id", *file.sort_order_id);
  if (file.first_row_id) json.set("first-row-id", *file.first_row_id);
  if (file.bounds.empty()) return json;
  json.set("value-counts", counts_json(file.bounds, &tables::ColumnBounds::value_count));
  json.set("null-value-counts", counts_json(file.bounds, &tables::ColumnBounds::null_count));
  json.set("nan-value-counts", counts_json(file.bounds, &tables::ColumnBounds::nan_count));
  json.set("lower-bounds",
           values_json(file.bounds, scan.plan.schema, &tables::ColumnBounds::lower));
  json.set("upper-bounds",
           values_json(file.bounds, scan.plan.schema, &tables::ColumnBounds::upper));
  return json;
}

Json delete_file_json(const PlannedScan& scan, const tables::DeleteFile& file) {
  bool equality = file.kind == tables::DeleteKind::equality;
  Json json = content_file_json(*scan.table.metadata, file,
                                equality ? "equality-deletes" : "position-deletes");
  if (equality) {
    Json ids = Json::array();
    for (int id : file.equality_ids) ids.push(id);
    json.set("equality-ids", std::move(ids));
  }
  if (!file.referenced_data_file.empty())
    json.set("referenced-data-file", file.referenced_data_file);
  if (file.kind == tables::DeleteKind::deletion_vector)
    json.set("content-offset", file.content_offset).set("content-size-in-bytes", file.content_size);
  return json;
}

std::string task_name(const PlannedScan& scan, size_t first) {
  return scan.id + ":" + std::to_string(first);
}

// Members of ScanTasks for the files from `first` on.
void put_tasks(const PlannedScan& scan, size_t first, Json* answer) {
  const auto& files = scan.plan.files;
  size_t end = std::min(files.size(), first + kFilesPerAnswer);
  std::map<uint32_t, int64_t> places;  // of a delete file in this answer
  Json tasks = Json::array(), deletes = Json::array(), rest = Json::array();
  for (size_t i = first; i < end; ++i) {
    Json task = Json::object().set("data-file", data_file_json(scan, files[i]));
    Json references = Json::array();
    for (uint32_t at : files[i].deletes) {
      auto [place, fresh] = places.try_emplace(at, static_cast<int64_t>(places.size()));
      if (fresh) deletes.push(delete_file_json(scan, scan.plan.delete_files[at]));
      references.push(place->second);
    }
    if (!files[i].deletes.empty()) task.set("delete-file-references", std::move(references));
    tasks.push(std::move(task));
  }
  // All further tasks are told at once, so that a client fetches them side by side.
  for (size_t next = end; first == 0 && next < files.size(); next += kFilesPerAnswer)
    rest.push(task_name(scan, next));
  answer->set("file-scan-tasks", std::move(tasks)).set("delete-files", std::move(deletes));
  answer->set("plan-tasks", std::move(rest));
}

RestAnswer plan_answer(const RestContext& context, const PlannedScan& scan) {
  Json body = Json::object().set("status", "completed").set("plan-id", scan.id);
  put_tasks(scan, 0, &body);
  if (scan.with_credentials) {
    body.set("storage-credentials",
             context.storage_credentials(scan.principal, *scan.table.metadata));
  }
  return RestAnswer{.body = std::move(body)};
}

Result<std::vector<int>> field_ids(const Json& names, const tables::Schema& schema,
                                   bool case_sensitive) {
  std::vector<int> ids;
  for (const Json& name : names.as_array()) {
    const tables::Field* field = schema.find(name.as_string(), !case_sensitive);
    if (!field) {
      return fail(Code::invalid, "request",
                  "Cannot find field '" + std::string(name.as_string()) + "'");
    }
    ids.push_back(field->id);
  }
  return ids;
}

// One snapshot, or what was appended from one (exclusive) to another (inclusive).
Status choose_snapshots(const Json& body, tables::ScanRequest* scan) {
  auto given = [&](const char* name) -> std::optional<int64_t> {
    const Json* id = body.find(name);
    return id && !id->is_null() ? std::optional(id->as_int(-1)) : std::nullopt;
  };
  auto one = given("snapshot-id"), start = given("start-snapshot-id"),
       end = given("end-snapshot-id");
  if (one && (start || end)) {
    return fail(Code::invalid, "request",
                "snapshot-id excludes start-snapshot-id and end-snapshot-id");
  }
  if (start && !end)
    return fail(Code::invalid, "request", "start-snapshot-id needs end-snapshot-id");
  scan->snapshot_id = end ? end : one;
  scan->appends_only = end.has_value();
  scan->appended_after = start;
  return {};
}

Result<tables::ScanRequest> scan_request(const Json& body, const TableMetadata& metadata) {
  tables::ScanRequest scan;
  scan.with_partition = true;
  const tables::Schema* schema = &metadata.current_schema();
  RETURN_IF_ERROR(choose_snapshots(body, &scan));
  if (scan.snapshot_id) {
    const auto* snapshot = metadata.snapshot(*scan.snapshot_id);
    if (!snapshot) {
      return fail(Code::not_found, "no_such_snapshot",
                  "Cannot find snapshot with ID " + std::to_string(*scan.snapshot_id));
    }
    const tables::Schema* then =
        snapshot->schema_id ? metadata.schema(*snapshot->schema_id) : nullptr;
    if (body["use-snapshot-schema"].as_bool() && then && !scan.appends_only) schema = then;
  }
  bool case_sensitive = body["case-sensitive"].as_bool(true);
  RETURN_IF_ERROR(field_ids(body["select"], *schema, case_sensitive));
  ASSIGN_OR_RETURN(scan.predicate, predicate_from_json(body["filter"], *schema, case_sensitive));
  ASSIGN_OR_RETURN(scan.columns, field_ids(body["stats-fields"], *schema, case_sensitive));
  scan.with_bounds = !scan.columns.empty();
  return scan;
}

Result<PlannedScanRef> planned(RestContext& context, const RestRequest& request,
                               const std::string& id, const char* word,
                               const std::string& message) {
  RETURN_IF_ERROR(context.catalog().load_table(request.call, request.table()));
  auto scan = context.plans().find(id, request.call.principal, request.table(), context.now());
  if (!scan) return fail(Code::not_found, word, message);
  return scan;
}

Result<PlannedScanRef> plan_of_path(RestContext& context, const RestRequest& request) {
  return planned(context, request, request.path.find("plan-id")->second, "no_such_plan",
                 "The plan id does not exist: it was cancelled, or is too old");
}

}  // namespace

namespace {

size_t weight_of(const PlannedScan& scan) {
  return std::max(Plans::kFilesLeast, scan.plan.files.size());
}

}  // namespace

void Plans::keep(PlannedScanRef scan, SteadyTime now) {
  std::lock_guard lock(mutex_);
  files_ += weight_of(*scan);
  kept_.push_back({std::move(scan), now + kLifetime});
  drop_late(now);
}

PlannedScanRef Plans::find(const std::string& id, const std::string& principal,
                           const catalog::TableName& table, SteadyTime now) {
  std::lock_guard lock(mutex_);
  drop_late(now);
  for (const Kept& kept : kept_) {
    const PlannedScan& scan = *kept.scan;
    if (scan.id == id && scan.principal == principal && scan.table.name == table) return kept.scan;
  }
  return nullptr;
}

void Plans::drop(const std::string& id) {
  std::lock_guard lock(mutex_);
  std::erase_if(kept_, [&](const Kept& kept) {
    if (kept.scan->id != id) return false;
    files_ -= weight_of(*kept.scan);
    return true;
  });
}

void Plans::drop_late(SteadyTime now) {
  while (!kept_.empty()) {
    bool too_many = files_ > kFilesMax && kept_.size() > 1;
    if (kept_.front().until > now && !too_many) return;
    files_ -= weight_of(*kept_.front().scan);
    kept_.pop_front();
  }
}

Result<RestAnswer> plan_scan(RestContext& context, const RestRequest& request) {
  auto scan = std::make_shared<PlannedScan>();
  ASSIGN_OR_RETURN(scan->table, context.catalog().load_table(request.call, request.table()));
  ASSIGN_OR_RETURN(auto wanted, scan_request(request.body, *scan->table.metadata));
  ASSIGN_OR_RETURN(scan->plan, context.catalog().plan(request.call, scan->table, wanted));
  scan->id = context.random().uuid();
  scan->principal = request.call.principal;
  scan->with_credentials = request.wants_credentials;
  context.plans().keep(scan, context.now());
  return plan_answer(context, *scan);
}

Result<RestAnswer> get_plan(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto scan, plan_of_path(context, request));
  return plan_answer(context, *scan);
}

Result<RestAnswer> cancel_plan(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto scan, plan_of_path(context, request));
  context.plans().drop(scan->id);
  return RestAnswer{.status = 204};
}

Result<RestAnswer> fetch_tasks(RestContext& context, const RestRequest& request) {
  std::string task(request.body["plan-task"].as_string());
  if (task.empty()) return fail(Code::invalid, "request", "\"plan-task\" is missing");
  constexpr const char* kGone = "The plan task does not exist: plan the scan again";
  size_t colon = std::min(task.rfind(':'), task.size());
  ASSIGN_OR_RETURN(auto scan,
                   planned(context, request, task.substr(0, colon), "no_such_plan_task", kGone));
  size_t first = 0;
  const char* end = task.data() + task.size();
  auto number = std::from_chars(task.data() + std::min(colon + 1, task.size()), end, first);
  bool whole = number.ec == std::errc() && number.ptr == end && first > 0 &&
               first % kFilesPerAnswer == 0 && first < scan->plan.files.size();
  if (!whole) return fail(Code::not_found, "no_such_plan_task", kGone);
  Json body = Json::object();
  put_tasks(*scan, first, &body);
  return RestAnswer{.body = std::move(body)};
}

}  // namespace aichemy::serve::iceberg
