#include "base/clock.h"

#include <ctime>

#include <fmt/core.h>

namespace aichemy {
namespace {

std::tm utc_fields(WallTime time) {
  std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm fields{};
  gmtime_r(&seconds, &fields);
  return fields;
}

}  // namespace

WallTime SystemClock::wall_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady_now() { return std::chrono::steady_clock::now(); }

WallTime FakeClock::wall_now() {
  std::lock_guard lock(mutex_);
  return wall_;
}

SteadyTime FakeClock::steady_now() {
  std::lock_guard lock(mutex_);
  return steady_;
}

void FakeClock::advance(std::chrono::microseconds by) {
  std::lock_guard lock(mutex_);
  wall_ += by;
  steady_ += by;
}

std::string format_iso8601(WallTime time) {
  std::tm t = utc_fields(time);
  int64_t micros = time.time_since_epoch().count() % 1'000'000;
  if (micros < 0) micros += 1'000'000;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, micros / 1000);
}

std::string format_http_date(WallTime time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t = utc_fields(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[t.tm_wday], t.tm_mday,
                     kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

}  // namespace aichemy
