#include "metadb/metadb.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "metadb/migrations.h"
#include "metadb/test_database.h"

namespace aichemy::metadb {
namespace {

class MetadbTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("metadb_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    reopen();
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::string path() const { return (directory_ / "meta.db").string(); }
  void reopen() {
    database_.reset();
    auto opened = open_test_database(directory_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
  }
  static Status put_job(Transaction& transaction, const std::string& id) {
    auto done = transaction.run(
        "INSERT INTO jobs (id, name, state, definition, created_millis, updated_millis) "
        "VALUES ($1, $2, 'running', '{}', $3, $3)",
        {id, "job " + id, int64_t{7}});
    if (!done) return std::unexpected(done.error());
    return {};
  }
  int64_t job_count() {
    auto count = database_->read([](Transaction& transaction) -> Result<int64_t> {
      ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT count(*) FROM jobs"));
      return rows[0][0].as_int();
    });
    return count.value_or(-1);
  }
  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(MetadbTest, AVersionEndsWithEveryCommitOfAnyone) {
  std::optional<int64_t> before = database_->version();
  if (!before) GTEST_SKIP() << "this store has no versions";
  EXPECT_EQ(database_->version(), before);
  EXPECT_EQ(job_count(), 0);
  EXPECT_EQ(database_->version(), before) << "reading changes nothing";
  ASSERT_TRUE(database_->transaction([](Transaction& t) { return put_job(t, "a"); }));
  std::optional<int64_t> after = database_->version();
  EXPECT_NE(after, before);
  auto other = open_test_database(directory_);  // as another process would
  ASSERT_TRUE(other) << other.error().message;
  ASSERT_TRUE((*other)->transaction([](Transaction& t) { return put_job(t, "b"); }));
  EXPECT_NE(database_->version(), after);
}

TEST_F(MetadbTest, CommitsSurviveReopening) {
  ASSERT_TRUE(database_->transaction([](Transaction& t) { return put_job(t, "a"); }));
  reopen();
  EXPECT_EQ(job_count(), 1);
}

TEST_F(MetadbTest, FailureUndoesEverything) {
  auto done = database_->transaction([](Transaction& t) -> Status {
    RETURN_IF_ERROR(put_job(t, "a"));
    return fail(Code::conflict, "mine", "no");
  });
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().is("mine"));
  EXPECT_EQ(job_count(), 0);
}

TEST_F(MetadbTest, ErrorsAreNamed) {
  ASSERT_TRUE(database_->transaction([](Transaction& t) { return put_job(t, "a"); }));
  auto twice = database_->transaction([](Transaction& t) { return put_job(t, "a"); });
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::exists);
  auto orphan = database_->transaction([](Transaction& t) {
    return t.run("INSERT INTO job_epochs VALUES ('nobody', 1, '', '', 0)");
  });
  ASSERT_FALSE(orphan);
  EXPECT_TRUE(orphan.error().is("foreign_key"));
  auto broken = database_->read([](Transaction& t) { return t.query("SELEKT"); });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::internal);
  auto write_in_read = database_->read([](Transaction& t) { return put_job(t, "b"); });
  ASSERT_FALSE(write_in_read);
}

TEST_F(MetadbTest, CellsKeepKindAndBytes) {
  std::string bytes("a\0b\xc3\xa4", 5);
  auto row = database_->transaction([&](Transaction& t) -> Result<Row> {
    RETURN_IF_ERROR(
        t.run("INSERT INTO hive_functions VALUES ('d', 'f', $1)", {Cell(std::string_view(bytes))}));
    ASSIGN_OR_RETURN(auto rows, t.query("SELECT $1, $2, $3, definition, $2 FROM hive_functions",
                                        {Cell(), INT64_MIN, 0.5}));
    return rows.at(0);
  });
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_TRUE((*row)[0].is_null());
  EXPECT_EQ((*row)[1].as_int(), INT64_MIN);
  EXPECT_EQ((*row)[2].as_double(), 0.5);
  EXPECT_EQ((*row)[3].as_text(), bytes);
  EXPECT_EQ((*row)[4].as_int(), INT64_MIN);
}

TEST_F(MetadbTest, EachStopsWhenTold) {
  ASSERT_TRUE(database_->transaction([](Transaction& t) -> Status {
    for (int i = 0; i < 10; ++i) RETURN_IF_ERROR(put_job(t, std::to_string(i)));
    return {};
  }));
  int seen = 0;
  ASSERT_TRUE(database_->read([&](Transaction& t) {
    return t.each("SELECT id FROM jobs", {}, [&](const Row&) { return ++seen < 3; });
  }));
  EXPECT_EQ(seen, 3);
}

TEST_F(MetadbTest, ReadersRunBesideTheWriter) {
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!stop) {
      EXPECT_GE(job_count(), 0);
      ++reads;
    }
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 25; ++i) {
        auto id = std::to_string(w) + "." + std::to_string(i);
        EXPECT_TRUE(database_->transaction([&](Transaction& t) { return put_job(t, id); }));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  stop = true;
  reader.join();
  EXPECT_EQ(job_count(), 100);
  EXPECT_GT(reads, 0);
}

TEST_F(MetadbTest, NewerDatabaseIsRefused) {
  ASSERT_TRUE(database_->transaction(
      [](Transaction& t) { return t.run("INSERT INTO migrations VALUES ('9999_future.sql')"); }));
  database_.reset();
  auto opened = open_test_database(directory_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().is("metadb_newer"));
}

TEST_F(MetadbTest, TextComparesByBytes) {
  ASSERT_TRUE(database_->transaction([](Transaction& t) -> Status {
    for (const char* id : {"b", "a", "B", "\xc3\xa4", "_"}) RETURN_IF_ERROR(put_job(t, id));
    return {};
  }));
  auto ids = database_->read([](Transaction& t) -> Result<std::string> {
    ASSIGN_OR_RETURN(auto rows, t.query("SELECT id FROM jobs ORDER BY id"));
    std::string all;
    for (const Row& row : rows) all += row[0].as_text();
    return all;
  });
  EXPECT_EQ(ids.value_or(""), "B_ab\xc3\xa4");
}

TEST_F(MetadbTest, AFailedStatementLeavesTheSessionUsable) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(database_->read([](Transaction& t) { return t.query("SELECT * FROM nothing"); }));
    EXPECT_EQ(job_count(), 0);
  }
}

TEST_F(MetadbTest, ManyStatementsAreKeptWithinBounds) {
  for (int i = 0; i < 400; ++i) {
    auto rows = database_->read(
        [&](Transaction& t) { return t.query("SELECT $1, " + std::to_string(i), {int64_t{i}}); });
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ((*rows)[0][0].as_int(), i);
  }
}

TEST_F(MetadbTest, GarbageIsCorrupt) {
  if (test_server()) GTEST_SKIP() << "a file of SQLite";
  database_.reset();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directories(directory_);
  FILE* file = fopen(path().c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs("this is not a database, but it is long enough to be taken for one by its header......",
        file);
  fclose(file);
  auto opened = Database::open_sqlite({.path = path()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
}

// Sessions that the server ends, as a restart of it does.
class PostgresqlTest : public MetadbTest {
 protected:
  void SetUp() override {
    if (!test_server()) GTEST_SKIP() << "a PostgreSQL server is tested where one was started";
    MetadbTest::SetUp();
  }
  // Ends all sessions of this program but that of the schema `other`.
  static Result<int64_t> end_sessions() {
    ASSIGN_OR_RETURN(auto other,
                     Database::open_postgresql({.uri = test_server(), .schema = "other"}));
    return other->transaction([](Transaction& t) {
      return t.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
          {test_application()});
    });
  }
};

TEST_F(PostgresqlTest, BrokenSessionsAreOpenedAnew) {
  ASSERT_TRUE(database_->transaction([](Transaction& t) { return put_job(t, "a"); }));
  EXPECT_EQ(job_count(), 1);
  ASSERT_TRUE(end_sessions());
  EXPECT_EQ(job_count(), 1);
  EXPECT_TRUE(database_->transaction([](Transaction& t) { return put_job(t, "b"); }));
  EXPECT_EQ(job_count(), 2);
}

TEST_F(PostgresqlTest, ASessionThatBreaksInATransactionUndoesIt) {
  auto done = database_->transaction([](Transaction& t) -> Status {
    RETURN_IF_ERROR(put_job(t, "a"));
    RETURN_IF_ERROR(end_sessions());
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
  EXPECT_FALSE(done.error().is("commit_unknown")) << done.error().message;
  EXPECT_EQ(job_count(), 0);
}

TEST_F(PostgresqlTest, ASecondUserOfTheSchemaIsRefused) {
  auto second = open_test_database(directory_);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is("metadb_in_use")) << second.error().message;
}

TEST_F(PostgresqlTest, NulInTextIsInvalid) {
  auto done =
      database_->transaction([](Transaction& t) { return put_job(t, std::string("a\0b", 3)); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::invalid);
  EXPECT_EQ(job_count(), 0);
}

TEST(PostgresqlAddressTest, NobodyThere) {
  auto opened = Database::open_postgresql(
      {.uri = "postgresql:///none?host=/nonexistent", .wait_millis = 200});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unavailable);
  EXPECT_TRUE(opened.error().is("metadb"));
}

TEST(MigrationsTest, AreInOrderAndNotEmpty) {
  std::string_view last;
  ASSERT_FALSE(migrations().empty());
  for (const Migration& migration : migrations()) {
    EXPECT_LT(last, migration.name);
    EXPECT_FALSE(migration.sql.empty()) << migration.name;
    last = migration.name;
  }
}

}  // namespace
}  // namespace aichemy::metadb
