#include "sql/connectors/tpch_generator.h"

namespace aichemy::sql {

// lint: table
const std::vector<TpchTable>& tpch_tables() {
  static const std::vector<TpchTable> kTables = {
      {"customer",
       150000,
       1,
       {{"custkey", "bigint"},
        {"name", "varchar(25)"},
        {"address", "varchar(40)"},
        {"nationkey", "bigint"},
        {"phone", "varchar(15)"},
        {"acctbal", "double"},
        {"mktsegment", "varchar(10)"},
        {"comment", "varchar(117)"},
        {"row_number", "bigint"}}},
      {"lineitem",
       1500000,
       7,
       {{"orderkey", "bigint"},
        {"partkey", "bigint"},
        {"suppkey", "bigint"},
        {"linenumber", "integer"},
        {"quantity", "double"},
        {"extendedprice", "double"},
        {"discount", "double"},
        {"tax", "double"},
        {"returnflag", "varchar(1)"},
        {"linestatus", "varchar(1)"},
        {"shipdate", "date"},
        {"commitdate", "date"},
        {"receiptdate", "date"},
        {"shipinstruct", "varchar(25)"},
        {"shipmode", "varchar(10)"},
        {"comment", "varchar(44)"},
        {"row_number", "bigint"}}},
      {"nation",
       25,
       1,
       {{"nationkey", "bigint"},
        {"name", "varchar(25)"},
        {"regionkey", "bigint"},
        {"comment", "varchar(152)"},
        {"row_number", "bigint"}},
       false},
      {"orders",
       1500000,
       1,
       {{"orderkey", "bigint"},
        {"custkey", "bigint"},
        {"orderstatus", "varchar(1)"},
        {"totalprice", "double"},
        {"orderdate", "date"},
        {"orderpriority", "varchar(15)"},
        {"clerk", "varchar(15)"},
        {"shippriority", "integer"},
        {"comment", "varchar(79)"},
        {"row_number", "bigint"}}},
      {"part",
       200000,
       1,
       {{"partkey", "bigint"},
        {"name", "varchar(55)"},
        {"mfgr", "varchar(25)"},
        {"brand", "varchar(10)"},
        {"type", "varchar(25)"},
        {"size", "integer"},
        {"container", "varchar(10)"},
        {"retailprice", "double"},
        {"comment", "varchar(23)"},
        {"row_number", "bigint"}}},
      {"partsupp",
       200000,
       4,
       {{"partkey", "bigint"},
        {"suppkey", "bigint"},
        {"availqty", "integer"},
        {"supplycost", "double"},
        {"comment", "varchar(199)"},
        {"row_number", "bigint"}}},
      {"region",
       5,
       1,
       {{"regionkey", "bigint"},
        {"name", "varchar(25)"},
        {"comment", "varchar(152)"},
        {"row_number", "bigint"}},
       false},
      {"supplier",
       10000,
       1,
       {{"suppkey", "bigint"},
        {"name", "varchar(25)"},
        {"address", "varchar(40)"},
        {"nationkey", "bigint"},
        {"phone", "varchar(15)"},
        {"acctbal", "double"},
        {"comment", "varchar(101)"},
        {"row_number", "bigint"}}},
  };
  return kTables;
}

const TpchTable* find_tpch_table(std::string_view name) {
  for (const auto& table : tpch_tables()) {
    if (name == table.name) return &table;
  }
  return nullptr;
}

uint64_t tpch_units(const TpchTable& table, double scale) {
  if (!table.scales) return table.units;
  return static_cast<uint64_t>(static_cast<double>(table.units) * scale);
}

}  // namespace aichemy::sql
