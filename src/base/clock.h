// Time is always passed in. Wall time is for what users see (log timestamps, Last-Modified); steady
// time for deadlines and measuring.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace aichemy {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() = 0;
  virtual SteadyTime steady_now() = 0;

  int64_t wall_millis() {
    return std::chrono::floor<std::chrono::milliseconds>(wall_now()).time_since_epoch().count();
  }
  int64_t wall_micros() { return wall_now().time_since_epoch().count(); }
};

class SystemClock final : public Clock {
 public:
  WallTime wall_now() override;
  SteadyTime steady_now() override;
};

// Stands still until a test advances it; both times move together.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start = WallTime(std::chrono::seconds(1'700'000'000)))
      : wall_(start) {}
  WallTime wall_now() override;
  SteadyTime steady_now() override;
  void advance(std::chrono::microseconds by);

 private:
  std::mutex mutex_;
  WallTime wall_;
  SteadyTime steady_{};
};

// 2026-11-22T17:43:00.123Z; the fraction has 3 digits.
std::string format_iso8601(WallTime time);
// Sun, 22 Nov 2026 17:43:00 GMT (RFC 9110 section 5.6.7)
std::string format_http_date(WallTime time);

}  // namespace aichemy
