// Queries and the cluster as /v1/query, /v1/resourceGroupState and /ui/api show them. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "serve/trino/resource_groups.h"
#include "sql/query_registry.h"

namespace aichemy::serve::trino {

// BasicQueryInfo of one query; `now` is the end of what still runs.
Json query_json(const sql::QueryInfo& info, WallTime now);
// Counters of /ui/api/stats.
Json cluster_json(const std::vector<sql::QueryInfo>& queries, int processors, uint64_t memory_used);
// Where the console, on `port` of the host that a client calls us, shows the query; of all queries
// when `id` is none.
std::string console_page(std::string_view host, int port, std::string_view id);
// One group with those below it; nullptr-like (null) when there is none of that name.
Json group_json(const std::vector<ResourceGroups::Row>& rows, std::string_view id);

}  // namespace aichemy::serve::trino
