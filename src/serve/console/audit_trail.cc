#include "serve/console/audit_trail.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/log.h"
#include "serve/console/api_schema.h"

namespace aichemy::serve::console {
namespace {

using metadb::Transaction;

// Members whose values are nobody's business, and records whose members all are. What a record does
// not declare may be anything.
constexpr std::array<std::string_view, 5> kWithheld = {"password", "secret", "value", "headers",
                                                       "definition"};
constexpr std::array<std::string_view, 3> kWithheldRecords = {"NewMessage", "NewSavedQuery",
                                                              "SavedQueryChange"};

bool declares(const RecordType& record, std::string_view name) {
  return std::ranges::any_of(record.fields, [&](const Field& one) { return name == one.name; });
}

bool is_one_of(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool mentions(const AuditLine& line, const std::string& text) {
  auto holds = [&](const std::string& word) { return word.contains(text); };
  return text.empty() || holds(line.user) || holds(line.operation) || holds(line.target) ||
         holds(line.detail) || holds(line.outcome) || holds(line.request);
}

// At a boundary of UTF-8, and without what databases refuse: NULs, and bytes that are no UTF-8.
std::string bounded(std::string text) {
  std::ranges::replace(text, '\0', ' ');
  if (!is_valid_utf8(text))
    std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) > 0x7f; }, '?');
  if (text.size() <= AuditTrail::kTextBytesMax) return text;
  size_t end = AuditTrail::kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

}  // namespace

std::string audited_body(const Json& body, std::string_view record) {
  const RecordType* type = find_record_type(record);
  if (!body.is_object() || !type || is_one_of(kWithheldRecords, record)) return {};
  Json kept = Json::object();
  for (const auto& [name, value] : body.as_object()) {
    if (!declares(*type, name)) continue;
    if (!is_one_of(kWithheld, name))
      kept.set(name, value);
    else if (!value.is_null())
      kept.set(name, "(not kept)");
  }
  return kept.as_object().empty() ? std::string() : kept.dump();
}

AuditTrail::~AuditTrail() {
  if (auto written = write(take_merged(true)); !written)
    log_error("audit line lost", {{"problem", written.error().message}});
}

bool AuditTrail::is_merged(const AuditLine& line) {
  std::lock_guard lock(mutex_);
  Refused& refused = refused_[line.user];
  SteadyTime now = clock_.steady_now();
  if (refused.kept == 0 || now - refused.since >= kRefusedWindow) {  // take_merged() was before
    refused.since = now;
    refused.kept = 0;
  }
  if (refused.kept < kRefusedMax) {
    ++refused.kept;
    return false;
  }
  ++refused.merged;
  refused.last = line;
  return true;
}

// Of the minutes that are over, or of all.
std::vector<AuditLine> AuditTrail::take_merged(bool all) {
  std::vector<AuditLine> out;
  std::lock_guard lock(mutex_);
  SteadyTime now = clock_.steady_now();
  for (auto& [user, refused] : refused_) {
    if (refused.merged == 0 || (!all && now - refused.since < kRefusedWindow)) continue;
    AuditLine line = std::move(refused.last);
    line.detail = std::to_string(refused.merged) +
                  " refused requests that have no lines of their own; this was the last";
    refused.merged = 0;
    out.push_back(std::move(line));
  }
  return out;
}

Status AuditTrail::append(AuditLine line) {
  line.at_millis = clock_.wall_millis();
  std::vector<AuditLine> lines = take_merged(false);
  if (line.outcome.empty() || !is_merged(line)) lines.push_back(std::move(line));
  return write(std::move(lines));
}

Status AuditTrail::write(std::vector<AuditLine> lines) {
  if (lines.empty()) return {};
  return database_.transaction([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto last, transaction.query("SELECT max(number) FROM console_audit"));
    int64_t number = last[0][0].as_int();
    for (const AuditLine& line : lines) {
      RETURN_IF_ERROR(transaction.run(
          "INSERT INTO console_audit (number, at_millis, user_name, operation, target, detail, "
          "outcome, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
          {++number, line.at_millis, bounded(line.user), line.operation, bounded(line.target),
           bounded(line.detail), line.outcome, line.request}));
    }
    RETURN_IF_ERROR(transaction.run("DELETE FROM console_audit WHERE number <= $1",
                                    {number - kLinesMax}));  // A2
    return {};
  });
}

Result<std::vector<AuditLine>> AuditTrail::list(const Question& question) {
  RETURN_IF_ERROR(write(take_merged(true)));
  return database_.read([&](Transaction& transaction) -> Result<std::vector<AuditLine>> {
    std::vector<AuditLine> out;
    auto take = [&](const metadb::Row& row) {
      AuditLine line;
      line.number = row[0].as_int();
      line.at_millis = row[1].as_int();
      line.user = row[2].as_text();
      line.operation = row[3].as_text();
      line.target = row[4].as_text();
      line.detail = row[5].as_text();
      line.outcome = row[6].as_text();
      line.request = row[7].as_text();
      bool wanted = question.user.empty() || line.user == question.user;
      if (wanted && mentions(line, question.search)) out.push_back(std::move(line));
      return out.size() < question.lines_max;
    };
    RETURN_IF_ERROR(transaction.each(
        "SELECT number, at_millis, user_name, operation, target, detail, outcome, request FROM "
        "console_audit WHERE number < $1 ORDER BY number DESC",
        {question.before.value_or(INT64_MAX)}, take));
    return out;
  });
}

}  // namespace aichemy::serve::console
