// The Admin page: configuration, users, figures, the log.
#include <algorithm>

#include "base/log_tail.h"
#include "serve/console/audit_trail.h"
#include "serve/console/handlers.h"
#include "serve/console/sessions.h"

namespace aichemy::serve::console {
namespace {

constexpr int64_t kLogLinesMax = 2000;
constexpr int64_t kAuditLinesMax = 1000;

bool mentions(const LogLine& line, const std::string& text) {
  if (text.empty() || line.event.find(text) != std::string::npos) return true;
  return std::ranges::any_of(line.fields, [&](const auto& field) {
    return field.first.find(text) != std::string::npos ||
           field.second.find(text) != std::string::npos;
  });
}

int severity(std::string_view level) {
  static constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};
  auto found = std::ranges::find(kLevels, level);
  return static_cast<int>(found - std::begin(kLevels));
}

}  // namespace

Result<Answer> get_config(Exchange& exchange) {
  Json list = Json::array();
  for (const auto& line : exchange.services().config) {
    Json row;
    row.set("name", line.name).set("value", line.value).set("fallback", line.fallback);
    row.set("kind", line.kind).set("about", line.about);
    list.push(std::move(row));
  }
  return Answer(Json().set("keys", std::move(list)));
}

// As the file is now; what is in force was read when the platform started.
Result<Answer> get_access_rules(Exchange& exchange) {
  Json files = Json::array();
  for (const auto& line : exchange.services().config) {
    bool is_rules = line.name == "sql.access_rules" || line.name == "sql.groups";
    if (!is_rules || line.value.empty()) continue;
    ASSIGN_OR_RETURN(std::string text, exchange.services().disk.read_file(line.value));
    files.push(Json().set("key", line.name).set("path", line.value).set("text", text));
  }
  return Answer(Json().set("files", std::move(files)));
}

Result<Answer> list_users(Exchange& exchange) {
  ConsoleOptions& options = exchange.services();
  Json users = Json::array(), keys = Json::array();
  for (const auto& name : options.users.names())
    users.push(Json().set("name", name).set("role", options.roles.of(name)));
  for (const auto& id : options.keys.ids()) {
    auto key = options.keys.find(id);
    keys.push(Json().set("id", id).set("user", key ? key->user : ""));
  }
  Json out;
  out.set("users", std::move(users)).set("access_keys", std::move(keys));
  return Answer(std::move(out));
}

Result<Answer> change_user(Exchange& exchange) {
  ConsoleOptions& options = exchange.services();
  const std::string& name = exchange.path[0];
  const Json& body = exchange.body;
  bool known = options.users.has(name);
  if (!known && !body["password"].is_string())
    return fail(Code::invalid, "password", "a new user needs a password");
  std::string role(body["role"].as_string());
  if (name == exchange.call.principal && !role.empty() && role != "admin")
    return fail(Code::conflict, "own_role", "you would lock yourself out: ask another admin");
  // The role first: a user is never there with more rights than were meant.
  if (!role.empty()) RETURN_IF_ERROR(options.roles.set(name, role));
  if (body["password"].is_string()) {
    RETURN_IF_ERROR(options.users.set_password(name, body["password"].as_string()));
    if (known) RETURN_IF_ERROR(exchange.parts.sessions.end_all_of(name));
  }
  return Answer(Json());
}

Result<Answer> remove_user(Exchange& exchange) {
  const std::string& name = exchange.path[0];
  if (name == exchange.call.principal)
    return fail(Code::conflict, "own_user", "you cannot remove yourself: ask another admin");
  RETURN_IF_ERROR(exchange.services().users.remove(name));
  RETURN_IF_ERROR(exchange.services().roles.remove(name));
  RETURN_IF_ERROR(exchange.parts.sessions.end_all_of(name));
  return Answer(Json());
}

Result<Answer> add_access_key(Exchange& exchange) {
  auth::AccessKey key;
  key.id = exchange.body["id"].as_string();
  key.secret = exchange.body["secret"].as_string();
  key.user = exchange.call.principal;
  RETURN_IF_ERROR(exchange.services().keys.set(key));
  return Answer(Json());
}

Result<Answer> remove_access_key(Exchange& exchange) {
  RETURN_IF_ERROR(exchange.services().keys.remove(exchange.path[0]));
  return Answer(Json());
}

Result<Answer> get_metrics(Exchange& exchange) {
  return Answer(Json().set("text", exchange.services().metrics.expose()));
}

Result<Answer> get_logs(Exchange& exchange) {
  std::string search = exchange.text("search");
  int least = severity(exchange.text("level", "debug"));
  auto most =
      static_cast<size_t>(std::clamp<int64_t>(exchange.number("limit", 500), 1, kLogLinesMax));
  Json list = Json::array();
  for (const auto& line : log_tail(kLogLinesMax)) {
    if (list.as_array().size() >= most) break;
    if (severity(line.level) < least || !mentions(line, search)) continue;
    Json fields = Json::object();
    for (const auto& [key, value] : line.fields) fields.set(key, value);
    Json row;
    row.set("time", line.time).set("level", line.level).set("event", line.event);
    row.set("fields", std::move(fields));
    list.push(std::move(row));
  }
  return Answer(Json().set("lines", std::move(list)));
}

Result<Answer> get_audit(Exchange& exchange) {
  AuditTrail::Question question;
  question.search = exchange.text("search");
  question.user = exchange.text("user");
  if (exchange.query.contains("before")) question.before = exchange.number("before", 0);
  question.lines_max =
      static_cast<size_t>(std::clamp<int64_t>(exchange.number("limit", 100), 1, kAuditLinesMax));
  ASSIGN_OR_RETURN(auto lines, exchange.parts.audit.list(question));
  Json list = Json::array(), out;
  for (const auto& line : lines) {
    Json row;
    row.set("number", line.number).set("at_millis", line.at_millis).set("user", line.user);
    row.set("operation", line.operation).set("target", line.target).set("detail", line.detail);
    row.set("outcome", line.outcome).set("request", line.request);
    list.push(std::move(row));
  }
  out.set("lines", std::move(list));
  if (lines.size() == question.lines_max) out.set("next_before", lines.back().number);
  return Answer(std::move(out));
}

}  // namespace aichemy::serve::console
