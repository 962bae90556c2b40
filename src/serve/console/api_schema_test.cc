#include "serve/console/api_schema.h"

#include <gtest/gtest.h>

#include <set>

#include "serve/console/exchange.h"
#include "serve/console/problem.h"

namespace aichemy::serve::console {
namespace {

bool is_known(std::string kind) {
  if (kind.ends_with('?')) kind.pop_back();
  if (kind.ends_with("[]")) kind.resize(kind.size() - 2);
  static const std::set<std::string> kPlain = {"string",  "integer", "number",
                                               "boolean", "map",     "any"};
  return kPlain.contains(kind) || find_record_type(kind);
}

TEST(Api, EveryRecordIsMadeOfKnownKinds) {
  std::set<std::string> names;
  for (const RecordType& row : record_types()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    for (const Field& field : row.fields) EXPECT_TRUE(is_known(field.kind)) << field.kind;
  }
}

TEST(Api, EveryRouteCanBeAnswered) {
  std::set<std::string> names, places;
  for (const Route& route : routes()) {
    std::string_view name = route.name;
    EXPECT_TRUE(names.insert(route.name).second) << name;
    EXPECT_TRUE(places.insert(std::string(route.method) + " " + route.path).second) << name;
    bool by_service = name == "signIn" || name == "signOut";
    EXPECT_EQ((route.run != nullptr) + (route.stream != nullptr) + by_service, 1) << name;
    EXPECT_TRUE(!*route.request || find_record_type(route.request)) << name;
    EXPECT_TRUE(!*route.response || is_known(route.response)) << name;
    for (const auto& [parameter, kind] : parse_parameters(route.parameters))
      EXPECT_TRUE(is_known(kind)) << parameter;
    EXPECT_EQ(route.role == Role::nobody, name == "signIn") << name;
    bool reads = std::string_view(route.method) == "GET";
    EXPECT_FALSE(reads && *route.request) << name;
  }
}

TEST(Api, RequestsAreChecked) {
  auto check = [](const char* text) {
    Status done = check_record(*Json::parse(text), "NewMessage");
    return done ? std::string("good") : done.error().message;
  };
  EXPECT_EQ(check(R"({"key":null,"partition":1})"), "good");
  EXPECT_EQ(check(R"({"value":"v","headers":[{"key":"a","encoding":"text"}]})"), "good");
  EXPECT_EQ(check("[]"), "the body must be a JSON object");
  EXPECT_EQ(check(R"({"vlaue":"v"})"), "there is no member vlaue");
  EXPECT_EQ(check(R"({"partition":"1"})"), "partition must be of kind integer");
  EXPECT_EQ(check(R"({"headers":{}})"), "headers must be a list");
  EXPECT_EQ(check(R"({"headers":[{"key":"a"}]})"), "the member headers.encoding is missing");
}

TEST(Api, QueryParametersAreChecked) {
  const char* known = "key:string limit:integer? deep:boolean?";
  EXPECT_TRUE(check_parameters({{"key", ""}, {"limit", "-5"}, {"deep", "true"}}, known));
  EXPECT_FALSE(check_parameters({}, known));
  EXPECT_FALSE(check_parameters({{"key", "a"}, {"limit", "5x"}}, known));
  EXPECT_FALSE(check_parameters({{"key", "a"}, {"deep", "yes"}}, known));
  EXPECT_FALSE(check_parameters({{"key", "a"}, {"other", ""}}, known));
}

TEST(Problem, EveryCodeHasARow) {
  for (int i = 0; i < kCodeCount; ++i) {
    auto code = static_cast<Code>(i);
    EXPECT_EQ(problem_row(code).code, code);
    EXPECT_GE(problem_row(code).status, 400);
  }
}

TEST(Problem, KnowsThePositionInAStatement) {
  Json document = problem_document({Code::invalid, "SYNTAX_ERROR", "line 3:7: mismatched"}, "r1");
  EXPECT_EQ(document["line"].as_int(), 3);
  EXPECT_EQ(document["column"].as_int(), 7);
  EXPECT_EQ(document["instance"].as_string(), "r1");
  EXPECT_TRUE(check_record(document, "Problem"));
}

}  // namespace
}  // namespace aichemy::serve::console
