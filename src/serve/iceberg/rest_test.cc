#include "serve/iceberg/rest.h"

#include <gtest/gtest.h>

#include <set>

namespace aichemy::serve::iceberg {
namespace {

TEST(RestErrorsTest, EveryCodeHasARow) {
  for (int code = 0; code < kCodeCount; ++code) {
    bool found = false;
    for (const ErrorRow& row : error_rows()) {
      found = found || (static_cast<int>(row.code) == code && row.what.empty());
    }
    EXPECT_TRUE(found) << code_name(static_cast<Code>(code));
  }
}

TEST(RestErrorsTest, ParticularRowsComeBeforeGeneralOnes) {
  std::set<Code> general;
  for (const ErrorRow& row : error_rows()) {
    EXPECT_FALSE(general.contains(row.code)) << row.what;
    if (row.what.empty()) general.insert(row.code);
  }
}

TEST(RestErrorsTest, OnlyUnknownStatesAnswer500) {
  for (const ErrorRow& row : error_rows()) {
    if (row.code != Code::internal) {
      EXPECT_NE(row.status, 500) << row.what;
    }
    EXPECT_NE(row.status, 502);
    EXPECT_NE(row.status, 504);
  }
}

TEST(RestErrorsTest, AnswersTheErrorModel) {
  Json json = error_json({Code::not_found, "no_such_table", "Table does not exist: a.b"});
  EXPECT_EQ(
      json.dump(),
      R"({"error":{"message":"Table does not exist: a.b","type":"NoSuchTableException","code":404}})");
}

TEST(RestRoutesTest, EveryRouteMatchesItsOwnPath) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert(std::string(route.method) + " " + std::string(route.path)).second);
    ASSERT_NE(route.handler, nullptr);
    auto match = match_route(route.method, route.path);
    ASSERT_TRUE(match);
    ASSERT_NE(match->route, nullptr) << route.path;
    EXPECT_EQ(match->route->path, route.path);
  }
}

TEST(RestRoutesTest, DecodesNames) {
  auto match = match_route("GET", "/v1/namespaces/a%1Fb%20c/tables/t%2Fu");
  ASSERT_TRUE(match && match->route);
  RestRequest request;
  request.path = match->parameters;
  EXPECT_EQ(request.space(), (catalog::NamespaceName{"a", "b c"}));
  EXPECT_EQ(request.table().name, "t/u");
}

TEST(RestRoutesTest, TellsUnknownPathsFromUnknownMethods) {
  auto method = match_route("PUT", "/v1/namespaces");
  ASSERT_TRUE(method);
  EXPECT_EQ(method->route, nullptr);
  EXPECT_TRUE(method->path_known);
  auto path = match_route("GET", "/v2/namespaces");
  ASSERT_TRUE(path);
  EXPECT_FALSE(path->path_known);
  EXPECT_FALSE(match_route("GET", "/v1/namespaces/%zz"));
}

TEST(RestJsonTest, PagesAreCompleteAndInOrder) {
  std::vector<Json> items;
  for (int i = 0; i < 7; ++i) items.emplace_back(i);
  std::vector<int64_t> seen;
  std::string token;
  for (int pages = 0; pages < 10; ++pages) {
    RestRequest request;
    request.query = {{"pageToken", token}, {"pageSize", "3"}};
    Json page = page_of(request, "items", items);
    for (const Json& item : page["items"].as_array()) seen.push_back(item.as_int());
    token = page["next-page-token"].as_string();
    if (token.empty()) break;
  }
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(page_of(RestRequest{}, "items", items)["items"].as_array().size(), 7u);
}

TEST(RestJsonTest, RefusesBrokenNames) {
  EXPECT_FALSE(namespace_from_json(Json("a")));
  EXPECT_FALSE(namespace_from_json(Json::array()));
  Json numbers = Json::array();
  numbers.push(1);
  EXPECT_FALSE(namespace_from_json(numbers));
}

PlannedScanRef scan_of(const std::string& id, size_t files) {
  auto scan = std::make_shared<PlannedScan>();
  scan->id = id;
  scan->principal = "ann";
  scan->table.name = {{"a"}, "t"};
  scan->plan.files.resize(files);
  return scan;
}

TEST(PlansTest, ArePrivateAndEnd) {
  Plans plans;
  SteadyTime start{};
  plans.keep(scan_of("p", 1), start);
  EXPECT_TRUE(plans.find("p", "ann", {{"a"}, "t"}, start));
  EXPECT_FALSE(plans.find("p", "bob", {{"a"}, "t"}, start));
  EXPECT_FALSE(plans.find("p", "ann", {{"a"}, "u"}, start));
  EXPECT_FALSE(plans.find("q", "ann", {{"a"}, "t"}, start));
  EXPECT_FALSE(plans.find("p", "ann", {{"a"}, "t"}, start + Plans::kLifetime));
}

TEST(PlansTest, TheOldestGoFirst) {
  Plans plans;
  SteadyTime now{};
  catalog::TableName table{{"a"}, "t"};
  plans.keep(scan_of("1", Plans::kFilesMax / 2), now);
  plans.keep(scan_of("2", Plans::kFilesMax / 2), now);
  EXPECT_TRUE(plans.find("1", "ann", table, now));
  plans.keep(scan_of("3", 1), now);
  EXPECT_FALSE(plans.find("1", "ann", table, now));
  EXPECT_TRUE(plans.find("2", "ann", table, now));
  plans.drop("2");
  plans.keep(scan_of("4", Plans::kFilesMax - Plans::kFilesLeast), now);
  EXPECT_TRUE(plans.find("3", "ann", table, now));
  plans.keep(scan_of("5", Plans::kFilesMax * 2), now);
  EXPECT_FALSE(plans.find("4", "ann", table, now));
  EXPECT_TRUE(plans.find("5", "ann", table, now)) << "the newest stays whatever its size";
}

TEST(PlansTest, EmptyOnesAreNotWithoutLimit) {
  Plans plans;
  catalog::TableName table{{"a"}, "t"};
  constexpr size_t kMost = Plans::kFilesMax / Plans::kFilesLeast;
  for (size_t i = 0; i <= kMost; ++i) plans.keep(scan_of(std::to_string(i), 0), SteadyTime{});
  EXPECT_FALSE(plans.find("0", "ann", table, SteadyTime{}));
  EXPECT_TRUE(plans.find("1", "ann", table, SteadyTime{}));
}

// Files are left out only for what they cannot hold.
TEST(FilterTest, BecomesAPredicate) {
  tables::Schema schema;
  schema.fields = {{.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)},
                   {.id = 2, .name = "day", .type = tables::primitive(tables::TypeKind::date)}};
  struct Row {
    const char* filter;
    const char* predicate;
  };
  const Row rows[] = {
      {"true", "true"},
      {R"({"type":"not","child":true})", "false"},
      {R"({"type":"eq","term":"id","value":1})", "id = 1"},
      {R"({"type":"not","child":{"type":"eq","term":"id","value":1}})", "(id <> 1 or id is null)"},
      {R"({"type":"not-in","term":"id","values":[1,2]})", "(not id in (1, 2) or id is null)"},
      {R"({"type":"lt","term":"day","value":"2024-01-02"})", "day < 2024-01-02"},
      {R"({"type":"lt","term":"day","value":19724})", "day < 2024-01-02"},
      {R"({"type":"not","child":{"type":"and","left":{"type":"is-null","term":"id"},
           "right":{"type":"gt","term":"id","value":3}}})",
       "(id is not null or id <= 3)"},
  };
  for (const Row& row : rows) {
    auto predicate = predicate_from_json(*Json::parse(row.filter), schema, true);
    ASSERT_TRUE(predicate) << row.filter << ": " << predicate.error().message;
    EXPECT_EQ(predicate->text(schema), row.predicate) << row.filter;
  }
}

}  // namespace
}  // namespace aichemy::serve::iceberg
