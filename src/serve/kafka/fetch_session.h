// Fetch sessions (KIP-227): a consumer names its partitions once, then only what changes; the
// answer names only partitions with something new. Sessions belong to the connection: a client that
// reconnects is told the session is unknown and starts a new one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wire/messages_data.h"

namespace aichemy::serve::kafka {

struct SessionPartition {
  std::string topic;      // by name up to version 12
  wire::Uuid topic_id{};  // by id from version 13 on
  wire::FetchRequest::FetchPartition wanted;
  // What the client was told last; -1: nothing yet.
  int64_t high_watermark = -1;
  int64_t log_start = -1;
};

struct FetchSession {
  int32_t id = 0;                            // 0: none, everything is answered
  int32_t epoch = 0;                         // expected in the next request
  std::vector<SessionPartition> partitions;  // in the order the client named them
};

class FetchSessions {
 public:
  // The session a request belongs to, brought up to date with it. `error` is
  // kFetchSessionIdNotFound or kInvalidFetchSessionEpoch when there is none. `fresh`: every
  // partition must be answered.
  struct Opened {
    FetchSession* session = nullptr;
    int16_t error = 0;
    bool fresh = true;
  };
  Opened open(const wire::FetchRequest& request);

 private:
  static constexpr size_t kSessionsMax = 4;  // of one connection
  int32_t next_id_ = 1;
  FetchSession once_;
  std::map<int32_t, FetchSession> sessions_;

  static void take(FetchSession& session, const wire::FetchRequest& request);
};

}  // namespace aichemy::serve::kafka
