// Our side of a transfer: read through HiveCatalog, written as rows.
#include "base/json.h"
#include "catalog/hive_contents.h"

namespace aichemy::catalog {

namespace {

namespace thrift = wire::thrift;

class OwnSide final : public MetastoreSide {
 public:
  OwnSide(const TransferStores& stores, metadb::Transaction* transaction)
      : stores_(stores), transaction_(transaction) {}

  Result<std::vector<std::string>> databases() override {
    return stores_.hive.list_databases(call_, "");
  }

  Result<DatabaseContents> contents(const std::string& name) override {
    DatabaseContents out;
    ASSIGN_OR_RETURN(out.database, stores_.hive.load_database(call_, name));
    ASSIGN_OR_RETURN(auto names, stores_.hive.list_tables(call_, name, "", ""));
    for (const std::string& table : names) {
      TableContents contents;
      auto described = stores_.hive.load_table(call_, name, table);
      if (!described) {
        out.refusals.push_back("table " + name + "." + table +
                               " cannot be described: " + described.error().message);
        continue;
      }
      contents.table = std::move(*described);
      RETURN_IF_ERROR(read_rows(name, table, &contents));
      out.tables.emplace(table, std::move(contents));
    }
    ASSIGN_OR_RETURN(auto functions, stores_.hive.all_functions(call_));
    for (hive::Function& function : functions) {
      if (function.database_name == name) out.functions.emplace(function.name, std::move(function));
    }
    return out;
  }

  Result<std::optional<std::string>> refusal(const TableContents& contents) override {
    const hive::Table& table = contents.table;
    std::string type = table.table_type.value_or("");
    if (type != "MANAGED_TABLE" && type != "EXTERNAL_TABLE" && type != "VIRTUAL_VIEW")
      return "tables of type " + type + " are not supported";
    if (lower(parameter(table, "transactional")) == "true")
      return "transactional Hive tables are not supported: make an Iceberg table of it first";
    if (!contents.is_iceberg()) return std::nullopt;
    if (parameter(table, "metadata_location").empty())
      return "it is an Iceberg table without metadata_location";
    if (uuid_of(table).empty()) {
      return "the metadata of this Iceberg table is not in our object store, and its parameters do "
             "not say its uuid: copy the files, or register it through the Iceberg REST catalog";
    }
    return std::nullopt;
  }

  Status put(const hive::Database& database, bool) override {
    const std::string& name = *database.name;
    std::string properties = stored_properties(database);
    RETURN_IF_ERROR(check_name(NamespaceName{name}));
    ASSIGN_OR_RETURN(
        int64_t changed,
        transaction_->run("UPDATE namespaces SET properties = $1 WHERE lower(path) = $2",
                          {properties, name}));
    if (changed == 0) {
      RETURN_IF_ERROR(
          transaction_->run("INSERT INTO namespaces (id, path, parent, properties, created_millis) "
                            "SELECT coalesce(max(id), 0) + 1, $1, '', $2, $3 FROM namespaces",
                            {name, properties, now()}));
    }
    return record_event(*transaction_, changed == 0 ? "CREATE_DATABASE" : "ALTER_DATABASE", {name},
                        "", now());
  }

  Status put(const TableContents& contents, bool) override {
    const hive::Table& table = contents.table;
    RETURN_IF_ERROR(ensure_default(*table.database_name));
    RelationRow row;
    row.is_iceberg = contents.is_iceberg();
    row.kind = table.table_type == "VIRTUAL_VIEW" ? RelationKind::view : RelationKind::table;
    if (row.is_iceberg) row.metadata_location = parameter(table, "metadata_location");
    row.uuid = row.is_iceberg ? uuid_of(table) : stores_.random.uuid();
    ASSIGN_OR_RETURN(auto found,
                     find_hive_relation(*transaction_, *table.database_name, *table.name));
    if (found) {
      row.uuid = found->uuid;
      RETURN_IF_ERROR(overwrite(*found, row));
    } else {
      EntityName name{{*table.database_name}, *table.name};
      RETURN_IF_ERROR(check_name(name));
      RETURN_IF_ERROR(insert_relation(*transaction_, name, row, now()));
      ASSIGN_OR_RETURN(found, find_hive_relation(*transaction_, *table.database_name, *table.name));
    }
    RETURN_IF_ERROR(transaction_->run(
        "UPDATE relations SET hive_definition = $1, hive_pointer = $2 WHERE namespace_id = $3 AND "
        "name = $4",
        {stored_form(table), row.metadata_location, found->namespace_id, found->name.name}));
    for (const auto& [name, partition] : contents.partitions) {
      RETURN_IF_ERROR(transaction_->run(
          "INSERT INTO hive_partitions (table_id, name, definition) VALUES ($1, $2, $3)",
          {row.uuid, name, stored_form(partition.partition)}));
      RETURN_IF_ERROR(write_statistics(row.uuid, name, partition.statistics));
    }
    return write_statistics(row.uuid, "", contents.statistics);
  }

  Status put(const hive::Function& function, bool) override {
    RETURN_IF_ERROR(ensure_default(function.database_name));
    hive::Function kept = function;
    kept.catalog_name = std::string(kHiveCatalogName);
    RETURN_IF_ERROR(transaction_->run(
        "INSERT INTO hive_functions (database_name, name, definition) VALUES ($1, $2, $3) ON "
        "CONFLICT (database_name, name) DO UPDATE SET definition = excluded.definition",
        {function.database_name, function.name, thrift::encode(kept)}));
    return {};
  }

 private:
  const TransferStores& stores_;
  metadb::Transaction* transaction_;
  Call call_;

  int64_t now() const { return stores_.clock.wall_millis(); }

  // The metadata's own, where it can be read.
  std::string uuid_of(const hive::Table& table) {
    std::string location = parameter(table, "metadata_location");
    if (tables::parse_location(location) && !is_iceberg_view(table)) {
      if (auto metadata = stores_.catalog.read_metadata(call_, location)) return (*metadata)->uuid;
    }
    return parameter(table, "uuid");
  }

  Status read_rows(const std::string& database, const std::string& name, TableContents* contents) {
    std::string id;
    auto read = [&](metadb::Transaction& transaction) -> Status {
      ASSIGN_OR_RETURN(auto row, find_hive_relation(transaction, database, name));
      if (!row) return no_such_hive_table(database, name);
      RETURN_IF_ERROR(read_partitions(transaction, row->uuid, contents));
      return read_statistics(transaction, row->uuid, contents);
    };
    return stores_.ours.read(read);
  }

  static Status read_partitions(metadb::Transaction& transaction, const std::string& id,
                                TableContents* contents) {
    Status problem;
    RETURN_IF_ERROR(transaction.each(
        "SELECT name, definition FROM hive_partitions WHERE table_id = $1", {id},
        [&](const metadb::Row& row) {
          auto partition = partition_of(row[1].as_text());
          if (!partition) problem = std::unexpected(partition.error());
          if (partition) contents->partitions[row[0].as_text()].partition = std::move(*partition);
          return problem.has_value();
        }));
    return problem;
  }

  static Status read_statistics(metadb::Transaction& transaction, const std::string& id,
                                TableContents* contents) {
    ASSIGN_OR_RETURN(auto rows,
                     transaction.query("SELECT partition_name, column_name, definition, "
                                       "analyzed_seconds FROM hive_statistics WHERE table_id = $1",
                                       {id}));
    for (const metadb::Row& row : rows) {
      auto partition = contents->partitions.find(row[0].as_text());
      bool of_table = row[0].as_text().empty();
      if (!of_table && partition == contents->partitions.end()) continue;  // it is gone
      auto& statistics = of_table ? contents->statistics : partition->second.statistics;
      StatisticsRow& to = statistics[row[1].as_text()];
      ASSIGN_OR_RETURN(to.object, thrift::decode<hive::ColumnStatisticsObject>(row[2].as_text()));
      to.analyzed_seconds = row[3].as_int();
    }
    return {};
  }

  Status write_statistics(const std::string& id, const std::string& partition,
                          const StatisticsByColumn& statistics) {
    for (const auto& [column, row] : statistics) {
      RETURN_IF_ERROR(transaction_->run(
          "INSERT INTO hive_statistics (table_id, partition_name, column_name, definition, "
          "analyzed_seconds) VALUES ($1, $2, $3, $4, $5)",
          {id, partition, column, thrift::encode(row.object), row.analyzed_seconds}));
    }
    return {};
  }

  Status ensure_default(const std::string& name) {
    if (name != kDefaultDatabase) return {};
    ASSIGN_OR_RETURN(auto rows,
                     transaction_->query("SELECT 1 FROM namespaces WHERE path = $1", {name}));
    if (!rows.empty()) return {};
    hive::Database database;
    database.name = name;
    database.description = "Default Hive database";
    database.owner = "public";
    database.owner_type = static_cast<int32_t>(hive::PrincipalType::role);
    return put(database, false);
  }

  Status overwrite(const HiveRelation& before, const RelationRow& row) {
    RETURN_IF_ERROR(drop_hive_rows(*transaction_, before.uuid));
    RETURN_IF_ERROR(transaction_->run(
        "UPDATE relations SET kind = $1, updated_millis = $2 WHERE namespace_id = $3 AND name = $4",
        {kind_text(row.kind), now(), before.namespace_id, before.name.name}));
    if (row.metadata_location != before.metadata_location) {
      return swap_pointer(*transaction_, before.name, before.namespace_id, before.metadata_location,
                          row.metadata_location, now());
    }
    return record_event(*transaction_, "ALTER_TABLE", before.name.space, before.name.name, now());
  }
};

}  // namespace

std::unique_ptr<MetastoreSide> own_side(const TransferStores& stores,
                                        metadb::Transaction* transaction) {
  return std::make_unique<OwnSide>(stores, transaction);
}

}  // namespace aichemy::catalog
