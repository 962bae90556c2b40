#include "sql/connectors/memory_connector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace aichemy::sql {
namespace {

constexpr const char* kDefaultSchema = "default";

// A file in the store; taken out with its last reference.
class StoredFile {
 public:
  StoredFile(objectstore::MemoryStore& store, const WrittenFile& file) : store_(store) {
    data.path = file.path;
    data.size = file.bytes;
    data.record_count = file.rows;
    data.split_offsets = file.split_offsets;
  }
  StoredFile(const StoredFile&) = delete;
  StoredFile& operator=(const StoredFile&) = delete;
  ~StoredFile() {
    std::string prefix = fmt::format("s3://{}/", kMemoryBucket);
    if (data.path.starts_with(prefix))
      (void)store_.remove(Call{}, kMemoryBucket, data.path.substr(prefix.size()), {});
  }
  tables::DataFile data;

 private:
  objectstore::MemoryStore& store_;
};

struct MemoryTable final : Table {
  std::vector<WriteColumn> stored;
  std::vector<std::shared_ptr<StoredFile>> files;
};

struct MemoryInsert final : Insert {
  TableName name;
  std::shared_ptr<MemoryTable> creates;  // CREATE TABLE AS
};

const MemoryTable& memory_table(const TableRef& table) {
  const auto* ours = dynamic_cast<const MemoryTable*>(table.get());
  CHECK(ours != nullptr);
  return *ours;
}

FieldId numbered(const Type& type, int32_t& next) {
  FieldId id{next++, {}};
  for (const auto& field : type.fields) id.children.push_back(numbered(field.type, next));
  return id;
}

Status check_type(const Type& type, const std::string& column) {
  static constexpr TypeKind kStored[] = {
      TypeKind::boolean, TypeKind::tinyint,   TypeKind::smallint,     TypeKind::integer,
      TypeKind::bigint,  TypeKind::real,      TypeKind::double_,      TypeKind::decimal,
      TypeKind::varchar, TypeKind::varbinary, TypeKind::date,         TypeKind::time,
      TypeKind::uuid,    TypeKind::timestamp, TypeKind::timestamp_tz, TypeKind::array,
      TypeKind::map,     TypeKind::row};
  bool temporal =
      type.is(TypeKind::time) || type.is(TypeKind::timestamp) || type.is(TypeKind::timestamp_tz);
  bool known = type.is_geo() || std::ranges::find(kStored, type.kind) != std::end(kStored);
  if (!known || (temporal && type.precision > 6)) {
    return fail(
        Code::unsupported, "NOT_SUPPORTED",
        fmt::format("column {}: the memory catalog does not keep {}", column, type.display()));
  }
  for (const auto& field : type.fields) RETURN_IF_ERROR(check_type(field.type, column));
  return {};
}

Result<std::shared_ptr<MemoryTable>> made_table(const NewTable& table) {
  if (!table.properties.empty()) {
    return fail(Code::invalid, "INVALID_TABLE_PROPERTY",
                fmt::format("Catalog 'memory' table property '{}' does not exist",
                            table.properties.begin()->first));
  }
  auto made = std::make_shared<MemoryTable>();
  made->name = table.name;
  made->columns = table.columns;
  made->comment = table.comment;
  int32_t next = 1;
  for (const auto& column : table.columns) {
    RETURN_IF_ERROR(check_type(column.type, column.name));
    made->stored.push_back(
        {column.name, column.type, numbered(column.type, next), !column.nullable});
  }
  return made;
}

std::unexpected<Error> no_schema(const std::string& schema) {
  return fail(Code::not_found, "schema_not_found",
              fmt::format("Schema '{}' does not exist", schema));
}

}  // namespace

MemoryConnector::MemoryConnector(objectstore::MemoryStore& store, LakeScans& scans, Random& random)
    : store_(store), scans_(scans), random_(random) {
  (void)store_.create_bucket(Call{}, kMemoryBucket);
  schemas_[kDefaultSchema];
}

MemoryConnector::~MemoryConnector() = default;

Result<MemoryConnector::Schema*> MemoryConnector::find_locked(const std::string& schema) {
  auto found = schemas_.find(schema);
  if (found == schemas_.end()) return no_schema(schema);
  return &found->second;
}

Result<std::vector<std::string>> MemoryConnector::list_schemas(const Call&) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, schema] : schemas_) names.push_back(name);
  return names;
}

Result<bool> MemoryConnector::schema_exists(const Call&, const std::string& schema) {
  std::lock_guard lock(mutex_);
  return schemas_.contains(schema);
}

Status MemoryConnector::create_schema(const Call&, const std::string& schema,
                                      const Properties& properties) {
  if (!properties.empty()) {
    return fail(Code::invalid, "INVALID_SCHEMA_PROPERTY",
                fmt::format("Catalog 'memory' schema property '{}' does not exist",
                            properties.begin()->first));
  }
  std::lock_guard lock(mutex_);
  if (!schemas_.try_emplace(schema).second)
    return fail(Code::exists, "schema_exists", fmt::format("Schema '{}' already exists", schema));
  return {};
}

Status MemoryConnector::drop_schema(const Call&, const std::string& schema, bool cascade) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * found, find_locked(schema));
  if (!cascade && (!found->tables.empty() || !found->views.empty()))
    return fail(Code::conflict, "schema_not_empty", fmt::format("Schema not empty: {}", schema));
  schemas_.erase(schema);
  return {};
}

Result<std::vector<std::string>> MemoryConnector::list_tables(const Call&,
                                                              const std::string& schema) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * found, find_locked(schema));
  std::vector<std::string> names;
  for (const auto& [name, table] : found->tables) names.push_back(name);
  for (const auto& [name, view] : found->views) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> MemoryConnector::list_views(const Call&,
                                                             const std::string& schema) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * found, find_locked(schema));
  std::vector<std::string> names;
  for (const auto& [name, view] : found->views) names.push_back(name);
  return names;
}

Result<TableRef> MemoryConnector::get_table(const Call&, const TableName& name) {
  std::lock_guard lock(mutex_);
  auto schema = schemas_.find(name.schema);
  if (schema == schemas_.end()) return TableRef();
  auto found = schema->second.tables.find(name.table);
  return found == schema->second.tables.end() ? TableRef() : found->second;
}

Result<std::optional<View>> MemoryConnector::get_view(const Call&, const TableName& name) {
  std::lock_guard lock(mutex_);
  auto schema = schemas_.find(name.schema);
  if (schema == schemas_.end()) return std::optional<View>();
  auto found = schema->second.views.find(name.table);
  return found == schema->second.views.end() ? std::optional<View>() : found->second;
}

Result<Scan> MemoryConnector::plan_scan(const Call&, const TableRef& table, const ScanRequest&) {
  const MemoryTable& ours = memory_table(table);
  auto scan = std::make_shared<LakeScan>();
  for (const WriteColumn& column : ours.stored)
    scan->columns.push_back({.type = column.type, .field_id = column.field_id});
  for (const auto& file : ours.files) {
    scan->plan.files.push_back(file->data);
    scan->plan.record_count += file->data.record_count;
    scan->plan.byte_count += file->data.size;
  }
  scan->plan.files_total = ours.files.size();
  EngineScan made = scans_.add(std::move(scan));
  // The files stay while the scan does.
  made.keep = std::make_shared<std::pair<std::shared_ptr<void>, TableRef>>(made.keep, table);
  return Scan(std::move(made));
}

Status MemoryConnector::add_locked(TableRef table, bool replace) {
  ASSIGN_OR_RETURN(Schema * schema, find_locked(table->name.schema));
  const std::string& name = table->name.table;
  if (schema->views.contains(name) || (!replace && schema->tables.contains(name))) {
    return fail(Code::exists, "table_exists",
                fmt::format("Table '{}.{}' already exists", table->name.schema, name));
  }
  schema->tables[name] = std::move(table);
  return {};
}

Status MemoryConnector::create_table(const Call&, const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, made_table(table));
  std::lock_guard lock(mutex_);
  return add_locked(std::move(made), table.replace);
}

Status MemoryConnector::drop_table(const Call&, const TableName& name) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * schema, find_locked(name.schema));
  if (schema->tables.erase(name.table) == 0)
    return fail(Code::not_found, "table_not_found",
                fmt::format("Table '{}.{}' does not exist", name.schema, name.table));
  return {};
}

Status MemoryConnector::create_view(const Call&, const TableName& name, const View& view,
                                    bool replace) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * schema, find_locked(name.schema));
  if (schema->tables.contains(name.table) || (!replace && schema->views.contains(name.table)))
    return fail(Code::exists, "table_exists",
                fmt::format("View '{}.{}' already exists", name.schema, name.table));
  schema->views[name.table] = view;
  return {};
}

Status MemoryConnector::drop_view(const Call&, const TableName& name) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Schema * schema, find_locked(name.schema));
  if (schema->views.erase(name.table) == 0)
    return fail(Code::not_found, "view_not_found",
                fmt::format("View '{}.{}' does not exist", name.schema, name.table));
  return {};
}

Result<std::unique_ptr<Insert>> MemoryConnector::begin_insert(const Call&, const TableRef& table) {
  const MemoryTable& ours = memory_table(table);
  auto insert = std::make_unique<MemoryInsert>();
  insert->name = ours.name;
  insert->target.location =
      fmt::format("s3://{}/{}/{}", kMemoryBucket, ours.name.schema, random_.uuid());
  insert->target.columns = ours.stored;
  insert->target.compression = "snappy";
  return insert;
}

Result<std::unique_ptr<Insert>> MemoryConnector::begin_create_table_as(const Call& call,
                                                                       const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, made_table(table));
  ASSIGN_OR_RETURN(auto insert, begin_insert(call, made));
  static_cast<MemoryInsert&>(*insert).creates = std::move(made);
  return insert;
}

Status MemoryConnector::finish_insert(const Call&, Insert& insert, std::vector<WrittenFile> files) {
  auto& ours = static_cast<MemoryInsert&>(insert);
  std::vector<std::shared_ptr<StoredFile>> added;
  for (const WrittenFile& file : files) added.push_back(std::make_shared<StoredFile>(store_, file));
  std::lock_guard lock(mutex_);
  if (ours.creates) {
    ours.creates->files = std::move(added);
    return add_locked(std::move(ours.creates), false);
  }
  ASSIGN_OR_RETURN(Schema * schema, find_locked(ours.name.schema));
  auto found = schema->tables.find(ours.name.table);
  if (found == schema->tables.end()) {
    return fail(
        Code::not_found, "table_not_found",
        fmt::format("Table '{}.{}' was dropped meanwhile", ours.name.schema, ours.name.table));
  }
  auto next = std::make_shared<MemoryTable>(memory_table(found->second));
  next->files.insert(next->files.end(), added.begin(), added.end());
  found->second = std::move(next);
  return {};
}

}  // namespace aichemy::sql
