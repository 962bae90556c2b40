#include "tables/transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "base/bytes.h"

namespace aichemy::tables {
namespace {

std::string read_golden(const std::string& name) {
  std::ifstream file(std::string(AICHEMY_GOLDEN_DIR) + "/iceberg/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Dates and times are plain numbers in the vectors.
Value value_of(const Json& json, const Type& type) {
  if (json.is_integer()) return Value(json.as_int());
  auto value = value_from_json(json, type);
  EXPECT_TRUE(value) << json.dump();
  return value.value_or(Value());
}

TEST(TransformTest, AgreesWithVectorsOfPyiceberg) {
  auto cases = Json::parse(read_golden("transforms.json"));
  ASSERT_TRUE(cases) << cases.error().message;
  ASSERT_GT(cases->as_array().size(), 250u);
  for (const Json& row : cases->as_array()) {
    auto type = type_from_json(row["type"]);
    ASSERT_TRUE(type);
    auto transform = transform_from_text(row["transform"].as_string());
    ASSERT_TRUE(transform);
    auto result_type = transform_result_type(*transform, *type);
    ASSERT_TRUE(result_type) << row.dump();
    Value result = apply_transform(*transform, *type, value_of(row["value"], *type));
    EXPECT_EQ(result, value_of(row["result"], *result_type)) << row.dump();
    EXPECT_TRUE(fits(result, *result_type)) << row.dump();
  }
}

TEST(TransformTest, HashesAreThoseOfTheSpecification) {
  EXPECT_EQ(bucket_hash(primitive(TypeKind::int32), Value(34)), 2017239379u);
  EXPECT_EQ(bucket_hash(primitive(TypeKind::string), Value("iceberg")), 1210000089u);
  EXPECT_EQ(bucket_hash(decimal_type(9, 2), Value(Int128{1420})),
            static_cast<uint32_t>(-500754589));
  EXPECT_EQ(bucket_hash(primitive(TypeKind::date), Value(17486)),
            static_cast<uint32_t>(-653330422));
  EXPECT_EQ(bucket_hash(fixed_type(4), Value(std::string("\0\1\2\3", 4))),
            static_cast<uint32_t>(-188683207));
}

TEST(TransformTest, TextRoundTripsAndUnknownNamesAreKept) {
  for (const char* text : {"identity", "bucket[16]", "truncate[4]", "year", "month", "day", "hour",
                           "void", "zorder[3]"}) {
    auto transform = transform_from_text(text);
    ASSERT_TRUE(transform) << text;
    EXPECT_EQ(transform_text(*transform), text);
  }
  for (const char* broken : {"bucket[]", "bucket[0]", "bucket[-1]", "truncate[x]", "bucket[16"}) {
    EXPECT_FALSE(transform_from_text(broken)) << broken;
  }
}

TEST(TransformTest, NullMapsToNull) {
  for (const char* text : {"identity", "bucket[16]", "truncate[4]", "void"}) {
    EXPECT_TRUE(apply_transform(*transform_from_text(text), primitive(TypeKind::string), Value())
                    .is_null());
  }
}

bool row_matches(const Predicate& p, const Value& value) {
  if (p.kind == Predicate::Kind::is_null) return value.is_null();
  if (p.kind == Predicate::Kind::not_null) return !value.is_null();
  if (value.is_null()) return false;
  if (p.kind == Predicate::Kind::starts_with)
    return value.as_bytes().starts_with(p.values[0].as_bytes());
  if (p.kind == Predicate::Kind::in) {
    return std::any_of(p.values.begin(), p.values.end(),
                       [&](const Value& v) { return v == value; });
  }
  int order = value.compare(p.values[0]);
  switch (p.op) {
    case CompareOp::eq: return order == 0;
    case CompareOp::ne: return order != 0;
    case CompareOp::lt: return order < 0;
    case CompareOp::le: return order <= 0;
    case CompareOp::gt: return order > 0;
    case CompareOp::ge: return order >= 0;
  }
  return false;
}

ColumnRange range_of(const Value& value) {
  ColumnRange range;
  range.known = true;
  range.may_be_null = value.is_null();
  range.may_be_value = range.has_bounds = !value.is_null();
  range.lower = range.upper = value;
  return range;
}

// The property that pruning stands on: a row that matches is in a partition that may match.
TEST(TransformTest, ProjectionNeverLosesARow) {
  std::mt19937_64 random(1);
  struct Source {
    Type type;
    std::vector<const char*> transforms;
    std::function<Value()> make;
  };
  auto pick = [&](int64_t from, int64_t to) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(to - from + 1)) + from;
  };
  auto word = [&] {
    static constexpr const char* kParts[] = {"a", "b", "ü", "日", "z"};
    std::string text;
    for (int64_t i = pick(0, 4); i > 0; --i) text += kParts[pick(0, 4)];
    return Value(text);
  };
  const Source sources[] = {
      {primitive(TypeKind::int64),
       {"identity", "bucket[4]", "truncate[5]", "void"},
       [&] { return Value(pick(-20, 20)); }},
      {decimal_type(9, 2),
       {"identity", "bucket[4]", "truncate[50]"},
       [&] { return Value(Int128{pick(-300, 300)}); }},
      {primitive(TypeKind::string), {"identity", "bucket[4]", "truncate[2]"}, word},
      {primitive(TypeKind::date),
       {"identity", "year", "month", "day", "bucket[3]"},
       [&] { return Value(pick(-800, 800)); }},
      {primitive(TypeKind::timestamp),
       {"year", "month", "day", "hour"},
       [&] { return Value(pick(-40, 40) * 3'600'000'000 / 3 + pick(-1, 1)); }},
  };
  using Kind = Predicate::Kind;
  for (const Source& source : sources) {
    for (const char* text : source.transforms) {
      Transform transform = *transform_from_text(text);
      for (int round = 0; round < 4000; ++round) {
        Value value = pick(0, 9) == 0 ? Value() : source.make();
        Predicate p = Predicate::compare(1, static_cast<CompareOp>(pick(0, 5)), source.make());
        if (round % 7 == 0) p = Predicate::in(1, {source.make(), source.make()});
        if (round % 11 == 0) p = Predicate::is_null(1);
        if (round % 13 == 0) p = Predicate::not_null(1);
        if (round % 5 == 0 && source.type.kind == TypeKind::string)
          p = Predicate::starts_with(1, word().as_bytes());
        if (!row_matches(p, value)) continue;
        Predicate projected = project_inclusive(transform, source.type, p, 1000);
        Value partition = apply_transform(transform, source.type, value);
        bool kept = projected.kind == Kind::always_true ||
                    may_match(projected.normalized(), [&](int) { return range_of(partition); });
        EXPECT_TRUE(kept) << text << " of " << value_text(value, source.type);
      }
    }
  }
}

TEST(PredicateTest, NormalizesNegationsAndConstants) {
  Predicate p = Predicate::negate(
      Predicate::any({Predicate::compare(1, CompareOp::lt, Value(5)), Predicate::is_null(2)}));
  Predicate n = p.normalized();
  ASSERT_EQ(n.kind, Predicate::Kind::all);
  EXPECT_EQ(n.children[0].op, CompareOp::ge);
  EXPECT_EQ(n.children[1].kind, Predicate::Kind::not_null);
  EXPECT_EQ(Predicate::all({Predicate::always_false(), n}).normalized().kind,
            Predicate::Kind::always_false);
  EXPECT_EQ(Predicate::all({}).normalized().kind, Predicate::Kind::always_true);
  EXPECT_EQ(Predicate::any({}).normalized().kind, Predicate::Kind::always_false);
  EXPECT_EQ(Predicate::compare(1, CompareOp::eq, Value()).normalized().kind,
            Predicate::Kind::always_false);
  // NaN is not less than 1 and not at least 1 either.
  Predicate nan = Predicate::negate(Predicate::compare(1, CompareOp::lt, Value(1.0))).normalized();
  EXPECT_EQ(nan.kind, Predicate::Kind::not_null);
}

TEST(PredicateTest, RangesDecide) {
  ColumnRange range;
  range.known = range.has_bounds = true;
  range.lower = Value(10);
  range.upper = Value(20);
  auto may = [&](CompareOp op, int value) {
    return may_match_range(Predicate::compare(1, op, Value(value)), range);
  };
  EXPECT_FALSE(may(CompareOp::eq, 9));
  EXPECT_TRUE(may(CompareOp::eq, 10));
  EXPECT_FALSE(may(CompareOp::lt, 10));
  EXPECT_TRUE(may(CompareOp::le, 10));
  EXPECT_FALSE(may(CompareOp::gt, 20));
  EXPECT_TRUE(may(CompareOp::ge, 20));
  EXPECT_TRUE(may(CompareOp::ne, 15));
  range.may_be_null = false;
  EXPECT_FALSE(may_match_range(Predicate::is_null(1), range));
  EXPECT_FALSE(may_match_range(Predicate::in(1, {Value(1), Value(30)}), range));
  ColumnRange text;
  text.known = text.has_bounds = true;
  text.lower = Value("libc");
  text.upper = Value("net");
  EXPECT_TRUE(may_match_range(Predicate::starts_with(1, "m"), text));
  EXPECT_TRUE(may_match_range(Predicate::starts_with(1, "libcxx"), text));
  EXPECT_FALSE(may_match_range(Predicate::starts_with(1, "o"), text));
  EXPECT_FALSE(may_match_range(Predicate::starts_with(1, "a"), text));
}

}  // namespace
}  // namespace aichemy::tables
