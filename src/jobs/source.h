// The source of a job as the SQL front end sees it: a catalog "job" with one table (the CREATE
// TABLE) and a table of the records of the same epoch that did not fit it ("$dead"). And the
// wrapper of the target's catalog that keeps what an INSERT wrote instead of committing it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/event_batch.h"
#include "jobs/outbox.h"
#include "jobs/script.h"
#include "sql/connectors/connector.h"

namespace aichemy::jobs {

inline constexpr const char* kJobCatalog = "job";
inline constexpr const char* kJobSchema = "source";
inline constexpr const char* kDeadTable = "$dead";

// What WITH (...) says, checked.
struct SourceOptions {
  std::vector<std::string> topics;
  enum class Startup : uint8_t { earliest, latest, timestamp } startup = Startup::earliest;
  int64_t startup_millis = 0;
};
// invalid ("option") naming the key and what is allowed; unsupported ("option") for keys that mean
// something here that we do not do.
Result<SourceOptions> source_options(const CreateSource& source);

// Refuses queries that need more than the rows of one epoch: unsupported ("query").
Status check_stateless(const std::string& query, const std::string& source);

// Read-only; one epoch at a time sets the batch that a scan reads.
class SourceConnector final : public sql::Connector {
 public:
  SourceConnector(const CreateSource& source, EventScans& scans);
  // Member names that differ only in case cannot be told apart in SQL: invalid ("column").
  static Status check_columns(const CreateSource& source);
  void set_batch(std::shared_ptr<EventBatch> batch) { batch_ = std::move(batch); }

  Result<std::vector<std::string>> list_schemas(const Call& call) override;
  Result<bool> schema_exists(const Call& call, const std::string& schema) override;
  Status create_schema(const Call&, const std::string&, const sql::Properties&) override;
  Status drop_schema(const Call&, const std::string&, bool) override;
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override;
  Result<std::vector<std::string>> list_views(const Call& call, const std::string& schema) override;
  Result<sql::TableRef> get_table(const Call& call, const sql::TableName& name) override;
  Result<std::optional<sql::View>> get_view(const Call& call, const sql::TableName& name) override;
  Result<sql::Scan> plan_scan(const Call& call, const sql::TableRef& table,
                              const sql::ScanRequest&) override;
  Status create_table(const Call&, const sql::NewTable&) override;
  Status drop_table(const Call&, const sql::TableName&) override;
  Status create_view(const Call&, const sql::TableName&, const sql::View&, bool) override;
  Status drop_view(const Call&, const sql::TableName&) override;
  Result<std::unique_ptr<sql::Insert>> begin_insert(const Call&, const sql::TableRef&) override;
  Result<std::unique_ptr<sql::Insert>> begin_create_table_as(const Call&,
                                                             const sql::NewTable&) override;
  Status finish_insert(const Call&, sql::Insert&, std::vector<sql::WrittenFile>) override;

 private:
  std::string source_name_;  // lower case
  sql::TableRef source_;
  sql::TableRef dead_;
  EventScans& scans_;
  std::shared_ptr<EventBatch> batch_;
};

// Forwards to the target's connector; finish_insert keeps the files for the outbox.
class SinkConnector final : public sql::Connector {
 public:
  explicit SinkConnector(sql::Connector& inner) : inner_(inner) {}
  WrittenBatch take_files() { return {std::exchange(files_, {}), std::exchange(summary_, {})}; }

  Result<std::vector<std::string>> list_schemas(const Call& call) override {
    return inner_.list_schemas(call);
  }
  Result<bool> schema_exists(const Call& call, const std::string& schema) override {
    return inner_.schema_exists(call, schema);
  }
  Status create_schema(const Call& call, const std::string& schema,
                       const sql::Properties& properties) override {
    return inner_.create_schema(call, schema, properties);
  }
  Status drop_schema(const Call& call, const std::string& schema, bool cascade) override {
    return inner_.drop_schema(call, schema, cascade);
  }
  Result<std::vector<std::string>> list_tables(const Call& call,
                                               const std::string& schema) override {
    return inner_.list_tables(call, schema);
  }
  Result<std::vector<std::string>> list_views(const Call& call,
                                              const std::string& schema) override {
    return inner_.list_views(call, schema);
  }
  Result<sql::TableRef> get_table(const Call& call, const sql::TableName& name) override {
    return inner_.get_table(call, name);
  }
  Result<std::optional<sql::View>> get_view(const Call& call, const sql::TableName& name) override {
    return inner_.get_view(call, name);
  }
  Result<sql::Scan> plan_scan(const Call& call, const sql::TableRef& table,
                              const sql::ScanRequest& request) override {
    return inner_.plan_scan(call, table, request);
  }
  Status create_table(const Call& call, const sql::NewTable& table) override {
    return inner_.create_table(call, table);
  }
  Status drop_table(const Call& call, const sql::TableName& name) override {
    return inner_.drop_table(call, name);
  }
  Status create_view(const Call& call, const sql::TableName& name, const sql::View& view,
                     bool replace) override {
    return inner_.create_view(call, name, view, replace);
  }
  Status drop_view(const Call& call, const sql::TableName& name) override {
    return inner_.drop_view(call, name);
  }
  Result<std::unique_ptr<sql::Insert>> begin_insert(const Call& call,
                                                    const sql::TableRef& table) override {
    return put_at_once(inner_.begin_insert(call, table));
  }
  Result<std::unique_ptr<sql::Insert>> begin_create_table_as(const Call& call,
                                                             const sql::NewTable& table) override {
    return put_at_once(inner_.begin_create_table_as(call, table));
  }
  Status finish_insert(const Call&, sql::Insert& insert,
                       std::vector<sql::WrittenFile> files) override {
    summary_ = {insert.summary.begin(), insert.summary.end()};
    for (auto& file : files) {
      // The outbox would name what a kill takes away.
      if (file.held) return fail(Code::internal, "held_file", file.path + " is not put yet");
      files_.push_back(std::move(file));
    }
    return {};
  }

 private:
  // The files are committed by a later epoch, perhaps of another process: they have to be there.
  static Result<std::unique_ptr<sql::Insert>> put_at_once(
      Result<std::unique_ptr<sql::Insert>> insert) {
    if (insert) (*insert)->takes_held_files = false;
    return insert;
  }

  sql::Connector& inner_;
  std::vector<sql::WrittenFile> files_;
  std::map<std::string, std::string> summary_;
};

}  // namespace aichemy::jobs
