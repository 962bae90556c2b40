#include "sql/hive/hive_buckets.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "sql/hive/hive_hash.h"
#include "sql/hive/hive_partition.h"
#include "sql/hive/numbers.h"

namespace aichemy::sql {
namespace {

constexpr const char* kVersion = "bucketing_version";
constexpr int32_t kAscending = 1, kDescending = 0;
// Combinations of values that are looked at to find the buckets of a query.
constexpr size_t kCombinationsMax = 1000;

std::optional<size_t> column_of(const HiveTable& table, const std::string& name) {
  for (size_t i = 0; i < table.data_columns; ++i) {
    if (table.columns[i].name == lower(name)) return i;
  }
  return std::nullopt;
}

std::unexpected<Error> bad_property(const std::string& message) {
  return fail(Code::invalid, "INVALID_TABLE_PROPERTY", message);
}

// The digits at the front, if there are any.
std::string_view digits_of(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Of a value of a conjunct; none for types whose equality is not that of their hashes.
std::optional<int32_t> hash_of(const Value& given, const Type& type, int version) {
  auto value = conjunct_value(given, type);
  if (!value) return std::nullopt;
  switch (type.kind) {
    case TypeKind::boolean: return hive_hash_integer(version, value->as_bool() ? 1 : 0, 1);
    case TypeKind::tinyint: return hive_hash_integer(version, value->as_int(), 1);
    case TypeKind::smallint: return hive_hash_integer(version, value->as_int(), 2);
    case TypeKind::date:
    case TypeKind::integer: return hive_hash_integer(version, value->as_int(), 4);
    case TypeKind::bigint: return hive_hash_integer(version, value->as_int(), 8);
    case TypeKind::varchar:
      return hive_hash_text(version, value->as_bytes(), type.precision != Type::kUnbounded);
    default: return std::nullopt;
  }
}

// The hashes of the values that a column may have; none: any.
std::optional<std::vector<int32_t>> hashes_of(size_t column, const Type& type, int version,
                                              const std::vector<Conjunct>& conjuncts) {
  for (const Conjunct& conjunct : conjuncts) {
    bool listed = conjunct.op == Compare::eq || conjunct.op == Compare::in;
    if (conjunct.column != column || !listed) continue;
    std::vector<int32_t> out;
    for (const Value& value : conjunct.values) {
      auto hash = hash_of(value, type, version);
      if (!hash) return std::nullopt;
      out.push_back(*hash);
    }
    return out;
  }
  return std::nullopt;
}

std::optional<std::set<int>> buckets_wanted(const HiveTable& table, const HiveBuckets& buckets,
                                            const std::vector<Conjunct>& conjuncts) {
  std::vector<int32_t> hashes{0};
  for (size_t column : buckets.columns) {
    auto more = hashes_of(column, table.columns[column].type, buckets.version, conjuncts);
    if (!more || hashes.size() * more->size() > kCombinationsMax) return std::nullopt;
    std::vector<int32_t> next;
    for (int32_t hash : hashes) {
      for (int32_t other : *more) next.push_back(hive_hash_next(hash, other));
    }
    hashes = std::move(next);
  }
  std::set<int> out;
  for (int32_t hash : hashes) out.insert(hive_bucket(hash, buckets.count));
  return out;
}

struct SortColumn {
  std::string name;
  bool descending = false;
};

// "name", "name ASC", "name DESC".
Result<SortColumn> sort_column(std::string text) {
  SortColumn made;
  size_t space = text.find(' ');
  std::string order = space == std::string::npos ? "asc" : lower(text.substr(space + 1));
  made.name = lower(text.substr(0, space));
  made.descending = order == "desc";
  if (!made.descending && order != "asc")
    return bad_property(
        fmt::format("Unable to set catalog 'hive' table property 'sorted_by' to "
                    "['{}']: Invalid sorting column",
                    text));
  return made;
}

Result<std::vector<std::string>> list_of(const NewTable& table, const char* property) {
  std::vector<std::string> out;
  auto given = table.properties.find(property);
  if (given == table.properties.end()) return out;
  auto json = Json::parse(given->second);
  if (!json || !json->is_array()) {
    return bad_property(
        fmt::format("Invalid value for catalog 'hive' table property '{}'", property));
  }
  for (const Json& item : json->as_array()) out.emplace_back(item.as_string());
  return out;
}

Result<int> count_of(const NewTable& table, const char* property, int otherwise) {
  auto given = table.properties.find(property);
  if (given == table.properties.end()) return otherwise;
  if (auto value = parse_number<int>(given->second)) return *value;
  return bad_property(
      fmt::format("Invalid value for catalog 'hive' table property '{}': Cannot "
                  "convert ['{}'] to integer",
                  property, given->second));
}

Status check_present(const NewTable& table, const std::vector<std::string>& names,
                     const std::vector<std::string>& keys, const char* kind) {
  std::vector<std::string> absent;
  for (const std::string& name : names) {
    bool known = std::ranges::find(table.columns, name, &ColumnInfo::name) != table.columns.end();
    if (!known || std::ranges::find(keys, name) != keys.end()) absent.push_back(name);
  }
  if (absent.empty()) return {};
  return bad_property(fmt::format("{} columns [{}] not present in schema", kind, joined(absent)));
}

}  // namespace

Result<std::optional<HiveBuckets>> buckets_of(const HiveTable& table) {
  const hive::StorageDescriptor& storage = table.storage();
  const auto& names = storage.bucket_columns;
  if (storage.buckets.value_or(0) <= 0 || !names || names->empty()) return std::nullopt;
  if (is_spark_bucketed(table)) return std::nullopt;
  HiveBuckets buckets;
  buckets.count = *storage.buckets;
  std::string version = parameter_of(table.parameters(), kVersion);
  buckets.version = version == "2" ? 2 : 1;
  if (!version.empty() && version != "1" && version != "2")
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Unsupported bucketing version: '{}'", version));
  for (const std::string& name : *names) {
    auto column = column_of(table, name);
    if (!column) {
      return fail(Code::corrupt, "HIVE_INVALID_METADATA",
                  fmt::format("Table '{}.{}' is bucketed on non-existent column '{}'",
                              table.name.schema, table.name.table, name));
    }
    buckets.columns.push_back(*column);
  }
  for (const hive::Order& order : storage.sort_columns.value_or(std::vector<hive::Order>{})) {
    auto column = column_of(table, order.column);
    if (!column) break;  // files are still sorted by the columns before it
    buckets.sorted_by.push_back({*column, order.direction == kDescending});
  }
  return buckets;
}

bool same_buckets(const hive::StorageDescriptor& a, const hive::StorageDescriptor& b) {
  using Names = std::vector<std::string>;
  return a.buckets.value_or(0) == b.buckets.value_or(0) &&
         a.bucket_columns.value_or(Names{}) == b.bucket_columns.value_or(Names{});
}

Status check_bucket_types(const HiveTable& table, const HiveBuckets& buckets) {
  for (size_t column : buckets.columns) {
    const Type& type = table.columns[column].type;
    if (is_hive_hashed(type)) continue;
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Writing to tables bucketed on {} not supported",
                            type.is(TypeKind::timestamp) ? "timestamp" : type.display()));
  }
  return {};
}

Status set_buckets(const NewTable& table, const std::vector<std::string>& keys, hive::Table* made) {
  ASSIGN_OR_RETURN(auto columns, list_of(table, "bucketed_by"));
  ASSIGN_OR_RETURN(auto sorting, list_of(table, "sorted_by"));
  ASSIGN_OR_RETURN(int count, count_of(table, "bucket_count", 0));
  ASSIGN_OR_RETURN(int version, count_of(table, kVersion, 1));
  if (version < 1 || version > 2)
    return bad_property(
        fmt::format("bucketing_version must be between 1 and 2 (inclusive): {}", version));
  if (columns.empty() && count == 0) {
    if (sorting.empty()) return {};
    return bad_property("sorted_by may be specified only when bucketed_by is specified");
  }
  if (count < 0) return bad_property("bucket_count must be greater than zero");
  if (columns.empty() || count == 0)
    return bad_property("bucketed_by and bucket_count must be specified together");
  if (count > kBucketsMax)
    return bad_property(fmt::format("bucket_count should be no more than {}", kBucketsMax));
  for (std::string& name : columns) name = lower(std::move(name));
  RETURN_IF_ERROR(check_present(table, columns, keys, "Bucketing"));
  hive::StorageDescriptor& storage = *made->storage;
  storage.sort_columns.emplace();
  for (std::string& text : sorting) {
    ASSIGN_OR_RETURN(SortColumn column, sort_column(std::move(text)));
    RETURN_IF_ERROR(check_present(table, {column.name}, keys, "Sorting"));
    storage.sort_columns->push_back({column.name, column.descending ? kDescending : kAscending});
  }
  storage.buckets = count;
  storage.bucket_columns = std::move(columns);
  (*made->parameters)[kVersion] = std::to_string(version);
  return {};
}

void show_buckets(const HiveTable& table, Properties& shown) {
  auto buckets = buckets_of(table);
  if (!buckets || !*buckets) return;
  Json columns = Json::array(), sorted = Json::array();
  for (size_t column : (*buckets)->columns) columns.push(table.columns[column].name);
  for (const HiveSortColumn& column : (*buckets)->sorted_by)
    sorted.push(table.columns[column.column].name + (column.descending ? " DESC" : ""));
  shown["bucketed_by"] = columns.dump();
  shown["bucket_count"] = std::to_string((*buckets)->count);
  shown[kVersion] = std::to_string((*buckets)->version);
  shown["sorted_by"] = sorted.dump();
}

std::optional<int> bucket_of_file(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.starts_with("bucket_")) return parse_number<int>(digits_of(name.substr(7)));
  if (size_t at = name.find("_bucket-"); at != std::string_view::npos)
    return parse_number<int>(digits_of(name.substr(at + 8)));
  std::string_view digits = digits_of(name), rest = name.substr(digits.size());
  bool hive = !digits.empty() && rest.starts_with('_') && !digits_of(rest.substr(1)).empty();
  return hive ? parse_number<int>(digits) : std::nullopt;
}

std::string bucket_file_name(int bucket, const std::string& insert, size_t file) {
  std::string name = fmt::format("{:06}_0_{}", bucket, insert);
  return file == 0 ? name : fmt::format("{}_{}", name, file);
}

BucketChoice::BucketChoice(const HiveTable& table, const HiveBuckets& buckets,
                           const ScanRequest& request)
    : count_(buckets.count) {
  wanted_ = buckets_wanted(table, buckets, request.conjuncts);
  auto found = std::ranges::find(table.columns, kBucketColumn, &ColumnInfo::name);
  auto column = static_cast<size_t>(found - table.columns.begin());
  asked_ = std::ranges::find(request.columns, column) != request.columns.end();
  for (const Conjunct& conjunct : request.conjuncts) {
    if (conjunct.column != column) continue;
    asked_ = true;
    std::set<int> kept;
    for (int i = 0; i < count_; ++i) {
      bool possible = is_true_for(conjunct, tables::Value(int64_t{i}), found->type).value_or(true);
      if (possible && (!wanted_ || wanted_->contains(i))) kept.insert(i);
    }
    wanted_ = std::move(kept);
  }
}

Status BucketChoice::choose(const HiveTable& table, const hive::StorageDescriptor& storage,
                            std::vector<HiveFile>& files) const {
  if (!asked_ && !wanted_) return {};
  size_t known = 0;
  bool same = same_buckets(storage, table.storage());
  for (HiveFile& file : files) {
    file.bucket = bucket_of_file(file.data.path);
    if (file.bucket && *file.bucket >= count_) file.bucket.reset();
    known += file.bucket ? 1 : 0;
  }
  // Names of other programs: one file a bucket, in their order.
  if (known == 0 && files.size() == static_cast<size_t>(count_)) {
    for (size_t i = 0; i < files.size(); ++i) files[i].bucket = static_cast<int>(i);
    known = files.size();
  }
  if (!same || known != files.size()) {
    if (!asked_) return {};
    return fail(Code::corrupt, "HIVE_INVALID_BUCKET_FILES",
                fmt::format("Hive table '{}.{}' is corrupt. The files of {} do not match the "
                            "bucketing declaration of the table",
                            table.name.schema, table.name.table, storage.location.value_or("")));
  }
  std::erase_if(files,
                [&](const HiveFile& file) { return wanted_ && !wanted_->contains(*file.bucket); });
  return {};
}

}  // namespace aichemy::sql
