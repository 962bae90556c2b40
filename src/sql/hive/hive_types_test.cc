#include "sql/hive/hive_types.h"

#include <gtest/gtest.h>

#include "sql/hive/hive_partition.h"
#include "sql/hive/hive_serde.h"

namespace aichemy::sql {
namespace {

struct TypeCase {
  const char* hive;
  const char* trino;
};

TEST(HiveTypes, BothWays) {
  for (const TypeCase& row :
       std::initializer_list<TypeCase>{{"boolean", "boolean"},
                                       {"int", "integer"},
                                       {"float", "real"},
                                       {"string", "varchar"},
                                       {"varchar(7)", "varchar(7)"},
                                       {"char(3)", "char(3)"},
                                       {"decimal(12,3)", "decimal(12, 3)"},
                                       {"timestamp", "timestamp(3)"},
                                       {"map<string,array<struct<a:int,b:date>>>",
                                        "map(varchar, array(row(a integer, b date)))"}}) {
    auto type = type_of_hive(row.hive);
    ASSERT_TRUE(type.has_value()) << row.hive;
    EXPECT_EQ(type->display(), row.trino);
    auto back = hive_type(*type, "c");
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, row.hive);
  }
  EXPECT_EQ(type_of_hive("decimal")->display(), "decimal(10, 0)");
}

TEST(HiveTypes, Refused) {
  for (const char* text : {"uniontype<int,string>", "void", "timestamp with local time zone"})
    EXPECT_TRUE(type_of_hive(text).error().is("NOT_SUPPORTED")) << text;
  for (const char* text : {"", "array<", "array<int", "struct<a>", "int)", "decimal(0)", "int int"})
    EXPECT_TRUE(type_of_hive(text).error().is("HIVE_INVALID_METADATA")) << text;
  EXPECT_FALSE(hive_type(Type(TypeKind::timestamp, 6), "c").has_value());
  EXPECT_FALSE(hive_type(Type(TypeKind::uuid), "c").has_value());
}

TEST(HiveSerde, CellsOfText) {
  HiveSerde serde;
  serde.separators[0] = '|';
  serde.escape = '\\';
  std::vector<std::string_view> cells;
  split_text("a|b\\|c||", serde, 0, cells);
  ASSERT_EQ(cells.size(), 4U);
  std::string kept;
  EXPECT_EQ(unescaped(cells[1], serde, kept), "b|c");
  EXPECT_EQ(cells[3], "");
  auto back = HiveSerde::from_text(serde.text());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->separators, serde.separators);
  EXPECT_EQ(back->escape, serde.escape);
}

TEST(HiveSerde, CellsOfCsv) {
  HiveSerde serde;
  std::vector<std::string> cells;
  split_csv(R"("a,b",c,"d""e","f\"g",)", serde, cells);
  EXPECT_EQ(cells, (std::vector<std::string>{"a,b", "c", "d\"e", "f\"g", ""}));
}

TEST(HivePartition, ValuesAndConjuncts) {
  Type day(TypeKind::date), number(TypeKind::integer);
  EXPECT_TRUE(partition_value(kDefaultPartition, day, "p")->is_null());
  EXPECT_EQ(partition_value("1970-01-02", day, "p")->as_int(), 1);
  EXPECT_TRUE(
      partition_value("99999999999", number, "p").error().is("HIVE_INVALID_PARTITION_VALUE"));
  Conjunct more{0, Compare::gt, {Value(int64_t{5})}};
  EXPECT_EQ(is_true_for(more, tables::Value(6), number), std::optional(true));
  EXPECT_EQ(is_true_for(more, tables::Value(5), number), std::optional(false));
  EXPECT_EQ(is_true_for(more, tables::Value(), number), std::optional(false));
}

}  // namespace
}  // namespace aichemy::sql
