#include "serve/console/query_desk.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "sql/language/parser.h"

namespace aichemy::serve::console {
namespace {

constexpr size_t kPageBytes = 512 << 10;
constexpr size_t kQueriesMax = 200;
constexpr size_t kKeptMax = 150;  // above it, those that ended go: room for some that come at once
constexpr std::chrono::minutes kIdle{5};
const std::string kFilesPrefix = "console/";
const std::string kFilesLocation = std::string("s3://") + sql::kExportBucket + "/" + kFilesPrefix;

bool only_reads(const sql::Statement& statement) {
  using enum sql::StatementKind;
  switch (statement.kind) {
    case query:
    case show_catalogs:
    case show_schemas:
    case show_tables:
    case show_columns:
    case show_functions:
    case show_session:
    case show_create:
    case show_stats:
    case use:
    case describe_input:
    case describe_output: return true;
    case alter:
      return statement.alter && statement.alter->kind == sql::AlterClause::Kind::show_branches;
    case explain: return statement.inner && only_reads(*statement.inner);
    default: return false;
  }
}

Error cancelled() { return {Code::cancelled, "USER_CANCELED", "Query was canceled"}; }

std::string columns_json(const std::vector<sql::OutputColumn>& columns) {
  Json list = Json::array();
  for (const auto& column : columns)
    list.push(Json().set("name", column.name).set("type", column.type.display()));
  return list.dump();
}

}  // namespace

ResultFile::~ResultFile() {
  if (auto removed = store_.remove(Call{}, sql::kExportBucket, key_, {}); !removed)
    log_warn("saved result not removed", {{"key", key_}, {"message", removed.error().message}});
}

Result<std::unique_ptr<objectstore::ObjectReader>> ResultFile::open(const Call& call) const {
  return store_.open(call, sql::kExportBucket, key_, {});
}

Result<bool> statement_only_reads(std::string_view sql) {
  ASSIGN_OR_RETURN(auto statement, sql::parse_statement(sql));
  return only_reads(*statement);
}

Result<std::string> QueryDesk::start(const QueryRequest& request) {
  if (request.read_only) {
    ASSIGN_OR_RETURN(bool reads, statement_only_reads(request.sql));
    if (!reads) {
      return fail(Code::denied, "read_only",
                  "a viewer runs statements that read; this one needs the role operator");
    }
  }
  reap();
  auto entry = std::make_shared<Entry>();
  entry->user = request.user;
  entry->sql = request.sql;
  entry->to_file = request.to_file;
  entry->session.user = request.user;
  entry->session.source = "console";
  entry->session.catalog = request.catalog;
  entry->session.schema = request.schema;
  entry->session.query_id = registry_.next_id();
  entry->session.start = clock_.wall_now();
  entry->began = entry->touched = clock_.steady_now();
  entry->call.principal = request.user;
  entry->call.trace = entry->session.query_id;
  entry->call.cancel = entry->stop.get_token();
  {
    std::lock_guard lock(mutex_);
    RETURN_IF_ERROR(has_room(request));
    entries_[entry->session.query_id] = entry;
  }
  sql::QueryInfo info;
  info.id = entry->session.query_id;
  info.user = request.user;
  info.source = "console";
  info.sql = request.sql;
  info.catalog = request.catalog.value_or("");
  info.schema = request.schema.value_or("");
  info.created = clock_.wall_now();
  registry_.begin(std::move(info), [weak = std::weak_ptr(entry)](const char*, const std::string&) {
    if (auto alive = weak.lock()) stop(*alive);
  });
  return entry->session.query_id;
}

Status QueryDesk::has_room(const QueryRequest& request) {
  if (entries_.size() >= kQueriesMax)
    return fail(Code::exhausted, "too_many_queries", "too many open statements; close some");
  size_t files = 0, own = 0;
  for (const auto& [id, entry] : entries_) {
    files += entry->to_file;
    own += entry->to_file && entry->user == request.user;
  }
  if (!request.to_file || (files < kFilesMax && own < kFilesOfUserMax)) return {};
  return fail(Code::exhausted, "too_many_files",
              "results are being saved, or wait to be fetched, already: " + std::to_string(own) +
                  " of yours, " + std::to_string(files) + " in all; each is given up after five "
                  "minutes");
}

Result<QueryDesk::EntryPtr> QueryDesk::find(const std::string& id, const std::string& user) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(id);
  if (found == entries_.end() || found->second->user != user) {
    return fail(Code::not_found, "no_such_query",
                "the statement is not there any more: run it again");
  }
  found->second->touched = clock_.steady_now();
  return found->second;
}

void QueryDesk::finish(Entry& entry, std::optional<Error> error) {
  {
    std::lock_guard lock(entry.mutex);
    entry.stream = nullptr;
  }
  entry.result.rows.reset();
  registry_.update(entry.session.query_id, [&](sql::QueryInfo& info) { info.rows = entry.rows; });
  registry_.end(entry.session.query_id, error ? sql::QueryState::failed : sql::QueryState::finished,
                error);
  entry.failed = std::move(error);
  entry.done = true;
}

Status QueryDesk::execute(Entry& entry) {
  entry.executed = true;
  if (entry.stop.stop_requested()) return std::unexpected(cancelled());
  registry_.update(entry.session.query_id, [&](sql::QueryInfo& info) {
    info.state = sql::QueryState::planning;
    info.started = clock_.wall_now();
  });
  if (entry.to_file) {
    RETURN_IF_ERROR(write_file(entry));
  } else {
    ASSIGN_OR_RETURN(entry.result, executor_.execute(entry.call, entry.session, entry.sql));
  }
  registry_.update(entry.session.query_id, [&](sql::QueryInfo& info) {
    info.state = sql::QueryState::running;
    info.query_type = entry.result.query_type;
    info.update_type = entry.result.update_type.value_or("");
  });
  std::lock_guard lock(entry.mutex);
  entry.stream = entry.result.rows.get();
  return {};
}

Status QueryDesk::write_file(Entry& entry) {
  auto made = store_.create_bucket(entry.call, sql::kExportBucket);
  if (!made && made.error().code != Code::exists) return made;
  ASSIGN_OR_RETURN(entry.result,
                   executor_.write_parquet(entry.call, entry.session, entry.sql,
                                           kFilesLocation + entry.session.query_id));
  if (entry.result.files.size() != 1)
    return fail(Code::internal, "export", "the engine did not write one file");
  entry.rows = static_cast<uint64_t>(entry.result.update_count.value_or(0));
  std::lock_guard lock(entry.mutex);
  entry.file = std::make_shared<ResultFile>(
      store_, entry.result.files[0].substr(kFilesLocation.size() - kFilesPrefix.size()));
  return {};
}

Result<std::shared_ptr<ResultFile>> QueryDesk::file(const std::string& id,
                                                    const std::string& user) {
  ASSIGN_OR_RETURN(EntryPtr entry, find(id, user));
  std::lock_guard lock(entry->mutex);
  if (entry->file) return entry->file;
  return fail(Code::not_found, "no_file", "the statement has written no file");
}

Status QueryDesk::remove_left_files() {
  Call call;
  if (!store_.head_bucket(call, sql::kExportBucket)) return {};
  objectstore::ListOptions ours;
  ours.prefix = kFilesPrefix;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(auto page, store_.list(call, sql::kExportBucket, ours));
    for (const auto& object : page.objects)
      RETURN_IF_ERROR(store_.remove(call, sql::kExportBucket, object.key, {}));
    more = page.truncated;
  }
  return {};
}

Result<std::string> QueryDesk::make_page(Entry& entry, uint64_t page) {
  if (!entry.executed) RETURN_IF_ERROR(execute(entry));
  sql::Page rows;
  rows.rows_json = "[]";
  rows.done = true;
  while (entry.result.rows) {  // an empty page that is not the last is no answer
    if (entry.stop.stop_requested()) return std::unexpected(cancelled());
    ASSIGN_OR_RETURN(rows, entry.result.rows->next_page(kPageBytes));
    if (rows.done || rows.rows > 0) break;
  }
  entry.rows += rows.rows;
  Json head;
  head.set("id", entry.session.query_id).set("page", page).set("done", rows.done);
  const sql::SessionChanges& changes = entry.result.changes;
  if (entry.result.update_type) head.set("update_type", *entry.result.update_type);
  if (entry.result.update_count) head.set("update_count", *entry.result.update_count);
  if (changes.set_catalog) head.set("set_catalog", *changes.set_catalog);
  if (changes.set_schema) head.set("set_schema", *changes.set_schema);
  auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - entry.began);
  head.set("elapsed_millis", static_cast<int64_t>(elapsed.count()));
  std::string body = head.dump();
  body.pop_back();  // the closing brace
  body += ",\"columns\":" + columns_json(entry.result.columns) + ",\"rows\":";
  body += rows.rows_json.empty() ? "[]" : rows.rows_json;
  if (!entry.result.plan_steps.empty()) body += ",\"plan\":" + entry.result.plan_steps;
  body += "}";
  if (rows.done) finish(entry, std::nullopt);
  return body;
}

Result<std::string> QueryDesk::next(const std::string& id, const std::string& user, uint64_t page) {
  ASSIGN_OR_RETURN(EntryPtr entry, find(id, user));
  std::lock_guard lock(entry->pull);
  bool is_first = entry->body.empty() && !entry->failed;
  if (!is_first && page == entry->page && !entry->body.empty()) return entry->body;
  if (entry->failed) return std::unexpected(*entry->failed);
  if (page != (is_first ? 0 : entry->page + 1) || entry->done)
    return fail(Code::conflict, "page", "pages are read in order, each once");
  auto body = make_page(*entry, page);
  if (!body) {
    Error error = entry->stop.stop_requested() ? cancelled() : body.error();
    finish(*entry, error);
    return std::unexpected(error);
  }
  entry->page = page;
  entry->body = *body;
  std::lock_guard desk(mutex_);
  entry->touched = clock_.steady_now();
  return body;
}

Result<sql::Progress> QueryDesk::progress(const std::string& id, const std::string& user) {
  ASSIGN_OR_RETURN(EntryPtr entry, find(id, user));
  std::lock_guard lock(entry->mutex);
  return entry->stream ? entry->stream->progress() : sql::Progress{};
}

void QueryDesk::stop(Entry& entry) {
  entry.stop.request_stop();
  std::lock_guard lock(entry.mutex);
  if (entry.stream) entry.stream->cancel();
}

void QueryDesk::cancel(const std::string& id, const std::string& user) {
  EntryPtr entry;
  {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(id);
    if (found == entries_.end() || found->second->user != user) return;
    entry = std::move(found->second);
    entries_.erase(found);
  }
  stop(*entry);
  std::unique_lock idle(entry->pull, std::try_to_lock);  // else the running pull ends it
  if (idle.owns_lock() && !entry->done) finish(*entry, cancelled());
}

void QueryDesk::cancel_all() {
  std::vector<std::pair<std::string, std::string>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) all.emplace_back(id, entry->user);
  }
  for (const auto& [id, user] : all) cancel(id, user);
}

void QueryDesk::reap() {
  std::vector<std::pair<std::string, std::string>> old;
  SteadyTime now = clock_.steady_now();
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      // Whoever waits for a page now holds `pull`.
      std::unique_lock idle(entry->pull, std::try_to_lock);
      if (!idle.owns_lock()) continue;
      // Where room grows scarce, those whose last page was made are in the way: they are kept only
      // so that it may be asked for again.
      bool in_the_way = entries_.size() >= kKeptMax && entry->done && !entry->to_file;
      if (in_the_way || now - entry->touched > kIdle) old.emplace_back(id, entry->user);
    }
  }
  for (const auto& [id, user] : old) cancel(id, user);
}

}  // namespace aichemy::serve::console
