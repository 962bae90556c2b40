#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <deque>
#include <mutex>

#include "base/clock.h"
#include "base/json.h"
#include "base/log_tail.h"

namespace aichemy {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};
std::atomic<LogFormat> g_format{LogFormat::human};

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
    case LogLevel::off: break;
  }
  return "off";
}

constexpr size_t kTailLines = 2000;
constexpr size_t kTailFieldBytes = 4096;

struct Tail {
  std::mutex mutex;
  std::deque<LogLine> lines;
};
// Never destroyed: threads may log until the very end.
Tail& tail() {
  static Tail* kept = new Tail;
  return *kept;
}

void keep(LogLine line) {
  std::lock_guard lock(tail().mutex);
  if (tail().lines.size() >= kTailLines) tail().lines.pop_front();
  tail().lines.push_back(std::move(line));
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=') return true;
  }
  return false;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  g_level = level;
  g_format = format;
}

void log_event(LogLevel level, std::string_view event, LogFields fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  std::string line;
  std::string time = format_iso8601(SystemClock().wall_now());
  if (g_format.load(std::memory_order_relaxed) == LogFormat::json) {
    line = "{\"time\":\"" + time + "\",\"level\":\"" + std::string(level_name(level)) +
           "\",\"event\":";
    append_json_string(line, event);
    for (const LogField& field : fields) {
      line += ',';
      append_json_string(line, field.key);
      line += ':';
      append_json_string(line, field.value);
    }
    line += "}\n";
  } else {
    line = time + ' ' + std::string(level_name(level)) + ' ' + std::string(event);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      if (needs_quotes(field.value)) {
        append_json_string(line, field.value);
      } else {
        line += field.value;
      }
    }
    line += '\n';
  }
  LogLine kept{std::move(time), std::string(level_name(level)), std::string(event), {}};
  for (const LogField& field : fields)
    kept.fields.emplace_back(field.key, field.value.substr(0, kTailFieldBytes));
  keep(std::move(kept));
  // A log that cannot be written has nowhere to say so.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

std::vector<LogLine> log_tail(size_t lines_max) {
  std::lock_guard lock(tail().mutex);
  const auto& lines = tail().lines;
  std::vector<LogLine> out;
  for (auto line = lines.rbegin(); line != lines.rend() && out.size() < lines_max; ++line)
    out.push_back(*line);
  return out;
}

}  // namespace aichemy
