#include "broker/broker.h"

#include <pthread.h>

#include <algorithm>
#include <future>

#include "base/json.h"
#include "base/log.h"

namespace aichemy::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto kTickEvery = 100ms;
constexpr auto kTrimEvery = 30s;
constexpr auto kHealEvery = 1s;
constexpr int32_t kPartitionsMax = 10'000;
constexpr uint64_t kOffsetsLogBytes = 16 << 20;  // above it the offsets topic is written anew

std::unexpected<Error> no_topic(std::string_view name) {
  return fail(Code::not_found, "no_such_topic", "there is no topic " + std::string(name));
}

Status check_topic_name(std::string_view name) {
  bool good = !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
              std::all_of(name.begin(), name.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
              });
  if (good) return {};
  return fail(
      Code::invalid, "topic_name",
      "a topic name has 1 to 249 letters, digits, '.', '_' and '-', and is not '.' or '..'");
}

}  // namespace

Broker::Broker(Options options, Disk& disk, Clock& clock, Random& random, Metrics& metrics)
    : options_(std::move(options)),
      disk_(disk),
      clock_(clock),
      random_(random),
      committer_(
          std::make_unique<Committer>(Committer::Options{options_.commit_threads}, metrics)) {}

Result<std::unique_ptr<Broker>> Broker::open(Options options, Disk& disk, Clock& clock,
                                             Random& random, Metrics& metrics) {
  std::unique_ptr<Broker> broker(new Broker(std::move(options), disk, clock, random, metrics));
  Json meta;
  std::array<bool, kCopiesMax> stale{};
  RETURN_IF_ERROR(broker->load_meta(meta, stale));
  broker->cluster_id_ = meta["cluster_id"].is_string() ? std::string(meta["cluster_id"].as_string())
                                                       : to_base64url(random.bytes(16));
  broker->epoch_ = static_cast<int32_t>(meta["epoch"].as_int()) + 1;
  broker->next_producer_id_ = broker->producer_ids_reserved_ =
      meta["producer_ids_reserved"].as_int();
  RETURN_IF_ERROR(broker->open_topics(meta, stale));
  {
    std::lock_guard lock(broker->meta_mutex_);
    RETURN_IF_ERROR(
        broker->write_meta());  // this process's epoch, before anything is written under it
  }
  if (!broker->find_topic(kOffsetsTopic)) {
    NewTopic offsets{kOffsetsTopic, 1, static_cast<int16_t>(kCopiesMax), {}, {}};
    offsets.config = {{"cleanup.policy", "compact"}, {"segment.bytes", "4194304"}};
    RETURN_IF_ERROR(broker->create_topic(offsets));
  }
  auto* raw = broker.get();
  auto log = broker->find_topic(kOffsetsTopic)->partitions.at(0);
  broker->groups_ = std::make_unique<Groups>(
      broker->options_.groups, clock, random,
      [raw, log](std::string batch, std::function<void(Status)> done) {
        auto header = wire::read_batch_header(batch);
        if (!header) return done(std::unexpected(header.error()));
        raw->append(
            log, {SharedBytes(std::move(batch)), *header, false, [done](Result<Appended> result) {
                    done(result ? Status{} : Status(std::unexpected(result.error())));
                  }});
      });
  for (int64_t offset = log->log_start(); offset < log->high_watermark();) {
    ASSIGN_OR_RETURN(SharedBytes bytes, broker->read(kOffsetsTopic, 0, offset, 1 << 20));
    std::string_view left = bytes.view();
    while (!left.empty()) {
      ASSIGN_OR_RETURN(wire::BatchHeader header, wire::read_batch_header(left));
      if (header.bytes() > left.size())
        return fail(Code::corrupt, "batch", "the offsets log is damaged");
      broker->groups_->replay(left.substr(0, header.bytes()));
      offset = header.next_offset();
      left.remove_prefix(header.bytes());
    }
  }
  if (broker->options_.background) {
    broker->ticker_ = std::thread([raw] {
      pthread_setname_np(pthread_self(), "log-tick");
      raw->run_ticker();
    });
  }
  return broker;
}

Broker::~Broker() {
  {
    std::lock_guard lock(tick_mutex_);
    stopping_ = true;
    tick_wanted_.notify_all();
  }
  if (ticker_.joinable()) ticker_.join();
  committer_.reset();
  for (const TopicRef& topic : topics()) {
    for (const auto& partition : topic->partitions) partition->finish();
  }
}

Result<std::shared_ptr<Partition>> Broker::open_partition(const std::string& topic, int32_t index,
                                                          const Entry& entry,
                                                          const ConfigMap& config) {
  Partition::Options options;
  options.topic = topic;
  options.index = index;
  options.leader_epoch = epoch_;
  options.config = parse_topic_config(config);
  options.out_of_sync = entry.lost;
  options.lose_copy = [this](Partition& partition, size_t copy) {
    return lose_copy(partition, copy);
  };
  options.regain_copy = [this](Partition& partition, size_t copy) {
    return regain_copy(partition, copy);
  };
  for (size_t copy : entry.copies) {
    options.directories[copy] = directory(copy) + "/" + topic + "-" + std::to_string(index);
  }
  return Partition::open(std::move(options), disk_, clock_);
}

void Broker::publish_topic(TopicRef topic) {
  std::unique_lock lock(topics_mutex_);
  topics_by_id_[topic->id] = topic;
  topics_[topic->name] = std::move(topic);
}

TopicRef Broker::find_topic(std::string_view name) const {
  std::shared_lock lock(topics_mutex_);
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

TopicRef Broker::find_topic(const wire::Uuid& id) const {
  std::shared_lock lock(topics_mutex_);
  auto found = topics_by_id_.find(id);
  return found == topics_by_id_.end() ? nullptr : found->second;
}

std::vector<TopicRef> Broker::topics() const {
  std::shared_lock lock(topics_mutex_);
  std::vector<TopicRef> all;
  for (const auto& [name, topic] : topics_) all.push_back(topic);
  return all;
}

Result<std::shared_ptr<Partition>> Broker::find_partition(std::string_view name,
                                                          int32_t index) const {
  TopicRef topic = find_topic(name);
  if (!topic) return no_topic(name);
  if (index < 0 || static_cast<size_t>(index) >= topic->partitions.size()) {
    return fail(
        Code::not_found, "no_such_partition",
        std::string(name) + " has " + std::to_string(topic->partitions.size()) + " partitions");
  }
  return topic->partitions[static_cast<size_t>(index)];
}

Result<int32_t> Broker::partition_count(std::string_view name) const {
  TopicRef topic = find_topic(name);
  if (!topic) return no_topic(name);
  return static_cast<int32_t>(topic->partitions.size());
}

Result<Offsets> Broker::offsets(std::string_view topic, int32_t index) const {
  ASSIGN_OR_RETURN(auto partition, find_partition(topic, index));
  return Offsets{partition->log_start(), partition->high_watermark()};
}

Result<SharedBytes> Broker::read(std::string_view topic, int32_t index, int64_t offset,
                                 uint32_t bytes_max) const {
  ASSIGN_OR_RETURN(auto partition, find_partition(topic, index));
  ASSIGN_OR_RETURN(ReadResult found, partition->read(offset, bytes_max));
  std::string bytes(found.slice.bytes, '\0');
  if (bytes.empty()) return SharedBytes();
  ASSIGN_OR_RETURN(size_t got,
                   found.slice.file->read_at(found.slice.position, bytes.data(), bytes.size()));
  if (got != bytes.size())
    return fail(Code::corrupt, "segment", "a segment is shorter than it should be");
  return SharedBytes(std::move(bytes));
}

Result<int64_t> Broker::append(std::string_view topic, int32_t index, std::string batch) {
  ASSIGN_OR_RETURN(auto partition, find_partition(topic, index));
  ASSIGN_OR_RETURN(wire::BatchHeader header, wire::check_batch(batch));
  auto done = std::make_shared<std::promise<Result<Appended>>>();
  auto result = done->get_future();
  append(partition,
         Append{SharedBytes(std::move(batch)), header, true,
                [done](Result<Appended> appended) { done->set_value(std::move(appended)); }});
  ASSIGN_OR_RETURN(Appended appended, result.get());
  return appended.base_offset;
}

Status Broker::on_change(std::string_view topic, int32_t index, const Waiter& waiter) const {
  ASSIGN_OR_RETURN(auto partition, find_partition(topic, index));
  partition->on_change(waiter);
  return {};
}

std::vector<int32_t> Broker::broker_ids(const Entry& entry) {
  std::vector<int32_t> ids;
  for (size_t copy : entry.copies) ids.push_back(static_cast<int32_t>(copy) + 1);
  return ids;
}

Result<std::vector<Broker::Entry>> Broker::plan(const NewTopic& wanted) const {
  std::vector<Entry> entries;
  auto push = [&](std::vector<size_t> copies) {
    Entry entry;
    entry.copies = std::move(copies);
    for (size_t copy : entry.copies) entry.lost[copy] = !online_[copy] && entry.copies.size() > 1;
    entries.push_back(std::move(entry));
  };
  for (const auto& brokers : wanted.assignment) {
    std::vector<size_t> copies;
    for (int32_t broker : brokers) {
      if (broker < 1 || broker > static_cast<int32_t>(kCopiesMax) ||
          std::find(copies.begin(), copies.end(), static_cast<size_t>(broker - 1)) !=
              copies.end()) {
        return fail(Code::invalid, "assignment", "replicas are broker ids 1 and 2, each once");
      }
      copies.push_back(static_cast<size_t>(broker - 1));
    }
    if (copies.empty()) return fail(Code::invalid, "assignment", "a partition needs a replica");
    push(std::move(copies));
  }
  if (!wanted.assignment.empty()) return entries;
  int32_t partitions = wanted.partitions == -1 ? options_.default_partitions : wanted.partitions;
  int16_t copies = wanted.copies == -1 ? options_.default_copies : wanted.copies;
  if (partitions < 1 || partitions > kPartitionsMax) {
    return fail(Code::invalid, "partitions",
                "the number of partitions must be from 1 to " + std::to_string(kPartitionsMax));
  }
  if (copies < 1 || copies > static_cast<int16_t>(kCopiesMax)) {
    return fail(Code::invalid, "replication_factor",
                "the replication factor must be 1 or 2: there are 2 brokers");
  }
  // A topic's first partition begins at either broker, so that single-partition topics spread as
  // well.
  size_t first = std::hash<std::string>()(wanted.name) % kCopiesMax;
  for (int32_t i = 0; i < partitions; ++i) {
    size_t preferred = (first + static_cast<size_t>(i)) % kCopiesMax;
    if (copies == 1 && !online_[preferred]) preferred = 1 - preferred;
    push(copies == 1 ? std::vector<size_t>{preferred}
                     : std::vector<size_t>{preferred, 1 - preferred});
  }
  return entries;
}

Result<TopicRef> Broker::create_topic(const NewTopic& wanted, bool validate_only) {
  RETURN_IF_ERROR(check_topic_name(wanted.name));
  for (const auto& [key, value] : wanted.config) RETURN_IF_ERROR(check_topic_config(key, value));
  ASSIGN_OR_RETURN(std::vector<Entry> entries, plan(wanted));
  auto topic = std::make_shared<Topic>();
  topic->name = wanted.name;
  topic->internal = wanted.name == kOffsetsTopic;
  topic->config = wanted.config;
  for (const Entry& entry : entries) topic->replicas.push_back(broker_ids(entry));
  random_.fill(reinterpret_cast<char*>(topic->id.data()), topic->id.size());
  std::lock_guard changes(change_mutex_);
  if (find_topic(wanted.name)) {
    return fail(Code::exists, "topic_exists", "Topic '" + wanted.name + "' already exists.");
  }
  if (validate_only) {
    topic->partitions.resize(entries.size());
    return topic;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    for (size_t copy :
         entries[i].copies) {  // what a deleted topic of that name may have left behind
      if (!online_[copy]) continue;
      RETURN_IF_ERROR(
          disk_.remove_all(directory(copy) + "/" + wanted.name + "-" + std::to_string(i)));
    }
    ASSIGN_OR_RETURN(auto partition, open_partition(wanted.name, static_cast<int32_t>(i),
                                                    entries[i], wanted.config));
    if (partition->copies_in_sync() == 0) {
      return fail(Code::unavailable, "storage", "no copy of the topic can be written");
    }
    topic->partitions.push_back(std::move(partition));
  }
  std::lock_guard lock(meta_mutex_);
  entries_[wanted.name] = std::move(entries);
  publish_topic(topic);
  if (Status written = write_meta(); !written) {
    entries_.erase(wanted.name);
    std::unique_lock topics_lock(topics_mutex_);
    topics_.erase(wanted.name);
    topics_by_id_.erase(topic->id);
    return std::unexpected(written.error());
  }
  return topic;
}

Result<TopicRef> Broker::find_or_create_topic(std::string_view name) {
  if (TopicRef topic = find_topic(name)) return topic;
  if (!options_.auto_create_topics) return no_topic(name);
  auto created = create_topic({std::string(name), -1, -1, {}, {}});
  if (!created && created.error().code == Code::exists) {  // somebody else was quicker
    if (TopicRef topic = find_topic(name)) return topic;
  }
  return created;
}

Status Broker::delete_topic(std::string_view name) {
  std::lock_guard changes(change_mutex_);
  TopicRef topic = find_topic(name);
  if (!topic) return no_topic(name);
  if (topic->internal)
    return fail(Code::denied, "internal_topic", "an internal topic cannot be deleted");
  {
    std::lock_guard lock(meta_mutex_);
    auto kept = entries_.extract(topic->name);
    {
      std::unique_lock topics_lock(topics_mutex_);
      topics_.erase(topic->name);
      topics_by_id_.erase(topic->id);
    }
    if (Status written = write_meta(); !written) {
      entries_.insert(std::move(kept));
      publish_topic(topic);
      return written;
    }
  }
  groups_->forget_topic(topic->name);
  for (const auto& partition : topic->partitions) {
    partition->close();
    Status removed =
        committer_->exclusive(*partition, [&]() -> Status {  // after the round that may be running
          for (size_t copy = 0; copy < kCopiesMax; ++copy) {
            if (!partition->has_copy(copy) || !online_[copy]) continue;
            RETURN_IF_ERROR(disk_.remove_all(directory(copy) + "/" + topic->name + "-" +
                                             std::to_string(partition->index())));
          }
          return {};
        });
    if (!removed)
      log_warn("files of a deleted topic remain",
               {{"topic", topic->name}, {"error", removed.error().message}});
  }
  return {};
}

Status Broker::add_partitions(std::string_view name, int32_t total, bool validate_only) {
  std::lock_guard changes(change_mutex_);
  TopicRef topic = find_topic(name);
  if (!topic) return no_topic(name);
  auto have = static_cast<int32_t>(topic->partitions.size());
  if (total <= have || total > kPartitionsMax) {
    return fail(Code::invalid, "partitions",
                "Topic currently has " + std::to_string(have) + " partitions, which is not below " +
                    std::to_string(total) + ".");
  }
  ASSIGN_OR_RETURN(auto planned, plan({std::string(name),
                                       total,
                                       static_cast<int16_t>(topic->replicas.front().size()),
                                       {},
                                       {}}));
  if (validate_only) return {};
  auto grown = std::make_shared<Topic>(*topic);
  for (int32_t i = have; i < total; ++i) {
    ASSIGN_OR_RETURN(auto partition, open_partition(topic->name, i, planned[static_cast<size_t>(i)],
                                                    topic->config));
    grown->partitions.push_back(std::move(partition));
    grown->replicas.push_back(broker_ids(planned[static_cast<size_t>(i)]));
  }
  std::lock_guard lock(meta_mutex_);
  std::vector<Entry>& entries = entries_[topic->name];
  size_t before = entries.size();
  for (size_t i = before; i < planned.size(); ++i) entries.push_back(planned[i]);
  Status written = write_meta();
  if (!written) {
    entries.resize(before);
    return written;
  }
  publish_topic(grown);
  return {};
}

Status Broker::change_config(std::string_view name, const ConfigChanges& config,
                             bool validate_only) {
  std::lock_guard changes(change_mutex_);
  TopicRef topic = find_topic(name);
  if (!topic) return no_topic(name);
  auto changed = std::make_shared<Topic>(*topic);
  for (const auto& [key, value] : config) {
    const ConfigRow* row = find_topic_config(key);
    RETURN_IF_ERROR(check_topic_config(key, value ? *value : row ? row->fallback : ""));
    if (value) {
      changed->config[key] = *value;
    } else {
      changed->config.erase(key);
    }
  }
  if (validate_only) return {};
  std::lock_guard lock(meta_mutex_);
  publish_topic(changed);
  if (Status written = write_meta(); !written) {
    publish_topic(topic);
    return written;
  }
  TopicConfig parsed = parse_topic_config(changed->config);
  for (const auto& partition : changed->partitions) partition->apply(parsed);
  return {};
}

PartitionView Broker::view(const Topic& topic, int32_t index) const {
  PartitionView view;
  const Partition& partition = *topic.partitions[static_cast<size_t>(index)];
  view.leader_epoch = partition.leader_epoch();
  view.replicas = topic.replicas[static_cast<size_t>(index)];
  for (int32_t broker : view.replicas) {
    (partition.in_sync(static_cast<size_t>(broker - 1)) ? view.in_sync : view.offline)
        .push_back(broker);
  }
  if (!view.in_sync.empty()) view.leader = view.in_sync.front();
  return view;
}

Result<uint64_t> Broker::free_bytes(size_t copy) const { return disk_.free_bytes(directory(copy)); }

// A directory that vanished while we run: its open files still take writes that nobody will ever
// find.
void Broker::check_directories() {
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    auto there = disk_.exists(directory(copy) + "/meta.json");
    bool usable = there && *there;
    if (usable == online_[copy]) continue;
    if (!usable) {
      log_error("an event directory is gone; going on with the other",
                {{"directory", directory(copy)}});
      online_[copy] = false;
      for (const TopicRef& topic : topics()) {
        for (const auto& partition : topic->partitions) {
          if (!partition->has_copy(copy)) continue;
          if (partition->has_copy(1 - copy)) {
            partition->drop_copy(copy);
            (void)lose_copy(*partition, copy);
          } else {
            partition->drop_copy(copy);
          }
        }
      }
    }
  }
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (online_[copy] || !disk_.make_directories(directory(copy))) continue;
    std::lock_guard lock(meta_mutex_);
    online_[copy] = true;
    if (!write_meta() || !disk_.exists(directory(copy) + "/meta.json").value_or(false))
      online_[copy] = false;
  }
}

void Broker::heal_copies() {
  for (const TopicRef& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      for (size_t copy = 0; copy < kCopiesMax; ++copy) {
        if (!partition->has_copy(copy) || partition->in_sync(copy) || !online_[copy] ||
            partition->closed())
          continue;
        Status healed = partition->heal(copy, [&](std::function<Status()> work) {
          return committer_->exclusive(*partition, std::move(work));
        });
        if (!healed) {
          log_warn("a copy cannot be brought back yet",
                   {{"topic", topic->name}, {"error", healed.error().message}});
        }
      }
    }
  }
}

void Broker::tick() {
  groups_->tick();
  SteadyTime now = clock_.steady_now();
  if (now >= next_heal_) {
    next_heal_ = now + kHealEvery;
    check_directories();
    heal_copies();
  }
  bool trim = now >= next_trim_;
  if (trim) next_trim_ = now + kTrimEvery;
  for (const TopicRef& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      if (partition->closed()) continue;
      Status done = trim ? partition->trim(clock_.wall_millis()) : Status{};
      if (done) done = partition->checkpoint(false);
      if (!done)
        log_warn("upkeep of a partition failed",
                 {{"topic", topic->name}, {"error", done.error().message}});
    }
  }
  auto log = find_topic(kOffsetsTopic)->partitions.at(0);
  if (trim && log->bytes() > kOffsetsLogBytes) {
    int64_t end = log->high_watermark();
    bool complete = true;
    (void)committer_->exclusive(
        *log, [] { return Status{}; });  // every commit below `end` is in memory now
    for (std::string& batch : groups_->snapshot())
      complete = complete && append(kOffsetsTopic, 0, std::move(batch));
    if (complete) (void)log->delete_before(end);
  }
}

void Broker::run_ticker() {
  std::unique_lock lock(tick_mutex_);
  while (!stopping_) {
    tick_wanted_.wait_for(lock, kTickEvery);
    if (stopping_) return;
    lock.unlock();
    tick();
    lock.lock();
  }
}

}  // namespace aichemy::broker
