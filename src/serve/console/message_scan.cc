#include "serve/console/message_scan.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "wire/record_batch.h"

namespace aichemy::serve::console {
namespace {

constexpr uint32_t kReadBytes = 4 << 20;
constexpr size_t kValueShownMax = 4 << 10;
constexpr int64_t kWindowFirst = 2'000, kWindowMax = 200'000;

bool contains(std::string_view bytes, std::string_view needle) {
  return ::memmem(bytes.data(), bytes.size(), needle.data(), needle.size()) != nullptr;
}

// Text when it is text; the cut never splits a character.
std::pair<std::string, const char*> shown(std::string_view bytes, size_t max) {
  std::string_view part = bytes.substr(0, max);
  if (part.size() < bytes.size()) {
    while (!part.empty() && (static_cast<unsigned char>(bytes[part.size()]) & 0xC0) == 0x80)
      part.remove_suffix(1);
  }
  if (is_valid_utf8(part)) return {std::string(part), "text"};
  return {to_base64(bytes.substr(0, max)), "base64"};
}

Json message_json(int32_t partition, const wire::Record& record, size_t value_max) {
  Json out;
  out.set("partition", partition).set("offset", record.offset);
  out.set("timestamp_millis", record.timestamp);
  auto put = [&](const char* name, const char* encoding, std::optional<std::string_view> bytes) {
    if (!bytes) {
      out.set(name, nullptr).set(encoding, "text");
      return;
    }
    auto [text, kind] = shown(*bytes, value_max);
    out.set(name, std::move(text)).set(encoding, kind);
  };
  put("key", "key_encoding", record.key);
  put("value", "value_encoding", record.value);
  uint64_t bytes = record.value ? record.value->size() : 0;
  out.set("value_bytes", bytes).set("truncated", bytes > value_max);
  Json headers = Json::array();
  if (auto list = wire::read_record_headers(record.headers)) {
    for (const auto& [name, value] : *list) {
      Json one;
      one.set("key", shown(name, kValueShownMax).first);
      if (value) {
        auto [text, kind] = shown(*value, kValueShownMax);
        one.set("value", std::move(text)).set("encoding", kind);
      } else {
        one.set("value", nullptr).set("encoding", "text");
      }
      headers.push(std::move(one));
    }
  }
  out.set("headers", std::move(headers));
  return out;
}

bool fits(const wire::Record& record, const MessageFilter& filter) {
  if (filter.text.empty()) return true;
  Place place = filter.place;
  bool any = place == Place::any;
  if ((any || place == Place::key) && record.key && contains(*record.key, filter.text)) return true;
  if ((any || place == Place::value) && record.value && contains(*record.value, filter.text))
    return true;
  return (any || place == Place::headers) && contains(record.headers, filter.text);
}

struct Found {
  int64_t timestamp = 0;
  int32_t partition = 0;
  int64_t offset = 0;
  Json message;
};

// The records of one batch in [from, to) that fit. A batch whose bytes do not hold the text is not
// taken apart.
Status search_batch(std::string_view batch, const wire::BatchHeader& header, int32_t partition,
                    int64_t from, int64_t to, const MessageFilter& filter,
                    std::vector<Found>& found, uint64_t& scanned) {
  if (header.is_control()) return {};
  if (!filter.text.empty()) {
    std::string_view packed = batch.substr(wire::kBatchHeaderBytes);
    std::string plain;
    if (header.codec() != wire::Codec::none) {
      ASSIGN_OR_RETURN(plain,
                       wire::decompress(header.codec(), packed, wire::kDecompressedBytesMax));
      packed = plain;
    }
    if (!contains(packed, filter.text)) {
      int64_t first = std::max(from, header.base_offset);
      scanned += static_cast<uint64_t>(
          std::max<int64_t>(0, std::min({to, header.next_offset(), first + header.count}) - first));
      return {};
    }
  }
  std::string storage;
  ASSIGN_OR_RETURN(auto records, wire::read_records(batch, storage));
  for (const wire::Record& record : records) {
    if (record.offset < from || record.offset >= to) continue;
    ++scanned;
    if (!fits(record, filter)) continue;
    found.push_back({record.timestamp, partition, record.offset,
                     message_json(partition, record, kValueShownMax)});
  }
  return {};
}

// One partition, [from, to), until `found_max` are there. The offset it came to.
struct Range {
  int32_t partition = 0;
  int64_t from = 0, to = 0;
};
Result<int64_t> search_range(broker::Broker& broker, const std::string& topic, const Range& range,
                             const MessageFilter& filter, size_t found_max,
                             std::vector<Found>& found, uint64_t& scanned,
                             const std::function<bool()>& enough) {
  int64_t at = range.from;
  size_t before = found.size();
  while (at < range.to && found.size() - before < found_max && !enough()) {
    ASSIGN_OR_RETURN(SharedBytes bytes, broker.read(topic, range.partition, at, kReadBytes));
    std::string_view rest = bytes.view();
    if (rest.empty()) return range.to;
    while (rest.size() >= wire::kBatchHeaderBytes && at < range.to &&
           found.size() - before < found_max) {
      ASSIGN_OR_RETURN(auto header, wire::read_batch_header(rest));
      if (header.bytes() > rest.size()) break;
      RETURN_IF_ERROR(search_batch(rest.substr(0, header.bytes()), header, range.partition, at,
                                   range.to, filter, found, scanned));
      at = std::max(at, header.next_offset());
      rest.remove_prefix(header.bytes());
    }
  }
  return std::min(at, range.to);
}

// Cursors: "f" or "b", then partition:offset pairs; offsets are where to go on (f) or the end of
// what is left (b).
std::string cursor_text(char way, const TopicPlaces& places) {
  std::string out(1, way);
  for (const auto& [partition, offset] : places)
    out += "," + std::to_string(partition) + ":" + std::to_string(offset);
  return out;
}

Result<std::pair<char, TopicPlaces>> parse_cursor(std::string_view text) {
  auto broken = [] { return fail(Code::invalid, "cursor", "not a cursor of a page of messages"); };
  if (text.empty() || (text[0] != 'f' && text[0] != 'b')) return broken();
  char way = text[0];
  text.remove_prefix(1);
  TopicPlaces places;
  while (!text.empty()) {
    int32_t partition = 0;
    int64_t offset = 0;
    const char* end = text.data() + text.size();
    if (text[0] != ',') return broken();
    auto first = std::from_chars(text.data() + 1, end, partition);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return broken();
    auto second = std::from_chars(first.ptr + 1, end, offset);
    if (second.ec != std::errc()) return broken();
    places[partition] = offset;
    text = std::string_view(second.ptr, static_cast<size_t>(end - second.ptr));
  }
  return std::pair(way, std::move(places));
}

Result<std::vector<int32_t>> wanted_partitions(broker::Broker& broker, const std::string& topic,
                                               std::optional<int32_t> partition) {
  ASSIGN_OR_RETURN(int32_t count, broker.partition_count(topic));
  std::vector<int32_t> out;
  for (int32_t i = 0; i < count; ++i) {
    if (!partition || *partition == i) out.push_back(i);
  }
  if (out.empty()) {
    return fail(Code::not_found, "no_such_partition",
                topic + " has no partition " + std::to_string(*partition));
  }
  return out;
}

Result<std::pair<char, TopicPlaces>> first_places(broker::Broker& broker,
                                                  const MessageRequest& request) {
  TopicPlaces places;
  ASSIGN_OR_RETURN(auto partitions, wanted_partitions(broker, request.topic, request.partition));
  auto topic = broker.find_topic(request.topic);
  for (int32_t index : partitions) {
    ASSIGN_OR_RETURN(auto bounds, broker.offsets(request.topic, index));
    if (request.from == "latest") {
      places[index] = bounds.end;
    } else if (request.from == "earliest") {
      places[index] = bounds.start;
    } else if (request.from == "offset") {
      places[index] = std::clamp(request.value, bounds.start, bounds.end);
    } else if (request.from == "timestamp" && topic) {
      auto at = topic->partitions[static_cast<size_t>(index)]->find_timestamp(request.value);
      if (!at) return std::unexpected(at.error());
      places[index] = at->offset < 0 ? bounds.end : at->offset;
    } else {
      return fail(Code::invalid, "request",
                  "from is latest, earliest, offset or timestamp, not '" + request.from + "'");
    }
  }
  return std::pair(request.from == "latest" ? 'b' : 'f', std::move(places));
}

class Scan {
 public:
  Scan(const Call& call, broker::Broker& broker, Clock& clock, const MessageRequest& request)
      : call_(call), broker_(broker), clock_(clock), request_(request) {
    until_ = clock.steady_now() + request.time;
  }

  Result<MessagePage> run() {
    ASSIGN_OR_RETURN(auto start, request_.cursor.empty() ? first_places(broker_, request_)
                                                         : parse_cursor(request_.cursor));
    bool forwards = start.first == 'f';
    places_ = std::move(start.second);
    if (forwards) {
      RETURN_IF_ERROR(go_forwards());
    } else {
      RETURN_IF_ERROR(go_backwards());
    }
    return answer(forwards);
  }

 private:
  const Call& call_;
  broker::Broker& broker_;
  Clock& clock_;
  const MessageRequest& request_;
  SteadyTime until_;
  TopicPlaces places_;
  std::vector<Found> found_;
  uint64_t scanned_ = 0;
  bool at_end_ = false;

  bool out_of_time() const {
    return clock_.steady_now() >= until_ || call_.cancel.stop_requested();
  }

  Status go_forwards() {
    at_end_ = true;
    // A share for each partition keeps one page fair and bounded; time is shared too.
    size_t share =
        std::max<size_t>(20, request_.messages_max * 4 / std::max<size_t>(1, places_.size()));
    share = std::min(share, request_.messages_max);
    for (auto& [partition, at] : places_) {
      ASSIGN_OR_RETURN(auto bounds, broker_.offsets(request_.topic, partition));
      at = std::max(at, bounds.start);
      ASSIGN_OR_RETURN(
          at, search_range(broker_, request_.topic, {partition, at, bounds.end}, request_.filter,
                           share, found_, scanned_, [this] { return out_of_time(); }));
      if (at < bounds.end) at_end_ = false;
    }
    return {};
  }

  // From the end towards the start in windows that grow while nothing is found.
  Status go_backwards() {
    auto wanted = static_cast<int64_t>(request_.messages_max);
    int64_t window = request_.filter.text.empty() ? wanted : std::max(wanted, kWindowFirst);
    for (bool more = true; more && found_.size() < request_.messages_max && !out_of_time();) {
      more = false;
      for (auto& [partition, end] : places_) {
        ASSIGN_OR_RETURN(auto bounds, broker_.offsets(request_.topic, partition));
        int64_t from = std::max(bounds.start, end - window);
        if (from >= end || (out_of_time() && scanned_ > 0)) continue;
        ASSIGN_OR_RETURN(
            int64_t came_to,
            search_range(broker_, request_.topic, {partition, from, end}, request_.filter, SIZE_MAX,
                         found_, scanned_, [] { return false; }));
        (void)came_to;
        end = from;
        more = true;
      }
      window = std::min(window * 4, kWindowMax);
    }
    at_end_ = true;
    for (const auto& [partition, end] : places_) {
      ASSIGN_OR_RETURN(auto bounds, broker_.offsets(request_.topic, partition));
      if (end > bounds.start) at_end_ = false;
    }
    return {};
  }

  MessagePage answer(bool forwards) {
    std::ranges::sort(found_, [&](const Found& a, const Found& b) {
      auto left = std::tuple(a.timestamp, a.partition, a.offset);
      auto right = std::tuple(b.timestamp, b.partition, b.offset);
      return forwards ? left < right : right < left;
    });
    MessagePage page;
    // What does not fit in the page is read again by the next one: its place goes back.
    for (size_t i = request_.messages_max; i < found_.size(); ++i) {
      at_end_ = false;
      int64_t& place = places_[found_[i].partition];
      place = forwards ? std::min(place, found_[i].offset) : std::max(place, found_[i].offset + 1);
    }
    // Times that run backwards could repeat a message then: leave out what comes again.
    for (size_t i = 0; i < std::min(found_.size(), request_.messages_max); ++i) {
      int64_t place = places_[found_[i].partition];
      bool comes_again = forwards ? found_[i].offset >= place : found_[i].offset < place;
      if (!comes_again) page.messages.push_back(std::move(found_[i].message));
    }
    page.scanned = scanned_;
    if (!at_end_) page.cursor = cursor_text(forwards ? 'f' : 'b', places_);
    return page;
  }
};

}  // namespace

Result<MessagePage> scan_messages(const Call& call, broker::Broker& broker, Clock& clock,
                                  const MessageRequest& request) {
  return Scan(call, broker, clock, request).run();
}

Result<Json> find_message(broker::Broker& broker, const std::string& topic, int32_t partition,
                          int64_t offset, size_t value_bytes) {
  ASSIGN_OR_RETURN(SharedBytes bytes, broker.read(topic, partition, offset, 1));
  std::string_view rest = bytes.view();
  if (rest.size() >= wire::kBatchHeaderBytes) {
    std::string storage;
    ASSIGN_OR_RETURN(auto header, wire::read_batch_header(rest));
    ASSIGN_OR_RETURN(auto records, wire::read_records(rest.substr(0, header.bytes()), storage));
    for (const wire::Record& record : records) {
      if (record.offset == offset) return message_json(partition, record, value_bytes);
    }
  }
  return fail(Code::not_found, "no_such_message",
              "there is no message at offset " + std::to_string(offset) + " of partition " +
                  std::to_string(partition));
}

Result<TopicPlaces> topic_ends(broker::Broker& broker, const std::string& topic,
                               std::optional<int32_t> partition) {
  TopicPlaces places;
  ASSIGN_OR_RETURN(auto partitions, wanted_partitions(broker, topic, partition));
  for (int32_t index : partitions) {
    ASSIGN_OR_RETURN(auto bounds, broker.offsets(topic, index));
    places[index] = bounds.end;
  }
  return places;
}

Result<std::vector<Json>> read_new(broker::Broker& broker, const std::string& topic,
                                   const MessageFilter& filter, size_t messages_max,
                                   TopicPlaces& places) {
  std::vector<Found> found;
  uint64_t scanned = 0;
  for (auto& [partition, at] : places) {
    ASSIGN_OR_RETURN(auto bounds, broker.offsets(topic, partition));
    at = std::max(at, bounds.start);
    ASSIGN_OR_RETURN(at, search_range(broker, topic, {partition, at, bounds.end}, filter,
                                      messages_max, found, scanned, [] { return false; }));
  }
  std::ranges::sort(found, {}, [](const Found& one) {
    return std::tuple(one.timestamp, one.partition, one.offset);
  });
  std::vector<Json> out;
  for (Found& one : found) out.push_back(std::move(one.message));
  return out;
}

}  // namespace aichemy::serve::console
