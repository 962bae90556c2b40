// Requests about records: Metadata, Fetch, ListOffsets, producer ids, leader epochs.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>

#include "serve/kafka/adapter.h"
#include "serve/kafka/all_handlers.h"
#include "serve/kafka/errors.h"

namespace aichemy::serve::kafka {
namespace {

constexpr std::chrono::milliseconds kWaitMax{60'000};
constexpr int64_t kLatest = -1, kEarliest = -2, kLargestTimestamp = -3, kEarliestLocal = -4;
constexpr int32_t kTopicOperations =
    0x0df8;  // every operation there is on a topic: nobody is refused yet

bool is_zero(const wire::Uuid& id) {
  return std::all_of(id.begin(), id.end(), [](uint8_t byte) { return byte == 0; });
}

broker::Partition* find_partition(const broker::TopicRef& topic, int32_t index) {
  if (!topic || index < 0 || static_cast<size_t>(index) >= topic->partitions.size()) return nullptr;
  return topic->partitions[static_cast<size_t>(index)].get();
}

// A client that knows of another leader epoch than ours must refresh its metadata first.
int16_t check_epoch(const broker::Partition& partition, int32_t epoch) {
  if (epoch < 0 || epoch == partition.leader_epoch()) return kNone;
  return epoch < partition.leader_epoch() ? kFencedLeaderEpoch : kUnknownLeaderEpoch;
}

template <class Answer>
void describe_partitions(const Context& context, const broker::Topic& topic, Answer& answer) {
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = topic.internal;
  answer.partitions.resize(topic.partitions.size());
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    auto view = context.services.broker.view(topic, static_cast<int32_t>(i));
    auto& partition = answer.partitions[i];
    partition.partition_index = static_cast<int32_t>(i);
    partition.leader_id = context.client.cluster.leader(view.leader);
    partition.leader_epoch = view.leader_epoch;
    partition.replica_nodes.assign(view.replicas.begin(), view.replicas.end());
    partition.isr_nodes.assign(view.in_sync.begin(), view.in_sync.end());
    partition.offline_replicas.assign(view.offline.begin(), view.offline.end());
    if (view.leader < 0) partition.error_code = kLeaderNotAvailable;
  }
}

}  // namespace

Async<Result<wire::MetadataResponse>> metadata(Context& context, wire::MetadataRequest& request) {
  broker::Broker& broker = context.services.broker;
  const ClusterView& cluster = context.client.cluster;
  wire::MetadataResponse response;
  for (const Node& node : cluster.nodes)
    response.brokers.push_back({node.id, node.host, node.port, std::nullopt});
  response.cluster_id = broker.cluster_id();
  response.controller_id = cluster.controller();
  if (request.include_cluster_authorized_operations)
    response.cluster_authorized_operations = kTopicOperations;
  auto add = [&](const broker::TopicRef& topic) {
    auto& answer = response.topics.emplace_back();
    describe_partitions(context, *topic, answer);
    if (request.include_topic_authorized_operations)
      answer.topic_authorized_operations = kTopicOperations;
  };
  bool all = request.topics.null || (context.header.version == 0 && request.topics.empty());
  if (all) {
    for (const auto& topic : broker.topics()) add(topic);
    co_return response;
  }
  bool may_create = context.header.version < 4 || request.allow_auto_topic_creation;
  for (const auto& wanted : request.topics) {
    bool by_id = !wanted.name.has_value();
    broker::TopicRef topic =
        by_id ? broker.find_topic(wanted.topic_id) : broker.find_topic(*wanted.name);
    int16_t error = by_id ? kUnknownTopicId : kUnknownTopicOrPartition;
    if (!topic && !by_id && may_create) {
      auto created = co_await on(context.services.pool, [&broker, name = *wanted.name] {
        return broker.find_or_create_topic(name);
      });
      if (created) topic = *created;
      if (!created) error = error_number(created.error());
    }
    if (topic) {
      add(topic);
      continue;
    }
    auto& answer = response.topics.emplace_back();
    answer.error_code = error;
    answer.name = wanted.name;
    answer.topic_id = wanted.topic_id;
  }
  co_return response;
}

Result<wire::DescribeTopicPartitionsResponse> describe_topic_partitions(
    Context& context, wire::DescribeTopicPartitionsRequest& request) {
  broker::Broker& broker = context.services.broker;
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.push_back(topic.name);
  if (names.empty()) {
    for (const auto& topic : broker.topics()) names.push_back(topic->name);
  }
  std::sort(names.begin(), names.end());
  wire::DescribeTopicPartitionsResponse response;
  for (const std::string& name : names) {
    if (request.cursor && name < request.cursor->topic_name) continue;
    auto& answer = response.topics.emplace_back();
    auto topic = broker.find_topic(name);
    if (!topic) {
      answer.error_code = kUnknownTopicOrPartition;
      answer.name = name;
      continue;
    }
    describe_partitions(context, *topic, answer);
    answer.topic_authorized_operations = kTopicOperations;
  }
  return response;
}

namespace {

// One pass over what a Fetch asks for.
class FetchPass {
 public:
  FetchPass(Context& context, const wire::FetchRequest& request, FetchSession& session, bool fresh)
      : context_(context), request_(request), session_(session), fresh_(fresh) {}

  wire::FetchResponse response;
  int64_t bytes = 0;
  bool urgent = false;  // an error, or news that is not records: answer now

  void run() {
    context_.slices.clear();
    response.session_id = session_.id;
    for (SessionPartition& item : session_.partitions) one(item);
  }

  // What waits for news, after the last pass.
  static void listen(Context& context, const FetchSession& session, const broker::Waiter& waiter) {
    for (const SessionPartition& item : session.partitions) {
      broker::TopicRef topic = find_topic(context, item);  // keeps the partition while it is asked
      auto* partition = find_partition(topic, item.wanted.partition);
      if (partition != nullptr) partition->on_change(waiter);
    }
  }

 private:
  Context& context_;
  const wire::FetchRequest& request_;
  FetchSession& session_;
  bool fresh_;

  static broker::TopicRef find_topic(Context& context, const SessionPartition& item) {
    broker::Broker& broker = context.services.broker;
    return is_zero(item.topic_id) ? broker.find_topic(item.topic)
                                  : broker.find_topic(item.topic_id);
  }

  void one(SessionPartition& item) {
    wire::FetchResponse::PartitionData data;
    data.partition_index = item.wanted.partition;
    data.high_watermark = -1;
    data.aborted_transactions.null = true;
    auto topic = find_topic(context_, item);
    auto* partition = find_partition(topic, item.wanted.partition);
    std::optional<broker::Slice> slice;
    if (partition == nullptr) {
      data.error_code =
          !topic && !is_zero(item.topic_id) ? kUnknownTopicId : kUnknownTopicOrPartition;
    } else if (int16_t stale = check_epoch(*partition, item.wanted.current_leader_epoch);
               stale != kNone) {
      data.error_code = stale;
    } else {
      slice = read(*partition, item, data);
    }
    bool news = data.error_code != kNone || slice || data.high_watermark != item.high_watermark ||
                data.log_start_offset != item.log_start;
    if (!fresh_ && !news) return;
    if (data.error_code != kNone) urgent = true;
    add(item, std::move(data), std::move(slice));
  }

  std::optional<broker::Slice> read(broker::Partition& partition, SessionPartition& item,
                                    wire::FetchResponse::PartitionData& data) {
    int64_t room = std::max<int64_t>(0, int64_t{request_.max_bytes} - bytes);
    int64_t most = std::min<int64_t>(std::max(0, item.wanted.partition_max_bytes), room);
    auto found = partition.read(item.wanted.fetch_offset, static_cast<uint32_t>(most));
    data.high_watermark = data.last_stable_offset = partition.high_watermark();
    data.log_start_offset = partition.log_start();
    if (!found) {
      data.error_code = error_number(found.error());
      return std::nullopt;
    }
    if (item.wanted.last_fetched_epoch >= 0 &&
        item.wanted.last_fetched_epoch < partition.leader_epoch()) {
      auto [epoch, end] = partition.epoch_end(item.wanted.last_fetched_epoch);
      if (epoch < item.wanted.last_fetched_epoch || end < item.wanted.fetch_offset) {
        data.diverging_epoch = {epoch, end};
        urgent = true;
        return std::nullopt;
      }
    }
    data.high_watermark = data.last_stable_offset = found->high_watermark;
    // The first partition with data answers a batch even when it is larger than allowed, or nobody
    // could ever read it.
    if (found->slice.bytes == 0 || (bytes > 0 && found->slice.bytes > room)) return std::nullopt;
    bytes += found->slice.bytes;
    return std::move(found->slice);
  }

  void add(SessionPartition& item, wire::FetchResponse::PartitionData data,
           std::optional<broker::Slice> slice) {
    if (slice) {
      data.records.external_bytes = slice->bytes;
      context_.slices.push_back(std::move(*slice));
    }
    auto& topics = response.responses;
    if (topics.empty() || topics.back().topic != item.topic ||
        topics.back().topic_id != item.topic_id) {
      auto& topic = topics.emplace_back();
      topic.topic = item.topic;
      topic.topic_id = item.topic_id;
    }
    topics.back().partitions.push_back(std::move(data));
  }
};

void remember_answered(FetchSession& session, const wire::FetchResponse& response) {
  for (const auto& topic : response.responses) {
    for (const auto& data : topic.partitions) {
      for (SessionPartition& item : session.partitions) {
        if (item.wanted.partition != data.partition_index || item.topic != topic.topic ||
            item.topic_id != topic.topic_id) {
          continue;
        }
        item.high_watermark = data.error_code == kNone ? data.high_watermark : -1;
        item.log_start = data.error_code == kNone ? data.log_start_offset : -1;
        break;
      }
    }
  }
}

}  // namespace

Async<Result<wire::FetchResponse>> fetch(Context& context, wire::FetchRequest& request) {
  auto opened = context.client.sessions.open(request);
  if (opened.session == nullptr) {
    wire::FetchResponse refused;
    refused.error_code = opened.error;
    co_return refused;
  }
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto limit = std::min<std::chrono::milliseconds>(
      std::chrono::milliseconds(std::max(0, request.max_wait_ms)), kWaitMax);
  timer.expires_after(limit);
  for (;;) {
    // Waits are cut short from other threads: each pass has a waiter of its own, registered before
    // it looks.
    auto woken = std::make_shared<std::atomic<bool>>(false);
    auto waiter =
        std::make_shared<std::function<void()>>([executor = timer.get_executor(), woken, &timer,
                                                 alive = std::weak_ptr<std::atomic<bool>>(woken)] {
          if (woken->exchange(true)) return;
          asio::post(executor, [&timer, alive] {
            if (alive.lock()) timer.cancel();
          });
        });
    bool over = timer.expiry() <= std::chrono::steady_clock::now();
    if (!over && request.min_bytes > 0) FetchPass::listen(context, *opened.session, waiter);
    FetchPass pass(context, request, *opened.session, opened.fresh);
    pass.run();
    if (over || pass.urgent || pass.bytes >= request.min_bytes ||
        opened.session->partitions.empty()) {
      remember_answered(*opened.session, pass.response);
      co_return std::move(pass.response);
    }
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

namespace {

struct OffsetQuestion {
  std::shared_ptr<broker::Partition> partition;
  int64_t timestamp = 0;
};

Result<broker::TimestampOffset> answer_offset(const OffsetQuestion& question) {
  const broker::Partition& partition = *question.partition;
  switch (question.timestamp) {
    case kLatest:
      return broker::TimestampOffset{-1, partition.high_watermark(), partition.leader_epoch()};
    case kEarliest:
    case kEarliestLocal:
      return broker::TimestampOffset{-1, partition.log_start(),
                                     partition.epoch_of(partition.log_start())};
    case kLargestTimestamp: return question.partition->find_largest_timestamp();
    default: break;
  }
  if (question.timestamp < 0) return broker::TimestampOffset{};
  return question.partition->find_timestamp(question.timestamp);
}

}  // namespace

Async<Result<wire::ListOffsetsResponse>> list_offsets(Context& context,
                                                      wire::ListOffsetsRequest& request) {
  wire::ListOffsetsResponse response;
  for (const auto& wanted : request.topics) {
    auto topic = context.services.broker.find_topic(wanted.name);
    auto& answers = response.topics.emplace_back();
    answers.name = wanted.name;
    for (const auto& item : wanted.partitions) {
      wire::ListOffsetsResponse::ListOffsetsPartitionResponse answer;
      answer.partition_index = item.partition_index;
      auto* partition = find_partition(topic, item.partition_index);
      if (partition == nullptr) {
        answer.error_code = kUnknownTopicOrPartition;
      } else if (int16_t stale = check_epoch(*partition, item.current_leader_epoch);
                 stale != kNone) {
        answer.error_code = stale;
      } else {
        OffsetQuestion question{topic->partitions[static_cast<size_t>(item.partition_index)],
                                item.timestamp};
        bool reads = item.timestamp >= 0 || item.timestamp == kLargestTimestamp;
        auto found = reads ? co_await on(context.services.pool,
                                         [question] { return answer_offset(question); })
                           : answer_offset(question);
        if (found) {
          answer.timestamp = found->timestamp;
          answer.offset = found->offset;
          answer.leader_epoch = found->leader_epoch;
        } else {
          answer.error_code = error_number(found.error());
        }
      }
      answers.partitions.push_back(answer);
    }
  }
  co_return response;
}

Async<Result<wire::InitProducerIdResponse>> init_producer_id(Context& context,
                                                             wire::InitProducerIdRequest& request) {
  wire::InitProducerIdResponse response;
  if (request.transactional_id) {  // transactions are not served yet
    response.error_code = kTransactionalIdAuthorizationFailed;
    response.producer_epoch = -1;
    co_return response;
  }
  broker::Broker& broker = context.services.broker;
  auto id = co_await on(context.services.pool, [&broker] { return broker.new_producer_id(); });
  if (id) {
    response.producer_id = *id;
  } else {
    response.error_code = error_number(id.error());
    response.producer_epoch = -1;
  }
  co_return response;
}

Result<wire::OffsetForLeaderEpochResponse> offset_for_leader_epoch(
    Context& context, wire::OffsetForLeaderEpochRequest& request) {
  wire::OffsetForLeaderEpochResponse response;
  for (const auto& wanted : request.topics) {
    auto topic = context.services.broker.find_topic(wanted.topic);
    auto& answers = response.topics.emplace_back();
    answers.topic = wanted.topic;
    for (const auto& item : wanted.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition = item.partition;
      auto* partition = find_partition(topic, item.partition);
      answer.error_code = partition ? check_epoch(*partition, item.current_leader_epoch)
                                    : int16_t{kUnknownTopicOrPartition};
      if (answer.error_code != kNone) continue;
      std::tie(answer.leader_epoch, answer.end_offset) = partition->epoch_end(item.leader_epoch);
    }
  }
  return response;
}

}  // namespace aichemy::serve::kafka
