#include "catalog/hive_rows.h"

#include <algorithm>

#include "base/bytes.h"

namespace aichemy::catalog {

namespace thrift = wire::thrift;

namespace {

constexpr const char* kColumns =
    "SELECT r.kind, r.format, r.namespace_id, n.path, r.name, r.uuid, r.metadata_location, "
    "r.previous_metadata_location, r.hive_definition, r.hive_pointer, r.created_millis "
    "FROM relations r JOIN namespaces n ON n.id = r.namespace_id ";

HiveRelation relation_of(const metadb::Row& row) {
  HiveRelation relation;
  relation.kind = row[0].as_text() == "view" ? RelationKind::view : RelationKind::table;
  relation.is_iceberg = row[1].as_text() == "iceberg";
  relation.namespace_id = row[2].as_int();
  relation.name = {space_of(row[3].as_text()), row[4].as_text()};
  relation.uuid = row[5].as_text();
  relation.metadata_location = row[6].as_text();
  relation.previous_metadata_location = row[7].as_text();
  relation.definition = row[8].as_text();
  relation.definition_pointer = row[9].as_text();
  relation.created_millis = row[10].as_int();
  return relation;
}

// What LIKE-less, case-blind patterns need: text with * only.
bool matches_one(std::string_view pattern, std::string_view name) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  if (pattern.find('*') == std::string_view::npos) return name.ends_with(pattern);
  for (size_t skipped = 0; skipped <= name.size(); ++skipped) {
    if (matches_one(pattern, name.substr(skipped))) return true;
  }
  return false;
}

bool must_escape(char c) {
  auto code = static_cast<uint8_t>(c);
  return code < 0x20 || code == 0x7f ||
         std::string_view("\"#%'*/:=?\\{[]^").find(c) != std::string_view::npos;
}

bool equals_without_case(std::string_view a, std::string_view b) { return lower(a) == lower(b); }

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

HiveDatabaseName parse_database_name(std::string_view text) {
  HiveDatabaseName name;
  if (text.starts_with('@')) {
    size_t hash = text.find('#');
    name.catalog = lower(text.substr(1, hash == std::string_view::npos ? hash : hash - 1));
    text = hash == std::string_view::npos ? std::string_view() : text.substr(hash + 1);
    if (text == "!") text = {};  // how clients write "no database"
  }
  name.database = lower(text);
  return name;
}

std::string HiveRelation::database() const { return lower(name_text(name.space)); }
std::string HiveRelation::table_name() const { return lower(name.name); }

Result<std::optional<HiveRelation>> find_hive_relation(metadb::Transaction& transaction,
                                                       std::string_view database,
                                                       std::string_view name) {
  HiveDatabaseName in = parse_database_name(database);
  std::string table = lower(name);
  static const std::string kSql =
      std::string(kColumns) + "WHERE lower(n.path) = $1 AND lower(r.name) = $2";
  ASSIGN_OR_RETURN(auto rows, transaction.query(kSql, {in.database, table}));
  if (rows.empty() || in.catalog != kHiveCatalogName) return std::optional<HiveRelation>();
  const metadb::Row* best = &rows[0];
  for (const metadb::Row& row : rows) {
    if (row[4].as_text() == table && row[3].as_text() == in.database) best = &row;
  }
  return std::optional(relation_of(*best));
}

Status each_hive_relation(metadb::Transaction& transaction, std::string_view database,
                          const std::function<bool(HiveRelation)>& each) {
  static const std::string kSql =
      std::string(kColumns) + "WHERE lower(n.path) = $1 ORDER BY r.name";
  return transaction.each(kSql, {parse_database_name(database).database},
                          [&](const metadb::Row& row) { return each(relation_of(row)); });
}

std::unexpected<Error> no_such_hive_table(std::string_view database, std::string_view name) {
  HiveDatabaseName in = parse_database_name(database);
  return fail(Code::not_found, "no_such_table",
              in.catalog + "." + in.database + "." + lower(name) + " table not found");
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return true;
  std::string text = lower(name);
  std::string all = lower(pattern);
  for (size_t dot = all.find(".*"); dot != std::string::npos; dot = all.find(".*")) {
    all.erase(dot, 1);
  }
  std::string_view rest = all;
  while (true) {
    size_t bar = rest.find('|');
    if (matches_one(rest.substr(0, bar), text)) return true;
    if (bar == std::string_view::npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

std::string stored_form(const hive::Table& table) {
  hive::Table bare = table;
  bare.name.reset();
  bare.database_name.reset();
  bare.catalog_name.reset();
  bare.temporary.reset();
  std::string out;
  thrift::Writer(out).fields(bare);
  return out;
}

std::string stored_form(hive::Partition partition) {
  partition.database_name.reset();
  partition.table_name.reset();
  partition.catalog_name.reset();
  std::string out;
  thrift::Writer(out).fields(partition);
  return out;
}

Raw answer_form(std::string_view stored, const HiveRelation& relation) {
  Raw raw{std::string(stored)};
  thrift::Writer writer(raw.bytes);
  writer.member(1, relation.table_name());
  writer.member(2, relation.database());
  writer.member(17, std::string(kHiveCatalogName));
  writer.stop();
  return raw;
}

Raw partition_form(std::string_view stored, std::string_view database, std::string_view table) {
  Raw raw;
  raw.bytes.reserve(stored.size() + database.size() + table.size() + 32);
  raw.bytes = stored;
  thrift::Writer writer(raw.bytes);
  writer.member(2, std::string(database));
  writer.member(3, std::string(table));
  writer.member(9, std::string(kHiveCatalogName));
  writer.stop();
  return raw;
}

Result<hive::Table> table_of(std::string_view stored, const HiveRelation& relation) {
  return thrift::decode<hive::Table>(answer_form(stored, relation).bytes);
}

Result<hive::Partition> partition_of(std::string_view stored) {
  std::string bytes(stored);
  bytes.push_back(0);
  return thrift::decode<hive::Partition>(bytes);
}

std::string parameter(const hive::Table& table, std::string_view key) {
  if (!table.parameters) return {};
  auto found = table.parameters->find(std::string(key));
  return found == table.parameters->end() ? "" : found->second;
}

bool is_iceberg_table(const hive::Table& table) {
  return equals_without_case(parameter(table, "table_type"), "iceberg");
}

bool is_iceberg_view(const hive::Table& table) {
  return equals_without_case(parameter(table, "table_type"), "iceberg-view");
}

std::string escape_partition_part(std::string_view text) {
  if (text.empty()) return "__HIVE_DEFAULT_PARTITION__";
  std::string out;
  for (char c : text) {
    if (must_escape(c)) {
      constexpr char kDigits[] = "0123456789ABCDEF";
      out += {'%', kDigits[static_cast<uint8_t>(c) >> 4], kDigits[static_cast<uint8_t>(c) & 15]};
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string name_of_values(const std::vector<hive::FieldSchema>& keys,
                           const PartitionValues& values) {
  std::string name;
  for (size_t i = 0; i < keys.size() && i < values.size(); ++i) {
    if (i > 0) name += "/";
    name += escape_partition_part(lower(keys[i].name.value_or(""))) + "=" +
            escape_partition_part(values[i]);
  }
  return name;
}

Result<PartitionValues> partition_values(std::string_view name) { return values_of_name(name, 0); }

Result<PartitionValues> values_of_name(std::string_view name, size_t keys) {
  PartitionValues values;
  std::string_view rest = name;
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    size_t equals = part.find('=');
    auto value = percent_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    if (equals == std::string_view::npos || !value) {
      return fail(
          Code::invalid, "invalid_object",
          "\"" + std::string(name) + "\" is not a partition name such as key=value/key=value");
    }
    values.push_back(std::move(*value));
  }
  if (keys > 0 && values.size() != keys) {
    return fail(Code::invalid, "invalid_object",
                "\"" + std::string(name) + "\" does not name each of the " + std::to_string(keys) +
                    " partition keys");
  }
  return values;
}

}  // namespace aichemy::catalog
