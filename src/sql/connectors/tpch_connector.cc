#include "sql/connectors/tpch_connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "sql/connectors/tpch_generator.h"
#include "sql/connectors/virtual_tables.h"

namespace aichemy::sql {
namespace {

constexpr const char* kSchemas[] = {"sf1", "sf100", "sf1000", "sf10000", "sf300", "sf3000", "tiny"};

class TpchConnector final : public VirtualConnector {
 public:
  TpchConnector() : VirtualConnector({}) {}

  Result<std::vector<std::string>> list_schemas(const Call&) override {
    return std::vector<std::string>(std::begin(kSchemas), std::end(kSchemas));
  }
  Result<bool> schema_exists(const Call&, const std::string& schema) override {
    return tpch_scale(schema).has_value();
  }
  Result<std::vector<std::string>> list_tables(const Call&, const std::string& schema) override {
    std::vector<std::string> names;
    if (!tpch_scale(schema))
      return fail(Code::not_found, "schema_not_found",
                  fmt::format("Schema '{}' does not exist", schema));
    for (const auto& table : tpch_tables()) names.emplace_back(table.name);
    return names;
  }
  Result<TableRef> get_table(const Call&, const TableName& name) override {
    const TpchTable* source = find_tpch_table(name.table);
    if (!source || !tpch_scale(name.schema)) return TableRef();
    auto made = std::make_shared<Table>();
    made->name = name;
    for (const auto& column : source->columns) {
      auto type = parse_type(column.type);
      CHECK(type.has_value());
      ColumnInfo info;
      info.name = column.name;
      info.type = std::move(*type);
      info.nullable = false;
      info.hidden = &column == &source->columns.back();
      made->columns.push_back(std::move(info));
    }
    return TableRef(std::move(made));
  }
  Result<Scan> plan_scan(const Call&, const TableRef& table, const ScanRequest&) override {
    EngineScan scan;
    scan.function = "tpch_scan";
    scan.handle = fmt::format("{}:{}", table->name.table, *tpch_scale(table->name.schema));
    return Scan(std::move(scan));
  }
};

}  // namespace

std::optional<double> tpch_scale(std::string_view schema) {
  if (schema == "tiny") return 0.01;
  if (!schema.starts_with("sf")) return std::nullopt;
  schema.remove_prefix(2);
  double scale = 0;
  auto [end, error] = std::from_chars(schema.data(), schema.data() + schema.size(), scale);
  bool whole = error == std::errc() && end == schema.data() + schema.size();
  // From 30,000 on keys need 64 bit draws; below 0.0001 there is no supplier.
  if (!whole || scale < 0.001 || scale >= 30000) return std::nullopt;
  return scale;
}

std::unique_ptr<Connector> make_tpch_connector() { return std::make_unique<TpchConnector>(); }

}  // namespace aichemy::sql
