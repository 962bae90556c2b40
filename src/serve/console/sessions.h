// Who is signed in. A session is a random token in a cookie; the file keeps its SHA-256, so that
// the file alone opens nothing, and sessions outlive a restart. Thread safe.
//
//  I1  A session ends at its time, when it is signed out, or when its user's password changes or
//      the user goes; each of the last is durable before it is answered.
//  I2  After five wrong passwords for a name within a minute, the name is refused for the rest of
//      that minute, right password or not.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::serve::console {

struct SessionInfo {
  std::string user;
  std::string csrf;
};

class Sessions {
 public:
  static constexpr std::chrono::hours kLife{7 * 24};

  static Result<std::unique_ptr<Sessions>> open(Disk& disk, Clock& clock, Random& random,
                                                std::string path);
  Result<std::string> begin(const std::string& user);  // the token
  std::optional<SessionInfo> find(std::string_view token);
  Status end(std::string_view token);
  Status end_all_of(const std::string& user);

  // exhausted ("too_many_attempts").
  Status check_attempts(const std::string& user);
  void count_failure(const std::string& user);

 private:
  struct Entry {
    std::string user;
    int64_t ends_millis = 0;
  };
  Sessions(Disk& disk, Clock& clock, Random& random, std::string path)
      : disk_(disk), clock_(clock), random_(random), path_(std::move(path)) {}
  Disk& disk_;
  Clock& clock_;
  Random& random_;
  const std::string path_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> by_digest_;
  std::map<std::string, std::deque<SteadyTime>> failures_;

  Status store(std::map<std::string, Entry, std::less<>> entries);
};

}  // namespace aichemy::serve::console
