// The Events page: topics, messages, consumer groups.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <future>

#include "base/bytes.h"
#include "serve/console/decoders.h"
#include "serve/console/handlers.h"
#include "serve/console/message_scan.h"
#include "serve/console/overview.h"
#include "wire/record_batch.h"

namespace aichemy::serve::console {
namespace {

constexpr int64_t kTopicsShownMax = 1000;
constexpr int64_t kMessagesMax = 500;
constexpr int64_t kWholeValueMax = 64 << 20;

broker::Broker& broker_of(Exchange& exchange) { return exchange.services().broker; }

Result<broker::TopicRef> topic_of(Exchange& exchange) {
  auto topic = broker_of(exchange).find_topic(exchange.path[0]);
  if (topic) return topic;
  return fail(Code::not_found, "no_such_topic", "there is no topic " + exchange.path[0]);
}

Json topic_json(broker::Broker& broker, const broker::Topic& topic) {
  int64_t messages = 0;
  uint64_t bytes = 0;
  bool healthy = true;
  size_t copies = 0;
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const auto& partition = *topic.partitions[i];
    messages += partition.high_watermark() - partition.log_start();
    bytes += partition.bytes();
    auto view = broker.view(topic, static_cast<int32_t>(i));
    copies = std::max(copies, view.replicas.size());
    if (view.in_sync.size() < view.replicas.size() || view.leader < 0) healthy = false;
  }
  Json out;
  out.set("name", topic.name).set("internal", topic.internal);
  out.set("partitions", static_cast<int64_t>(topic.partitions.size()));
  out.set("copies", static_cast<int64_t>(copies)).set("messages", messages);
  out.set("bytes", bytes).set("healthy", healthy);
  return out;
}

std::string ids_text(const std::vector<int32_t>& ids) {
  return fmt::format("{}", fmt::join(ids, ", "));
}

Result<int32_t> partition_number(const std::string& text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(Code::invalid, "request", "a partition is a whole number");
}

Result<int64_t> offset_number(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(Code::invalid, "request", "an offset is a whole number");
}

// What the groups' callbacks answer, waited for: this runs on a pool.
Status wait_for(const std::function<void(std::function<void(Status)>)>& start) {
  auto answered = std::make_shared<std::promise<Status>>();
  auto answer = answered->get_future();
  start([answered](Status status) { answered->set_value(std::move(status)); });
  return answer.get();
}

int64_t lag_of(broker::Broker& broker,
               const std::map<broker::TopicPartition, broker::CommittedOffset>& committed,
               std::string_view topic = {}) {
  int64_t lag = 0;
  for (const auto& [where, offset] : committed) {
    if (!topic.empty() && where.first != topic) continue;
    if (auto bounds = broker.offsets(where.first, where.second))
      lag += std::max<int64_t>(0, bounds->end - offset.offset);
  }
  return lag;
}

Json group_json(broker::Broker& broker, const std::string& name, const std::string& state,
                size_t members) {
  auto committed = broker.groups().all_committed(name);
  std::set<std::string> topics;
  for (const auto& [where, offset] : committed) topics.insert(where.first);
  Json out;
  out.set("name", name).set("state", state).set("members", static_cast<int64_t>(members));
  out.set("topics", static_cast<int64_t>(topics.size())).set("lag", lag_of(broker, committed));
  return out;
}

broker::ConfigMap config_of(const Json& body) {
  broker::ConfigMap out;
  for (const auto& [name, value] : body["config"].as_object())
    out[name] = std::string(value.as_string());
  return out;
}

Result<std::string> decoded(const Json& value, std::string_view encoding) {
  std::string text(value.as_string());
  if (encoding.empty() || encoding == "text") return text;
  if (encoding != "base64") return fail(Code::invalid, "request", "an encoding is text or base64");
  auto bytes = from_base64(text);
  if (!bytes) return fail(Code::invalid, "request", "not base64 text");
  return bytes;
}

// By key as the common partitioners do not agree; ours only has to be the same every time.
int32_t choose_partition(const std::optional<std::string>& key, int32_t count) {
  static std::atomic<uint32_t> turn{0};
  uint64_t pick = key ? std::hash<std::string>{}(*key) : turn.fetch_add(1);
  return static_cast<int32_t>(pick % static_cast<uint64_t>(count));
}

Result<int64_t> reset_target(const broker::Topic& topic, size_t partition, const Json& body) {
  broker::Partition& log = *topic.partitions[partition];
  std::string_view to = body["to"].as_string();
  int64_t value = body["value"].as_int(-1);
  if (to == "earliest") return log.log_start();
  if (to == "latest") return log.high_watermark();
  if (value < 0) return fail(Code::invalid, "request", "value is missing, or below zero");
  if (to == "offset") return std::clamp(value, log.log_start(), log.high_watermark());
  if (to != "timestamp") {
    return fail(Code::invalid, "request", "to is earliest, latest, offset or timestamp");
  }
  ASSIGN_OR_RETURN(auto found, log.find_timestamp(value));
  return found.offset < 0 ? log.high_watermark() : found.offset;
}

}  // namespace

Result<MessageFilter> message_filter(const Exchange& exchange) {
  MessageFilter filter;
  filter.text = exchange.text("search");
  std::string place = exchange.text("in", "any");
  if (place == "key") {
    filter.place = Place::key;
  } else if (place == "value") {
    filter.place = Place::value;
  } else if (place == "headers") {
    filter.place = Place::headers;
  } else if (place != "any") {
    return fail(Code::invalid, "request", "in is any, key, value or headers");
  }
  return filter;
}

Result<Answer> list_brokers(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  Json list = Json::array();
  for (size_t copy = 0; copy < 2; ++copy) {
    Json row;
    row.set("id", static_cast<int64_t>(copy + 1)).set("path", broker.directory(copy));
    row.set("online", broker.directory_online(copy));
    auto free = broker.free_bytes(copy);
    row.set("free_bytes", free ? *free : uint64_t{0});
    list.push(std::move(row));
  }
  Json out;
  out.set("brokers", std::move(list)).set("cluster_id", broker.cluster_id());
  return Answer(std::move(out));
}

Result<Answer> list_topics(Exchange& exchange) {
  std::string search = exchange.text("search");
  bool internal = exchange.text("internal") == "true";
  int64_t skip = std::max<int64_t>(0, exchange.number("offset", 0));
  int64_t most = std::clamp<int64_t>(exchange.number("limit", kTopicsShownMax), 1, kTopicsShownMax);
  Json list = Json::array();
  int64_t total = 0;
  for (const auto& topic : broker_of(exchange).topics()) {
    if (kept_aside(*topic) && !internal) continue;
    if (topic->name.find(search) == std::string::npos) continue;
    if (total >= skip && total < skip + most) list.push(topic_json(broker_of(exchange), *topic));
    ++total;
  }
  Json out;
  out.set("topics", std::move(list)).set("total", total);
  return Answer(std::move(out));
}

Result<Answer> create_topic(Exchange& exchange) {
  broker::NewTopic wanted;
  wanted.name = exchange.body["name"].as_string();
  wanted.partitions = static_cast<int32_t>(exchange.body["partitions"].as_int(-1));
  wanted.copies = static_cast<int16_t>(exchange.body["copies"].as_int(-1));
  wanted.config = config_of(exchange.body);
  ASSIGN_OR_RETURN(auto made, broker_of(exchange).create_topic(wanted));
  return Answer(Json());
}

Result<Answer> get_topic(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  ASSIGN_OR_RETURN(auto topic, topic_of(exchange));
  Json partitions = Json::array();
  for (size_t i = 0; i < topic->partitions.size(); ++i) {
    const auto& partition = *topic->partitions[i];
    auto view = broker.view(*topic, static_cast<int32_t>(i));
    Json row;
    row.set("partition", static_cast<int64_t>(i)).set("leader", view.leader);
    row.set("replicas", ids_text(view.replicas)).set("in_sync", ids_text(view.in_sync));
    row.set("start", partition.log_start()).set("end", partition.high_watermark());
    row.set("bytes", partition.bytes());
    partitions.push(std::move(row));
  }
  Json settings = Json::array();
  for (const broker::ConfigRow& config : broker::topic_config_rows()) {
    Json row;
    row.set("name", config.name).set("value", broker::config_value(topic->config, config));
    row.set("fallback", config.fallback).set("is_set", topic->config.contains(config.name));
    row.set("allowed", config.allowed).set("about", config.about);
    settings.push(std::move(row));
  }
  Json groups = Json::array();
  for (const auto& listing : broker.groups().list()) {
    auto committed = broker.groups().all_committed(listing.group);
    bool reads = std::ranges::any_of(
        committed, [&](const auto& row) { return row.first.first == topic->name; });
    if (!reads) continue;
    Json row;
    row.set("group", listing.group).set("state", listing.state);
    row.set("lag", lag_of(broker, committed, topic->name));
    groups.push(std::move(row));
  }
  Json out;
  out.set("topic", topic_json(broker, *topic)).set("partitions", std::move(partitions));
  out.set("settings", std::move(settings)).set("groups", std::move(groups));
  return Answer(std::move(out));
}

Result<Answer> change_topic(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto topic, topic_of(exchange));
  broker::Broker::ConfigChanges changes;
  for (const auto& [name, value] : exchange.body["config"].as_object()) {
    changes[name] =
        value.is_null() ? std::nullopt : std::optional<std::string>(std::string(value.as_string()));
  }
  int64_t total = exchange.body["partitions"].as_int(0);
  if (!changes.empty()) RETURN_IF_ERROR(broker_of(exchange).change_config(topic->name, changes));
  if (total > 0)
    RETURN_IF_ERROR(broker_of(exchange).add_partitions(topic->name, static_cast<int32_t>(total)));
  return Answer(Json());
}

Result<Answer> delete_topic(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto topic, topic_of(exchange));
  if (topic->internal)
    return fail(Code::denied, "internal_topic", topic->name + " belongs to the platform");
  RETURN_IF_ERROR(broker_of(exchange).delete_topic(topic->name));
  RETURN_IF_ERROR(exchange.parts.decoders.forget_topic(topic->name));
  return Answer(Json());
}

Result<Answer> purge_topic(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto topic, topic_of(exchange));
  if (topic->internal)
    return fail(Code::denied, "internal_topic", topic->name + " belongs to the platform");
  for (const auto& partition : topic->partitions) RETURN_IF_ERROR(partition->delete_before(-1));
  return Answer(Json());
}

Result<Answer> list_messages(Exchange& exchange) {
  MessageRequest request;
  request.topic = exchange.path[0];
  if (exchange.query.contains("partition"))
    request.partition = static_cast<int32_t>(exchange.number("partition", 0));
  request.from = exchange.text("from", "latest");
  request.value = exchange.number("value", 0);
  request.messages_max =
      static_cast<size_t>(std::clamp<int64_t>(exchange.number("limit", 100), 1, kMessagesMax));
  ASSIGN_OR_RETURN(request.filter, message_filter(exchange));
  request.cursor = exchange.text("cursor");
  ASSIGN_OR_RETURN(auto page, scan_messages(exchange.call, broker_of(exchange),
                                            exchange.services().clock, request));
  Json out;
  out.set("messages", Json(std::move(page.messages))).set("scanned", page.scanned);
  if (!page.cursor.empty()) out.set("cursor", page.cursor);
  return Answer(std::move(out));
}

Result<Answer> get_message(Exchange& exchange) {
  ASSIGN_OR_RETURN(int32_t partition, partition_number(exchange.path[1]));
  ASSIGN_OR_RETURN(int64_t offset, offset_number(exchange.path[2]));
  auto most = std::clamp<int64_t>(exchange.number("bytes", kWholeValueMax), 0, kWholeValueMax);
  ASSIGN_OR_RETURN(Json message, find_message(broker_of(exchange), exchange.path[0], partition,
                                              offset, static_cast<size_t>(most)));
  return Answer(std::move(message));
}

Result<Answer> produce_message(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  ASSIGN_OR_RETURN(auto topic, topic_of(exchange));
  if (topic->internal)
    return fail(Code::denied, "internal_topic", topic->name + " belongs to the platform");
  const Json& body = exchange.body;
  std::string_view both = body["encoding"].as_string();
  std::optional<std::string> key, value;
  if (body["key"].is_string()) {
    ASSIGN_OR_RETURN(key, decoded(body["key"], body["key_encoding"].as_string(both)));
  }
  if (body["value"].is_string()) {
    ASSIGN_OR_RETURN(value, decoded(body["value"], body["value_encoding"].as_string(both)));
  }
  std::vector<std::pair<std::string, std::optional<std::string>>> kept;
  for (const Json& header : body["headers"].as_array()) {
    std::optional<std::string> bytes;
    if (header["value"].is_string()) {
      ASSIGN_OR_RETURN(bytes, decoded(header["value"], header["encoding"].as_string()));
    }
    kept.emplace_back(header["key"].as_string(), std::move(bytes));
  }
  std::vector<wire::RecordHeader> headers(kept.begin(), kept.end());
  auto count = static_cast<int32_t>(topic->partitions.size());
  auto partition = static_cast<int32_t>(body["partition"].as_int(choose_partition(key, count)));
  auto config = broker::parse_topic_config(topic->config);
  wire::BatchBuilder builder;
  builder.add(exchange.services().clock.wall_millis(), key, value, headers);
  if (static_cast<int64_t>(builder.bytes()) > config.message_bytes_max) {
    return fail(Code::invalid, "message_too_large",
                fmt::format("the message has {} bytes, and max.message.bytes of {} is {}",
                            builder.bytes(), topic->name, config.message_bytes_max));
  }
  ASSIGN_OR_RETURN(std::string batch, builder.finish());
  ASSIGN_OR_RETURN(int64_t offset, broker.append(topic->name, partition, std::move(batch)));
  Json out;
  out.set("partition", partition).set("offset", offset);
  return Answer(std::move(out));
}

Result<Answer> list_groups(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  Json list = Json::array();
  for (const auto& listing : broker.groups().list()) {
    size_t members = broker.groups().describe(listing.group).members.size();
    list.push(group_json(broker, listing.group, listing.state, members));
  }
  return Answer(Json().set("groups", std::move(list)));
}

Result<Answer> get_group(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  const std::string& name = exchange.path[0];
  auto all = broker.groups().list();
  if (std::ranges::find(all, name, &broker::GroupListing::group) == all.end())
    return fail(Code::not_found, "group_not_found", "there is no group " + name);
  auto described = broker.groups().describe(name);
  Json members = Json::array();
  for (const auto& member : described.members) {
    Json row;
    row.set("id", member.member_id).set("client", member.client_id).set("host", member.client_host);
    members.push(std::move(row));
  }
  Json offsets = Json::array();
  for (const auto& [where, committed] : broker.groups().all_committed(name)) {
    Json row;
    row.set("topic", where.first).set("partition", where.second);
    auto bounds = broker.offsets(where.first, where.second);
    if (!bounds) continue;  // the topic went away
    row.set("committed", committed.offset).set("start", bounds->start).set("end", bounds->end);
    row.set("lag", std::max<int64_t>(0, bounds->end - committed.offset));
    offsets.push(std::move(row));
  }
  Json out;
  out.set("group", group_json(broker, name, described.state, described.members.size()));
  out.set("protocol", described.protocol).set("members", std::move(members));
  out.set("offsets", std::move(offsets));
  return Answer(std::move(out));
}

Result<Answer> delete_group(Exchange& exchange) {
  RETURN_IF_ERROR(wait_for([&](std::function<void(Status)> done) {
    Status refused = broker_of(exchange).groups().remove(exchange.path[0], done);
    if (!refused) done(refused);
  }));
  return Answer(Json());
}

Result<Answer> reset_offsets(Exchange& exchange) {
  broker::Broker& broker = broker_of(exchange);
  std::string topic_name(exchange.body["topic"].as_string());
  auto topic = broker.find_topic(topic_name);
  if (!topic) return fail(Code::not_found, "no_such_topic", "there is no topic " + topic_name);
  auto known = broker.groups().list();
  if (std::ranges::find(known, exchange.path[0], &broker::GroupListing::group) == known.end())
    return fail(Code::not_found, "group_not_found", "there is no group " + exchange.path[0]);
  int64_t only = exchange.body["partition"].as_int(-1);
  std::map<broker::TopicPartition, broker::CommittedOffset> offsets;
  for (size_t i = 0; i < topic->partitions.size(); ++i) {
    if (only >= 0 && static_cast<size_t>(only) != i) continue;
    broker::CommittedOffset place;
    ASSIGN_OR_RETURN(place.offset, reset_target(*topic, i, exchange.body));
    place.commit_millis = exchange.services().clock.wall_millis();
    offsets[{topic->name, static_cast<int32_t>(i)}] = place;
  }
  if (offsets.empty())
    return fail(Code::not_found, "no_such_partition", "the topic has no such partition");
  broker::MemberRef outside;
  outside.group = exchange.path[0];
  Status moved = wait_for(
      [&](std::function<void(Status)> done) { broker.groups().commit(outside, offsets, done); });
  if (!moved && moved.error().is("unknown_member")) {
    return fail(Code::conflict, "group_not_empty",
                "the group has members: stop its consumers first, then move it");
  }
  if (!moved) return std::unexpected(moved.error());
  return Answer(Json());
}

}  // namespace aichemy::serve::console
