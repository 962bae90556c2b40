#include "serve/trino/query_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sql/session_properties.h"
#include "sql/types/trino_errors.h"

namespace aichemy::serve::trino {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string between(std::optional<WallTime> from, WallTime to) {
  if (!from) return "0.00ns";
  return sql::format_duration(std::max(milliseconds(0), duration_cast<milliseconds>(to - *from)));
}

Json stats_json(const sql::QueryInfo& info, WallTime now) {
  WallTime end = info.ended.value_or(now);
  WallTime started = info.started.value_or(end);
  Json stats = Json::object();
  stats.set("createTime", format_iso8601(info.created));
  if (info.ended) stats.set("endTime", format_iso8601(*info.ended));
  stats.set("queuedTime", between(info.created, started))
      .set("elapsedTime", between(info.created, end))
      .set("planningTime", between(info.started, info.executing.value_or(end)))
      .set("executionTime", between(info.executing, end))
      .set("totalDrivers", 1)
      .set("queuedDrivers", info.started ? 0 : 1)
      .set("runningDrivers", info.started && !info.ended ? 1 : 0)
      .set("completedDrivers", info.ended ? 1 : 0)
      .set("processedInputPositions", info.rows)
      .set("outputPositions", info.rows)
      .set("physicalInputDataSize", fmt::format("{}B", info.bytes));
  return stats;
}

}  // namespace

Json query_json(const sql::QueryInfo& info, WallTime now) {
  Json session = Json::object();
  session.set("queryId", info.id)
      .set("user", info.user)
      .set("principal", info.user)
      .set("source", info.source)
      .set("catalog", info.catalog)
      .set("schema", info.schema);
  Json group = Json::array();
  for (const std::string& name : info.resource_group) group.push(name);
  Json made = Json::object();
  made.set("queryId", info.id)
      .set("session", std::move(session))
      .set("resourceGroupId", std::move(group))
      .set("state", query_state_name(info.state))
      .set("scheduled", info.started.has_value())
      .set("self", "/v1/query/" + info.id)
      .set("query", info.sql)
      .set("queryType", info.query_type)
      .set("retryPolicy", "NONE");
  if (!info.update_type.empty()) made.set("updateType", info.update_type);
  made.set("queryStats", stats_json(info, now));
  if (!info.error) return made;
  const auto* row = sql::find_trino_error(info.error->what);
  Json code = Json::object();
  code.set("code", int64_t{row ? row->code : 65536})
      .set("name", row ? row->name : "GENERIC_INTERNAL_ERROR")
      .set("type", row ? row->type : "INTERNAL_ERROR");
  Json failure = Json::object();
  failure.set("type", "io.trino.spi.TrinoException")
      .set("message", info.error->message)
      .set("errorInfo", code);
  made.set("errorType", row ? row->type : "INTERNAL_ERROR")
      .set("errorCode", std::move(code))
      .set("failureInfo", std::move(failure));
  return made;
}

Json cluster_json(const std::vector<sql::QueryInfo>& queries, int processors,
                  uint64_t memory_used) {
  int64_t running = 0, queued = 0;
  uint64_t rows = 0, bytes = 0;
  for (const auto& query : queries) {
    rows += query.rows;
    bytes += query.bytes;
    if (query.ended) continue;
    ++(query.started ? running : queued);
  }
  Json out = Json::object();
  out.set("runningQueries", running)
      .set("blockedQueries", 0)
      .set("queuedQueries", queued)
      .set("activeCoordinators", 1)
      .set("activeWorkers", 1)
      .set("runningDrivers", running)
      .set("totalAvailableProcessors", processors)
      .set("reservedMemory", memory_used)
      .set("totalInputRows", rows)
      .set("totalInputBytes", bytes);
  return out;
}

std::string console_page(std::string_view host, int port, std::string_view id) {
  size_t colon = host.rfind(':');
  bool has_port =
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
  std::string_view name = has_port ? host.substr(0, colon) : host;
  bool is_id = !id.empty() && std::ranges::all_of(id, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
  return fmt::format("http://{}:{}/queries{}{}", name.empty() ? "localhost" : name, port,
                     is_id ? "/" : "", is_id ? id : "");
}

Json group_json(const std::vector<ResourceGroups::Row>& rows, std::string_view id) {
  auto found = std::ranges::find(rows, id, &ResourceGroups::Row::id);
  if (found == rows.end()) return {};
  Json path = Json::array();
  std::string name;
  for (char c : found->id + ".") {
    if (c != '.') {
      name += c;
      continue;
    }
    path.push(std::exchange(name, {}));
  }
  Json below = Json::array();
  for (const auto& row : rows) {
    bool child = row.id.size() > id.size() && row.id.starts_with(id) && row.id[id.size()] == '.' &&
                 row.id.find('.', id.size() + 1) == std::string::npos;
    if (child) below.push(group_json(rows, row.id));
  }
  Json out = Json::object();
  out.set("id", std::move(path))
      .set("state", found->queued > 0 ? "FULL" : "CAN_RUN")
      .set("hardConcurrencyLimit", found->running_max)
      .set("maxQueuedQueries", found->queued_max)
      .set("numRunningQueries", found->running)
      .set("numQueuedQueries", found->queued)
      .set("subGroups", std::move(below));
  return out;
}

}  // namespace aichemy::serve::trino
