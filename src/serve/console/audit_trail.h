// Who changed what through the console and its API, in metadb. Thread safe, blocking.
//
//  A1  A line is durable before the request it tells about is answered. A request whose line cannot
//      be kept has been carried out all the same; the log then says so, at level error.
//  A2  Lines are added, never changed; beyond kLinesMax the oldest are forgotten.
//  A3  No line holds a password, a secret, or what a message or an object holds.
//  A4  Of one user's refused requests, kRefusedMax a minute have lines of their own; what is more
//      is counted, and one line says how many: when the minute is over and something is written,
//      and before anybody reads. A crash before that loses that count.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "metadb/metadb.h"

namespace aichemy::serve::console {

struct AuditLine {
  int64_t number = 0;  // rises by one
  int64_t at_millis = 0;
  std::string user;
  std::string operation;  // of the route: "deleteTopic"
  std::string target;     // what stood in the path, and the key
  std::string detail;     // the body, as far as A3 lets it be kept
  std::string outcome;    // "": done; else the problem's code
  std::string request;    // its id, as in the log
};

class AuditTrail {
 public:
  static constexpr int64_t kLinesMax = 100'000;
  static constexpr size_t kTextBytesMax = 2000;
  static constexpr int kRefusedMax = 30;
  static constexpr std::chrono::minutes kRefusedWindow{1};

  AuditTrail(metadb::Database& database, Clock& clock) : database_(database), clock_(clock) {}
  ~AuditTrail();
  Status append(AuditLine line);

  struct Question {
    std::string search;             // a substring of any of its words; "": all
    std::string user;               // "": anybody
    std::optional<int64_t> before;  // only lines with lower numbers
    size_t lines_max = 100;
  };
  // Newest first.
  Result<std::vector<AuditLine>> list(const Question& question);

 private:
  // One user's refused requests of a minute.
  struct Refused {
    SteadyTime since{};
    int kept = 0;
    int64_t merged = 0;
    AuditLine last;
  };

  metadb::Database& database_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Refused> refused_;  // by user

  bool is_merged(const AuditLine& line);
  std::vector<AuditLine> take_merged(bool all);
  Status write(std::vector<AuditLine> lines);
};

// A body as a line keeps it (A3).
std::string audited_body(const Json& body, std::string_view record);

}  // namespace aichemy::serve::console
