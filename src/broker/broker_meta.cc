// meta.json: topics, settings, which copies are in sync, epochs. The same text in both directories;
// the one with the higher generation is the truth, and a directory that missed a generation has
// missed writes as well.
#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "broker/broker.h"

namespace aichemy::broker {
namespace {

constexpr int64_t kProducerIdBlock = 1000;

std::string meta_path(const std::string& directory) { return directory + "/meta.json"; }

}  // namespace

Status Broker::load_meta(Json& meta, std::array<bool, kCopiesMax>& stale) {
  std::array<int64_t, kCopiesMax> generations{};
  bool any = false;
  bool broken = false;
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    Status made = disk_.make_directories(directory(copy));
    if (!made) {
      log_error("an event directory cannot be used",
                {{"directory", directory(copy)}, {"error", made.error().message}});
      stale[copy] = true;
      continue;
    }
    online_[copy] = true;
    auto text = disk_.read_file(meta_path(directory(copy)));
    if (!text) {
      if (text.error().code != Code::not_found) broken = true;
      continue;
    }
    auto json = Json::parse(*text);
    if (!json) {
      broken = true;
      continue;
    }
    generations[copy] = (*json)["generation"].as_int();
    if (generations[copy] > generation_) {
      generation_ = generations[copy];
      meta = std::move(*json);
      any = true;
    }
  }
  if (!any && broken) {
    return fail(Code::corrupt, "meta",
                "no readable meta.json in " + options_.directory + "; restore one of the copies");
  }
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (any && generations[copy] < generation_) stale[copy] = true;
  }
  return {};
}

Json Broker::meta_json() const {
  Json topics = Json::array();
  std::shared_lock lock(topics_mutex_);
  for (const auto& [name, entries] : entries_) {
    auto topic = topics_.find(name);
    if (topic == topics_.end()) continue;
    Json config = Json::object();
    for (const auto& [key, value] : topic->second->config) config.set(key, value);
    Json partitions = Json::array();
    for (const Entry& entry : entries) {
      Json copies = Json::array();
      Json lost = Json::array();
      for (size_t copy : entry.copies) copies.push(static_cast<int64_t>(copy));
      for (size_t copy = 0; copy < kCopiesMax; ++copy) {
        if (entry.lost[copy]) lost.push(static_cast<int64_t>(copy));
      }
      partitions.push(Json::object().set("copies", std::move(copies)).set("lost", std::move(lost)));
    }
    const wire::Uuid& id = topic->second->id;
    topics.push(Json::object()
                    .set("name", name)
                    .set("id", to_hex(std::string_view(reinterpret_cast<const char*>(id.data()),
                                                       id.size())))
                    .set("config", std::move(config))
                    .set("partitions", std::move(partitions)));
  }
  return Json::object()
      .set("format", int64_t{1})
      .set("generation", generation_)
      .set("cluster_id", cluster_id_)
      .set("epoch", int64_t{epoch_})
      .set("producer_ids_reserved", producer_ids_reserved_)
      .set("topics", std::move(topics));
}

Status Broker::write_meta() {
  ++generation_;
  std::string text = meta_json().dump_pretty();
  Status last = fail(Code::unavailable, "storage", "no event directory can be written");
  int written = 0;
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!online_[copy]) continue;
    Status put = disk_.replace_file(meta_path(directory(copy)), text);
    if (put) {
      ++written;
    } else {
      last = put;
    }
  }
  return written > 0 ? Status{} : last;
}

Status Broker::lose_copy(Partition& partition, size_t copy) {
  std::lock_guard lock(meta_mutex_);
  auto found = entries_.find(partition.topic());
  if (found == entries_.end() || static_cast<size_t>(partition.index()) >= found->second.size()) {
    return fail(Code::unavailable, "storage", "the topic is not complete yet");
  }
  bool& lost = found->second[static_cast<size_t>(partition.index())].lost[copy];
  if (lost) return {};
  lost = true;
  Status written = write_meta();
  if (!written) lost = false;
  return written;
}

Status Broker::regain_copy(Partition& partition, size_t copy) {
  std::lock_guard lock(meta_mutex_);
  auto found = entries_.find(partition.topic());
  if (found == entries_.end())
    return fail(Code::not_found, "no_such_topic", "the topic was deleted");
  bool& lost = found->second[static_cast<size_t>(partition.index())].lost[copy];
  lost = false;
  Status written = write_meta();
  if (!written) lost = true;
  return written;
}

Status Broker::open_topics(const Json& meta, const std::array<bool, kCopiesMax>& stale) {
  for (const Json& item : meta["topics"].as_array()) {
    ASSIGN_OR_RETURN(std::string name, item.string_at("name"));
    auto topic = std::make_shared<Topic>();
    topic->name = name;
    topic->internal = name == kOffsetsTopic;
    ASSIGN_OR_RETURN(std::string id, item.string_at("id"));
    auto bytes = from_hex(id);
    if (bytes && bytes->size() == topic->id.size())
      std::copy(bytes->begin(), bytes->end(), topic->id.begin());
    for (const auto& [key, value] : item["config"].as_object())
      topic->config[key] = value.as_string();
    std::vector<Entry>& entries = entries_[name];
    for (const Json& partition : item["partitions"].as_array()) {
      Entry entry;
      for (const Json& copy : partition["copies"].as_array()) {
        entry.copies.push_back(static_cast<size_t>(copy.as_int()) % kCopiesMax);
      }
      for (const Json& copy : partition["lost"].as_array()) {
        entry.lost[static_cast<size_t>(copy.as_int()) % kCopiesMax] = true;
      }
      if (entry.copies.size() > 1) {
        for (size_t copy = 0; copy < kCopiesMax; ++copy)
          entry.lost[copy] = entry.lost[copy] || stale[copy];
      }
      topic->replicas.push_back(broker_ids(entry));
      entries.push_back(std::move(entry));
    }
    topics_[name] = topic;  // known to write_meta before its partitions open
    for (size_t i = 0; i < entries.size(); ++i) {
      ASSIGN_OR_RETURN(auto partition,
                       open_partition(name, static_cast<int32_t>(i), entries[i], topic->config));
      topic->partitions.push_back(std::move(partition));
    }
    publish_topic(topic);
  }
  return {};
}

Result<int64_t> Broker::new_producer_id() {
  std::lock_guard lock(meta_mutex_);
  if (next_producer_id_ >= producer_ids_reserved_) {
    producer_ids_reserved_ = next_producer_id_ + kProducerIdBlock;
    if (Status written = write_meta(); !written) {
      producer_ids_reserved_ = next_producer_id_;
      return std::unexpected(written.error());
    }
  }
  return next_producer_id_++;
}

}  // namespace aichemy::broker
