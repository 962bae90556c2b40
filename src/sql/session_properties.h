// System session properties: accepted, stored by the client, shown. Those that mean something here
// take effect; the others are there because clients and dashboards set them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/engine/limited_engine.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct SessionProperty {
  const char* name;
  const char* type;     // varchar, boolean, integer, bigint, double
  const char* value;    // default
  const char* allowed;  // comma list for enumerations; "duration", "size"; or ""
  const char* description;
};

const std::vector<SessionProperty>& session_properties();
// catalog.property names are taken as they are.
bool is_session_property(std::string_view name);
// Text that came with a request: durations and sizes must be some.
Status check_session_text(std::string_view name, const std::string& value);
// "5.00m", "100ms" as Trino writes and reads them (ns us ms s m h d); sizes with B kB MB GB TB PB.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);
std::optional<uint64_t> parse_data_size(std::string_view text);
std::string format_data_size(uint64_t bytes);
// The least of the limits of memory that are set; none: none is.
std::optional<MemoryLimit> memory_limit(const std::map<std::string, std::string>& properties);
Status check_session_value(std::string_view name, const Type& type, const std::string& value);

}  // namespace aichemy::sql
