// The event broker: topics, partition logs, producers, consumer groups. Blocking core without a
// network; the Kafka protocol is in serve/kafka, jobs call it directly.
//
// It is one process that looks like a cluster of two brokers: copy 0 of every partition lies in
// <directory>/0 and belongs to broker id 1, copy 1 lies in <directory>/1 and belongs to broker
// id 2. A topic of replication factor 2 has both. Losing one directory leaves every such topic
// readable and writable; the tick brings it back.
//
// Durability: an append is answered once it is synced in every copy in sync (group commit,
// committer.h), unless the topic says flush.mode=relaxed. Metadata lives in
// <directory>/{0,1}/meta.json (metadata.h), committed offsets in the internal topic
// __consumer_offsets.
//
// Threads: every public function may be called from any thread and blocks at most for a metadata
// write; append() and the group calls answer through callbacks, on a thread of the broker: be quick
// in them. Life cycle: open(), use, destroy. Destruction finishes queued appends and writes
// checkpoints.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "broker/committer.h"
#include "broker/groups.h"
#include "broker/partition.h"
#include "broker/topic_config.h"
#include "runtime/disk.h"
#include "wire/schema.h"

namespace aichemy::broker {

inline constexpr const char* kOffsetsTopic = "__consumer_offsets";

// One partition as Metadata shows it. Broker ids are copy + 1.
struct PartitionView {
  int32_t leader = -1;  // -1: no copy can serve it
  int32_t leader_epoch = 0;
  std::vector<int32_t> replicas;
  std::vector<int32_t> in_sync;
  std::vector<int32_t> offline;
};

// An immutable snapshot.
struct Topic {
  std::string name;
  wire::Uuid id{};
  bool internal = false;
  ConfigMap config;  // what was set
  std::vector<std::vector<int32_t>>
      replicas;  // per partition the broker ids, the preferred one first
  std::vector<std::shared_ptr<Partition>> partitions;
};
using TopicRef = std::shared_ptr<const Topic>;

struct NewTopic {
  std::string name;
  int32_t partitions = -1;  // -1: the broker's default
  int16_t copies = -1;
  ConfigMap config;
  // Explicit replica assignment: per partition the broker ids, the preferred one first. Overrides
  // the counts.
  std::vector<std::vector<int32_t>> assignment;
};

struct Offsets {
  int64_t start = 0;
  int64_t end = 0;
};

class Broker {
 public:
  struct Options {
    std::string directory;  // absolute
    int32_t default_partitions = 1;
    int16_t default_copies = 2;
    bool auto_create_topics = true;
    int commit_threads = 4;
    bool background = true;  // false: tests call tick()
    GroupOptions groups;
  };
  static Result<std::unique_ptr<Broker>> open(Options options, Disk& disk, Clock& clock,
                                              Random& random, Metrics& metrics);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // ---- For jobs and other code in this process.
  // Errors: not_found ("no_such_topic", "no_such_partition").
  bool topic_exists(std::string_view name) const { return find_topic(name) != nullptr; }
  Result<int32_t> partition_count(std::string_view topic) const;
  Result<Offsets> offsets(std::string_view topic, int32_t partition) const;
  // Whole record batches (wire/record_batch.h), the first of which may begin below `offset`: skip
  // records before it. Empty at the end of the log. At least one batch, else up to bytes_max.
  // invalid ("offset_out_of_range").
  Result<SharedBytes> read(std::string_view topic, int32_t partition, int64_t offset,
                           uint32_t bytes_max) const;
  // One batch of wire::BatchBuilder; waits until it is durable; the offset of its first record.
  Result<int64_t> append(std::string_view topic, int32_t partition, std::string batch);
  // `waiter` is called once when the partition grows (or goes away); dropping the last reference
  // ends interest.
  Status on_change(std::string_view topic, int32_t partition, const Waiter& waiter) const;

  // ---- Topics. Errors: exists ("topic_exists"), not_found ("no_such_topic"), invalid
  // ("topic_name", "partitions", "replication_factor", "assignment", "config").
  TopicRef find_topic(std::string_view name) const;
  TopicRef find_topic(const wire::Uuid& id) const;
  std::vector<TopicRef> topics() const;  // by name
  Result<TopicRef> create_topic(const NewTopic& wanted, bool validate_only = false);
  Result<TopicRef> find_or_create_topic(std::string_view name);  // as auto_create_topics says
  Status delete_topic(std::string_view name);
  Status add_partitions(std::string_view name, int32_t total, bool validate_only = false);
  // Sets (value) or resets (none) settings.
  using ConfigChanges = std::map<std::string, std::optional<std::string>>;
  Status change_config(std::string_view name, const ConfigChanges& changes,
                       bool validate_only = false);
  PartitionView view(const Topic& topic, int32_t partition) const;

  // ---- Appends with a callback (the Kafka front). The batch's checksum must have been checked.
  void append(std::shared_ptr<Partition> partition, Append append) {
    committer_->append(std::move(partition), std::move(append));
  }

  Result<int64_t> new_producer_id();
  Groups& groups() { return *groups_; }
  const Options& options() const { return options_; }
  const std::string& cluster_id() const { return cluster_id_; }
  bool directory_online(size_t copy) const { return online_[copy].load(); }
  Result<uint64_t> free_bytes(size_t copy) const;
  std::string directory(size_t copy) const {
    return options_.directory + "/" + std::to_string(copy);
  }

  // Retention, checkpoints, copies to bring back, group timers. Called by the background thread.
  void tick();

 private:
  struct Entry {                 // what meta.json says of a partition
    std::vector<size_t> copies;  // preferred first
    std::array<bool, kCopiesMax> lost = {false, false};
  };

  Broker(Options options, Disk& disk, Clock& clock, Random& random, Metrics& metrics);

  Options options_;
  Disk& disk_;
  Clock& clock_;
  Random& random_;
  std::string cluster_id_;
  int32_t epoch_ = 0;
  std::array<std::atomic<bool>, kCopiesMax> online_{};

  mutable std::shared_mutex topics_mutex_;
  std::map<std::string, TopicRef, std::less<>> topics_;
  std::map<wire::Uuid, TopicRef> topics_by_id_;

  // Metadata as it is on disk; meta_mutex_ also orders writers. Taken before topics_mutex_.
  mutable std::mutex meta_mutex_;
  std::mutex change_mutex_;  // one change of topics at a time; taken first
  int64_t generation_ = 0;
  int64_t next_producer_id_ = 0;
  int64_t producer_ids_reserved_ = 0;
  std::map<std::string, std::vector<Entry>, std::less<>> entries_;

  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Groups> groups_;
  std::mutex tick_mutex_;
  SteadyTime next_trim_{};
  SteadyTime next_heal_{};
  std::condition_variable tick_wanted_;
  bool stopping_ = false;
  std::thread ticker_;

  // broker_meta.cc; with meta_mutex_ held
  Status load_meta(Json& meta, std::array<bool, kCopiesMax>& stale);
  Status write_meta();
  Json meta_json() const;
  Status lose_copy(Partition& partition, size_t copy);
  Status regain_copy(Partition& partition, size_t copy);
  Status open_topics(const Json& meta, const std::array<bool, kCopiesMax>& stale);

  Result<std::shared_ptr<Partition>> open_partition(const std::string& topic, int32_t index,
                                                    const Entry& entry, const ConfigMap& config);
  static std::vector<int32_t> broker_ids(const Entry& entry);
  Result<std::vector<Entry>> plan(const NewTopic& wanted) const;
  void publish_topic(TopicRef topic);
  Result<std::shared_ptr<Partition>> find_partition(std::string_view topic, int32_t index) const;
  void check_directories();
  void heal_copies();
  void run_ticker();
};

}  // namespace aichemy::broker
