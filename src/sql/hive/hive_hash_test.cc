#include "sql/hive/hive_hash.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "sql/hive/hive_buckets.h"

namespace aichemy::sql {
namespace {

// What Hive's own ObjectInspectorUtils gives, in both versions.
struct IntegerCase {
  int64_t value;
  int bytes;
  int32_t first, second;
};

TEST(HiveHash, Integers) {
  for (const IntegerCase& row :
       std::initializer_list<IntegerCase>{{1, 1, 1, 1},
                                          {-128, 1, -128, -128},
                                          {300, 2, 300, 2107031704},
                                          {-32768, 2, -32768, 1342976838},
                                          {32767, 2, 32767, -684075052},
                                          {300'000, 4, 300'000, -678663480},
                                          {INT32_MIN, 4, INT32_MIN, 1194881028},
                                          {16'758, 4, 16'758, 8542395},  // a date
                                          {300'000'000'000, 8, -647710651, -888935297},
                                          {INT64_MIN, 8, INT32_MIN, 1728983947}}) {
    EXPECT_EQ(hive_hash_integer(1, row.value, row.bytes), row.first) << row.value;
    EXPECT_EQ(hive_hash_integer(2, row.value, row.bytes), row.second) << row.value;
  }
}

TEST(HiveHash, Floats) {
  EXPECT_EQ(hive_hash_float(1, 12.34F), 1095069860);
  EXPECT_EQ(hive_hash_float(2, 12.34F), -381747602);
  EXPECT_EQ(hive_hash_float(2, -std::numeric_limits<float>::quiet_NaN()), -480354314);
  EXPECT_EQ(hive_hash_double(1, 12.34), 986311098);
  EXPECT_EQ(hive_hash_double(2, 12.34), -2070733568);
  EXPECT_EQ(hive_hash_double(1, -std::numeric_limits<double>::quiet_NaN()), 2146959360);
}

struct TextCase {
  const char* text;
  int32_t string, varchar, second;
};

TEST(HiveHash, Texts) {
  for (const TextCase& row : std::initializer_list<TextCase>{
           {"", 0, 1, -965378730},
           {"test string", -318923937, -189841218, -138301454},
           {"\xf0\xa0\xbf\xbc\xf0\xa0\xbf\xbd\xf0\xa0\xbf\xbe\xf0\xa0\xbf\xbf", -1810797254,
            -457487557, -697348811}}) {
    EXPECT_EQ(hive_hash_text(1, row.text, false), row.string) << row.text;
    EXPECT_EQ(hive_hash_text(1, row.text, true), row.varchar) << row.text;
    EXPECT_EQ(hive_hash_text(2, row.text, false), row.second) << row.text;
  }
}

// An array of smallint 5, 8, 13; a map of text to bigint; buckets of what is negative.
TEST(HiveHash, Together) {
  for (auto [version, array, map] :
       {std::tuple{1, 5066, 127880789}, std::tuple{2, -905011156, -1910999650}}) {
    int32_t hash = 0, entries = 0;
    for (int value : {5, 8, 13}) hash = hive_hash_next(hash, hive_hash_integer(version, value, 2));
    EXPECT_EQ(hash, array);
    for (const auto& [key, value] : {std::pair{"key", 123}, {"key2", 123456789}, {"key3", -123456}})
      entries = hive_hash_entry(entries, hive_hash_text(version, key, false),
                                hive_hash_integer(1, value, 8));
    EXPECT_EQ(entries, map);
  }
  EXPECT_EQ(hive_bucket(1132136730, 4), 2);
  EXPECT_EQ(hive_bucket(-399107423, 4), 1);
  EXPECT_TRUE(is_hive_hashed(Type::map(Type::varchar(), Type::array(Type(TypeKind::date)))));
  EXPECT_FALSE(is_hive_hashed(Type::array(Type(TypeKind::timestamp, 3))));
}

TEST(HiveBuckets, NamesOfFiles) {
  struct Row {
    const char* path;
    std::optional<int> bucket;
  };
  for (const Row& row :
       std::initializer_list<Row>{{"s3://b/t/000003_0", 3},
                                  {"s3://b/t/000012_0_copy_1", 12},
                                  {"s3://b/t/0234_99", 234},
                                  {"s3://b/t/000007_0_20240101_000000_00001_abcde", 7},
                                  {"s3://b/t/20240101_000000_00001_abcde_bucket-00005", 5},
                                  {"s3://b/t/bucket_00004_0", 4},
                                  {"s3://b/t/part-00000.parquet", std::nullopt},
                                  {"s3://b/000001_0/f", std::nullopt},
                                  {"s3://b/t/000003", std::nullopt},
                                  {"s3://b/t/99999999999_0", std::nullopt}}) {
    EXPECT_EQ(bucket_of_file(row.path), row.bucket) << row.path;
  }
  EXPECT_EQ(bucket_file_name(42, "id", 0), "000042_0_id");
  EXPECT_EQ(bucket_of_file(bucket_file_name(999'999, "id", 2)), 999'999);
}

}  // namespace
}  // namespace aichemy::sql
