// Gives freed memory back to the system. The allocator keeps what each thread freed, in arenas of
// its own: after many commits of a table with thousands of snapshots that was twice what was in
// use. Looked at every few seconds, given back when the platform is quiet, or once a minute.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace aichemy::app {

// When it is worth it. Not thread safe.
class TrimPolicy {
 public:
  static constexpr uint64_t kGrowthBytes = 64 << 20;
  static constexpr std::chrono::seconds kLookEvery{5};
  static constexpr std::chrono::seconds kLatest{60};  // however busy
  static constexpr double kQuiet = 0.25;              // of one processor, since the last look

  // `cpu` of all threads together since the process began.
  bool wants(uint64_t resident_bytes, std::chrono::nanoseconds cpu, SteadyTime now);
  void trimmed(uint64_t resident_bytes, SteadyTime now);

 private:
  uint64_t floor_ = 0;  // resident after the last time, or less since
  std::chrono::nanoseconds cpu_{0};
  SteadyTime looked_{}, trimmed_{};
};

class MemoryTrimmer {
 public:
  explicit MemoryTrimmer(Clock& clock);
  ~MemoryTrimmer();
  MemoryTrimmer(const MemoryTrimmer&) = delete;
  MemoryTrimmer& operator=(const MemoryTrimmer&) = delete;

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: it uses the others

  void run(const std::stop_token& stop);
};

}  // namespace aichemy::app
