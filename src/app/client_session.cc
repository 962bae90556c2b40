#include "app/client_session.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>

#include "base/bytes.h"
#include "runtime/disk.h"

namespace aichemy::app {
namespace {

// Sets, replaces or (no value) removes a name.
void change(std::vector<std::pair<std::string, std::string>>& list, const std::string& name,
            const std::optional<std::string>& value) {
  std::erase_if(list, [&](const auto& item) { return item.first == name; });
  if (value) list.emplace_back(name, *value);
}

Result<Json> parse_page(const HttpAnswer& answer) {
  if (answer.status == 401) {
    return fail(Code::unauthenticated, "login",
                "the server refused the user or the password (--user, --password)");
  }
  if (answer.status != 200) {
    return fail(Code::unavailable, "server",
                fmt::format("the server answered {}: {}", answer.status, answer.body));
  }
  return Json::parse(answer.body);
}

}  // namespace

Result<Json> find_platform(const std::string& data) {
  PosixDisk disk;
  auto text = disk.read_file(data + "/ready.json");
  auto ready = text ? Json::parse(*text) : Result<Json>(std::unexpected(text.error()));
  auto pid = ready ? static_cast<pid_t>((*ready)["pid"].as_int()) : 0;
  if (pid <= 0 || ::kill(pid, 0) != 0) {
    return fail(
        Code::unavailable, "not_running",
        fmt::format(
            "no platform runs on {}; start one with 'aichemy up', or name another with --data",
            data));
  }
  return ready;
}

SqlClient::SqlClient(SqlLogin login)
    : login_(std::move(login)), http_({login_.certificate_file, !login_.insecure}) {}

HttpClient::Headers SqlClient::headers() const {
  HttpClient::Headers out = {
      {"X-Trino-User", login_.user},
      {"X-Trino-Source", "aichemy sql"},
      {"X-Trino-Client-Capabilities", "PATH,PARAMETRIC_DATETIME,NUMBER,SESSION_AUTHORIZATION"}};
  if (!login_.catalog.empty()) out.emplace_back("X-Trino-Catalog", login_.catalog);
  if (!login_.schema.empty()) out.emplace_back("X-Trino-Schema", login_.schema);
  if (!path_.empty()) out.emplace_back("X-Trino-Path", path_);
  for (const auto& [name, value] : session_)
    out.emplace_back("X-Trino-Session", name + "=" + value);
  for (const auto& [name, value] : prepared_)
    out.emplace_back("X-Trino-Prepared-Statement", name + "=" + value);
  if (login_.server.starts_with("https")) {
    out.emplace_back("Authorization", "Basic " + to_base64(login_.user + ":" + login_.password));
  }
  return out;
}

void SqlClient::keep(const HttpAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    size_t equals = value.find('=');
    std::string key = value.substr(0, equals);
    std::optional<std::string> rest;
    if (equals != std::string::npos) rest = value.substr(equals + 1);
    if (name == "x-trino-set-catalog") login_.catalog = value;
    if (name == "x-trino-set-schema") login_.schema = value;
    if (name == "x-trino-set-path") path_ = value;
    if (name == "x-trino-set-session") change(session_, key, rest);
    if (name == "x-trino-clear-session") change(session_, value, std::nullopt);
    if (name == "x-trino-added-prepare") change(prepared_, key, rest);
    if (name == "x-trino-deallocated-prepare") change(prepared_, value, std::nullopt);
  }
}

Result<SqlRows> SqlClient::run(const std::string& sql, const OnPage& on_page) {
  cancelled_ = false;
  SqlRows out;
  ASSIGN_OR_RETURN(HttpAnswer answer,
                   http_.request("POST", login_.server + "/v1/statement", headers(), sql));
  for (;;) {
    ASSIGN_OR_RETURN(Json page, parse_page(answer));
    keep(answer);
    if (const Json* error = page.find("error")) {
      return fail(Code::invalid, "query",
                  fmt::format("{}: {}", (*error)["errorName"].as_string(),
                              (*error)["message"].as_string()));
    }
    if (out.columns.empty()) {
      for (const Json& column : page["columns"].as_array()) {
        out.columns.emplace_back(column["name"].as_string(), column["type"].as_string());
      }
    }
    const Json& stats = page["stats"];
    SqlProgress progress{std::string(stats["state"].as_string()),
                         stats["progressPercentage"].as_double(-1), stats["processedRows"].as_int(),
                         stats["processedBytes"].as_int(), stats["elapsedTimeMillis"].as_int()};
    out.elapsed_millis = progress.elapsed_millis;
    for (const Json& row : page["data"].as_array()) out.rows.push_back(row);
    if (page.find("updateType")) out.update_type = page["updateType"].as_string();
    if (page["updateCount"].is_integer()) out.update_count = page["updateCount"].as_int();
    if (on_page) on_page(out, progress);
    std::string next(page["nextUri"].as_string());
    if (next.empty()) return out;
    if (cancelled_) {
      (void)http_.request("DELETE", next, headers(), "");
      return fail(Code::cancelled, "cancelled", "the query was cancelled");
    }
    ASSIGN_OR_RETURN(answer, http_.request("GET", next, headers(), ""));
  }
}

}  // namespace aichemy::app
