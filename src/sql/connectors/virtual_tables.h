// A table of virtual tables: name, columns, and the function that makes the rows. Internal.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"
#include "sql/connectors/text_scan.h"

namespace aichemy::sql {

using Cells = std::vector<std::optional<std::string>>;
using Rows = std::vector<Cells>;

// Equality conjuncts on a column, if the query has one: limits what must be listed.
std::optional<std::string> wanted_text(const Table& table, const ScanRequest& request,
                                       const std::string& column);

// A scan of rows of the table; of many, through `texts`, when it is there.
Scan scan_of_rows(const Table& table, Rows rows, TextScans* texts);

struct VirtualTable {
  const char* schema;
  const char* name;
  const char* columns;  // "name type, -hidden type"
  std::function<Result<Rows>(const Call&, const Table&, const ScanRequest&)> rows;
};

std::vector<ColumnInfo> virtual_columns(const char* text);

// A connector of virtual tables only.
class VirtualConnector : public Connector {
 public:
  // Many rows go through `texts`, when it is there; it must outlive the connector.
  explicit VirtualConnector(std::vector<VirtualTable> tables, TextScans* texts = nullptr)
      : tables_(std::move(tables)), texts_(texts) {}

  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call&, const std::string&, const Properties&) override;
  Status drop_schema(const Call&, const std::string&, bool) override;
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call&, const std::string&) override {
    return std::vector<std::string>();
  }
  Result<TableRef> get_table(const Call& call, const TableName& name) override;
  Result<std::optional<View>> get_view(const Call&, const TableName&) override {
    return std::optional<View>();
  }
  Result<Scan> plan_scan(const Call& call, const TableRef& table,
                         const ScanRequest& request) override;
  Status create_table(const Call&, const NewTable&) override;
  Status drop_table(const Call&, const TableName&) override;
  Status create_view(const Call&, const TableName&, const View&, bool) override;
  Status drop_view(const Call&, const TableName&) override;
  Result<std::unique_ptr<Insert>> begin_insert(const Call&, const TableRef&) override;
  Result<std::unique_ptr<Insert>> begin_create_table_as(const Call&, const NewTable&) override;
  Status finish_insert(const Call&, Insert&, std::vector<WrittenFile>) override;

 protected:
  std::vector<VirtualTable> tables_;

 private:
  TextScans* texts_;
};

// The table a virtual scan is planned for.
class VirtualTableHandle final : public Table {
 public:
  const VirtualTable* source = nullptr;
};

}  // namespace aichemy::sql
