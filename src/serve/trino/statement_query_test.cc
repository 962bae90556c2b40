#include "serve/trino/statement_query.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "base/bytes.h"
#include "base/json.h"
#include "objectstore/memory_store.h"
#include "serve/trino/session_headers.h"

namespace aichemy::serve::trino {
namespace {

// Answers every SELECT with `pages` pages of one row each.
class FakeEngine final : public sql::Engine {
 public:
  int pages = 1;
  Result<std::unique_ptr<sql::RowStream>> execute(const Call&, const std::string&,
                                                  std::vector<sql::OutputColumn>,
                                                  std::vector<std::shared_ptr<void>>) override {
    class Rows final : public sql::RowStream {
     public:
      explicit Rows(int pages) : left_(pages) {}
      Result<sql::Page> next_page(size_t) override {
        if (left_ < 0)
          return fail(Code::invalid, "engine",
                      "Invalid Input Error: TRINO[DIVISION_BY_ZERO] Division by zero");
        if (left_ == 0) return sql::Page{"[]", 0, true};
        --left_;
        return sql::Page{"[[1]]", 1, left_ == 0};
      }
      sql::Progress progress() override { return {}; }
      void cancel() override {}

     private:
      int left_;
    };
    return std::make_unique<Rows>(pages);
  }
  Result<std::vector<sql::WrittenFile>> write(const Call&, const std::string&,
                                              const sql::InsertTarget&,
                                              std::vector<std::shared_ptr<void>>) override {
    return fail(Code::unsupported, "engine", "no writes");
  }
  Result<std::unique_ptr<sql::KeptRows>> keep(const Call&, const std::string&,
                                              std::vector<std::shared_ptr<void>>) override {
    return fail(Code::unsupported, "engine", "no changes");
  }
  Result<sql::PlanNode> explain(const Call&, const std::string&, bool,
                                std::vector<std::shared_ptr<void>>) override {
    return fail(Code::unsupported, "engine", "no plans");
  }
};

class StatementQueryTest : public testing::Test {
 protected:
  std::shared_ptr<StatementQuery> post(std::string text) {
    sql::Session session;
    session.user = "test";
    session.query_id = registry_.next_id();
    session.properties = properties_;
    auto made = std::make_shared<StatementQuery>(
        QueryServices{pool_, clock_, executor_, registry_, groups_, segments_.get()},
        StatementQuery::Submission{.session = session,
                                   .text = std::move(text),
                                   .slug = "yslug",
                                   .trace = "",
                                   .client_tags = {},
                                   .encoding = encoding_});
    made->start();
    return made;
  }

  // As the paging handler does, with a wait for the page.
  StatementQuery::Answer get(StatementQuery& query, uint64_t token) {
    auto answer = query.answer(token, "http://h", false);
    if (answer.kind != StatementQuery::Answer::Kind::wait) return answer;
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    query.on_ready([&] {
      std::lock_guard lock(mutex);
      ready = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready; });
    lock.unlock();
    return query.answer(token, "http://h", true);
  }
  Json body(StatementQuery& query, uint64_t token) {
    return Json::parse(get(query, token).body).value_or(Json());
  }

  SystemClock clock_;
  SystemRandom random_;
  FakeEngine engine_;
  sql::QueryRegistry registry_{clock_, random_};
  sql::Executor executor_{sql::ExecutorOptions{.engine = engine_,
                                               .catalogs = {},
                                               .clock = clock_,
                                               .random = random_,
                                               .queries = &registry_}};
  ResourceGroups groups_{1, 1};
  std::unique_ptr<SegmentStore> segments_;
  std::optional<DataEncoding> encoding_;
  std::map<std::string, std::string> properties_;
  Pool pool_{{.name = "test", .threads = 2}};
};

TEST_F(StatementQueryTest, PagesUntilNoNextUri) {
  engine_.pages = 2;
  auto query = post("SELECT 1");
  Json first = Json::parse(query->first_body("http://h")).value();
  EXPECT_TRUE(first["nextUri"].as_string().ends_with("/yslug/1"));
  Json one = body(*query, 1);
  EXPECT_EQ(one["data"].dump(), "[[1]]");
  EXPECT_EQ(
      one["columns"].dump(),
      R"([{"name":"_col0","type":"integer","typeSignature":{"rawType":"integer","arguments":[]}}])");
  EXPECT_TRUE(
      one["nextUri"].as_string().ends_with("/v1/statement/executing/" + query->id() + "/yslug/2"));
  EXPECT_EQ(get(*query, 1).body, get(*query, 1).body) << "a repeated page is the same bytes";
  Json last = body(*query, 2);  // the last rows come without a further page
  EXPECT_EQ(last["data"].dump(), "[[1]]");
  EXPECT_EQ(last.find("nextUri"), nullptr);
  EXPECT_EQ(get(*query, 2).body, get(*query, 2).body);
  EXPECT_EQ(get(*query, 1).kind, StatementQuery::Answer::Kind::gone);
  EXPECT_EQ(get(*query, 9).kind, StatementQuery::Answer::Kind::unknown);
  EXPECT_EQ(last["stats"]["state"].as_string(), "FINISHED");
  EXPECT_TRUE(query->finished());
}

TEST_F(StatementQueryTest, ErrorsHaveNameCodeAndPlace) {
  auto query = post("SELECT\n nope(1)");
  Json error = body(*query, 1)["error"];
  EXPECT_EQ(error["errorName"].as_string(), "FUNCTION_NOT_FOUND");
  EXPECT_EQ(error["errorCode"].as_int(), 6);
  EXPECT_EQ(error["errorType"].as_string(), "USER_ERROR");
  EXPECT_EQ(error["message"].as_string(), "line 2:2: Function 'nope' not registered");
  EXPECT_EQ(error["errorLocation"].dump(), R"({"lineNumber":2,"columnNumber":2})");
  engine_.pages = -1;
  auto failing = post("SELECT 1");
  Json late = body(*failing, 1);
  EXPECT_EQ(late["error"]["errorName"].as_string(), "DIVISION_BY_ZERO");
  EXPECT_EQ(late["error"]["message"].as_string(), "Division by zero");
  EXPECT_EQ(late.find("nextUri"), nullptr);
}

TEST_F(StatementQueryTest, UpdatesSayWhatChanged) {
  auto query = post("SET SESSION query_max_run_time = '5m'");
  auto answer = get(*query, 1);
  Json last = Json::parse(answer.body).value();
  EXPECT_EQ(last["updateType"].as_string(), "SET SESSION");
  EXPECT_EQ(last["columns"].dump(), "[]");
  http::Headers headers;
  write_changes(query->changes(), headers);
  EXPECT_EQ(headers.get("X-Trino-Set-Session"), "query_max_run_time=5m");
}

TEST_F(StatementQueryTest, CancelEndsIt) {
  engine_.pages = 100;
  auto query = post("SELECT 1");
  (void)body(*query, 1);
  query->cancel("USER_CANCELED", "Query was canceled");
  EXPECT_EQ(body(*query, 2)["error"]["errorName"].as_string(), "USER_CANCELED");
  EXPECT_EQ(registry_.find(query->id())->state, sql::QueryState::failed);
}

TEST_F(StatementQueryTest, WaitsForItsGroupAndIsTurnedAway) {
  engine_.pages = 3;
  auto running = post("SELECT 1");
  auto waiting = post("SELECT 1");
  Json queued = Json::parse(waiting->answer(1, "http://h", true).body).value();
  EXPECT_EQ(queued["stats"]["state"].as_string(), "QUEUED");
  auto refused = post("SELECT 1");
  Json error = body(*refused, 1)["error"];
  EXPECT_EQ(error["errorName"].as_string(), "QUERY_QUEUE_FULL");
  EXPECT_EQ(error["message"].as_string(), "Too many queued queries for \"global\"");
  for (uint64_t token = 1; !running->finished(); ++token) (void)get(*running, token);
  EXPECT_EQ(body(*waiting, 2)["data"].dump(), "[[1]]") << "room was made for it";
  EXPECT_EQ(registry_.find(refused->id())->error->what, std::string("QUERY_QUEUE_FULL"));
  waiting->cancel("USER_CANCELED", "Query was canceled");
  EXPECT_EQ(groups_.list()[0].running, 0);
}

TEST_F(StatementQueryTest, LimitsOfTime) {
  engine_.pages = 3;
  properties_ = {{"query_max_run_time", "2s"}};
  auto slow = post("SELECT 1");
  (void)body(*slow, 1);
  slow->enforce(clock_.steady_now() + std::chrono::seconds(1));
  slow->enforce(clock_.steady_now() + std::chrono::seconds(3));
  Json error = body(*slow, 2)["error"];
  EXPECT_EQ(error["errorName"].as_string(), "EXCEEDED_TIME_LIMIT");
  EXPECT_EQ(error["message"].as_string(), "Query exceeded the maximum run time limit of 2.00s");
  properties_ = {{"client_heartbeat_timeout", "5s"}};
  auto silent = post("SELECT 1");
  silent->enforce(clock_.steady_now() + std::chrono::seconds(6));
  EXPECT_EQ(body(*silent, 1)["error"]["errorName"].as_string(), "ABANDONED_QUERY");
  properties_ = {{"query_max_run_time", "soon"}};
  EXPECT_EQ(body(*post("SELECT 1"), 1)["error"]["message"].as_string(),
            "query_max_run_time is invalid: soon");
}

TEST_F(StatementQueryTest, SmallResultsAreInlineSegments) {
  Metrics metrics;
  objectstore::MemoryStore store(clock_);
  segments_ = std::make_unique<SegmentStore>(
      SegmentStoreOptions{.store = store, .clock = clock_, .random = random_, .metrics = metrics});
  encoding_ = DataEncoding::json_zstd;
  Json data = body(*post("SELECT 1"), 1)["data"];
  EXPECT_EQ(data["encoding"].as_string(), "json+zstd");
  const Json& segment = data["segments"].as_array().at(0);
  EXPECT_EQ(segment["type"].as_string(), "inline");
  EXPECT_EQ(from_base64(segment["data"].as_string()).value(), "[[1]]");
  EXPECT_EQ(segment["metadata"].dump(), R"({"rowOffset":0,"rowsCount":1,"segmentSize":5})");
  engine_.pages = 4;  // more than a first look shows: not small
  auto query = post("SELECT 1");
  Json big = body(*query, 1)["data"]["segments"].as_array().at(0);
  EXPECT_EQ(big["type"].as_string(), "spooled");
  EXPECT_EQ(big["metadata"]["rowsCount"].as_int(), 2);
  std::string name(big["uri"].as_string());
  name = name.substr(name.rfind('/') + 1);
  EXPECT_EQ(*segments_->fetch(name).value(), "[[1],[1]]");
  segments_->acknowledge(name);
  EXPECT_FALSE(segments_->fetch(name));
}

TEST(SessionHeaders, ReadAndWrite) {
  http::Headers headers;
  headers.add("X-Trino-Catalog", "Iceberg");
  headers.add("X-Trino-Schema", "S");
  headers.add("X-Trino-Session", "a=b%20c, iceberg.x=1");
  headers.add("X-Trino-Prepared-Statement", "p=SELECT+%3F");
  headers.add("X-Trino-Transaction-Id", "NONE");
  headers.add("X-Trino-Client-Capabilities", "PARAMETRIC_DATETIME");
  auto session = session_from(headers);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->catalog, "iceberg");
  EXPECT_EQ(session->properties.at("a"), "b c");
  EXPECT_EQ(session->properties.at("iceberg.x"), "1");
  EXPECT_EQ(session->prepared.at("p"), "SELECT ?");
  EXPECT_TRUE(session->client_transactions);
  EXPECT_FALSE(session->transaction);
  EXPECT_TRUE(session->parametric_datetime);
  headers.add("X-Trino-Session", "broken");
  EXPECT_FALSE(session_from(headers));
  http::Headers only_schema;
  only_schema.add("X-Trino-Schema", "s");
  EXPECT_FALSE(session_from(only_schema));
}

}  // namespace
}  // namespace aichemy::serve::trino
