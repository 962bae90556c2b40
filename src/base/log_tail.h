// The last lines of the log, kept in memory for those who look at it while the program runs.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace aichemy {

struct LogLine {
  std::string time;   // ISO 8601
  std::string level;  // "warn"
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Newest first, at most lines_max of the last 2,000 that were written. Thread safe.
std::vector<LogLine> log_tail(size_t lines_max);

}  // namespace aichemy
