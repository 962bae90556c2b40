// Structured log: one line an event on stderr, for people or as JSON. The only process-wide object
// of the platform besides the allocator: every layer logs, and a reference passed everywhere would
// say nothing.
//
//   log_info("bucket created", {{"bucket", name}, {"request", id}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace aichemy {

enum class LogLevel : uint8_t { debug, info, warn, error, off };
enum class LogFormat : uint8_t { human, json };

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view k, Number v) : key(k), value(std::to_string(v)) {}
};

using LogFields = std::initializer_list<LogField>;

// Call before threads start.
void configure_log(LogLevel level, LogFormat format);

// Thread safe; a line is written with one write(2).
void log_event(LogLevel level, std::string_view event, LogFields fields);

inline void log_debug(std::string_view event, LogFields fields = {}) {
  log_event(LogLevel::debug, event, fields);
}
inline void log_info(std::string_view event, LogFields fields = {}) {
  log_event(LogLevel::info, event, fields);
}
inline void log_warn(std::string_view event, LogFields fields = {}) {
  log_event(LogLevel::warn, event, fields);
}
inline void log_error(std::string_view event, LogFields fields = {}) {
  log_event(LogLevel::error, event, fields);
}

}  // namespace aichemy
