#include "serve/kafka/fetch_session.h"

#include <algorithm>

#include "serve/kafka/errors.h"

namespace aichemy::serve::kafka {
namespace {

bool same(const SessionPartition& known, const std::string& topic, const wire::Uuid& id,
          int32_t partition) {
  return known.wanted.partition == partition && known.topic_id == id && known.topic == topic;
}

}  // namespace

void FetchSessions::take(FetchSession& session, const wire::FetchRequest& request) {
  size_t known_before = session.partitions.size();
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      auto end = session.partitions.begin() + static_cast<std::ptrdiff_t>(known_before);
      auto known = std::find_if(session.partitions.begin(), end, [&](const SessionPartition& item) {
        return same(item, topic.topic, topic.topic_id, partition.partition);
      });
      if (known == end) {
        session.partitions.push_back({topic.topic, topic.topic_id, partition});
      } else {
        known->wanted = partition;
      }
    }
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (int32_t partition : topic.partitions) {
      std::erase_if(session.partitions, [&](const SessionPartition& item) {
        return same(item, topic.topic, topic.topic_id, partition);
      });
    }
  }
}

FetchSessions::Opened FetchSessions::open(const wire::FetchRequest& request) {
  constexpr int32_t kFinalEpoch = -1;
  if (request.session_epoch == kFinalEpoch || request.session_epoch == 0) {
    sessions_.erase(request.session_id);
    bool keep = request.session_epoch == 0;
    if (keep && sessions_.size() >= kSessionsMax) sessions_.erase(sessions_.begin());
    FetchSession& session = keep ? sessions_[next_id_] : once_;
    session = FetchSession{};
    if (keep) {
      session.id = next_id_;
      session.epoch = 1;
      next_id_ = next_id_ == INT32_MAX ? 1 : next_id_ + 1;
    }
    take(session, request);
    return {&session, kNone, true};
  }
  auto found = sessions_.find(request.session_id);
  if (found == sessions_.end()) return {nullptr, kFetchSessionIdNotFound, true};
  FetchSession& session = found->second;
  if (request.session_epoch != session.epoch) return {nullptr, kInvalidFetchSessionEpoch, true};
  session.epoch = session.epoch == INT32_MAX ? 1 : session.epoch + 1;
  take(session, request);
  return {&session, kNone, false};
}

}  // namespace aichemy::serve::kafka
