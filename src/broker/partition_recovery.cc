// Opening a partition, its checkpoints, and bringing a lost copy back.
#include <algorithm>
#include <charconv>

#include "base/checksum.h"
#include "base/json.h"
#include "base/log.h"
#include "broker/partition.h"

namespace aichemy::broker {
namespace {

constexpr uint64_t kCheckpointEveryBytes = 16 << 20;
constexpr uint64_t kCopyChunkBytes = 1 << 20;
constexpr uint64_t kScanWindowBytes = 4 << 20;

std::string checkpoint_path(const std::string& directory) { return directory + "/checkpoint"; }

}  // namespace

// What one copy holds.
struct Partition::Recovered {
  std::deque<Segment> segments;
  int64_t log_start = 0;
  std::vector<std::pair<int32_t, int64_t>> epochs;
  Producers producers;
  uint64_t scanned = 0;
  int64_t end() const { return segments.empty() ? log_start : segments.back().end_offset; }
};

Result<std::shared_ptr<Partition>> Partition::open(Options options, Disk& disk, Clock& clock) {
  std::shared_ptr<Partition> partition(new Partition(std::move(options), disk, clock));
  RETURN_IF_ERROR(partition->recover());
  return partition;
}

Status Partition::recover() {
  std::optional<Recovered> found[kCopiesMax];
  std::optional<size_t> best;
  Error last{Code::unavailable, "storage", "no copy of " + topic() + " can be opened"};
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy)) continue;
    Status made = disk_.make_directories(options_.directories[copy]);
    auto recovered = made ? recover_copy(copy) : Result<Recovered>(std::unexpected(made.error()));
    if (!recovered) {
      last = recovered.error();
      log_warn("a copy cannot be opened",
               {{"topic", topic()}, {"copy", copy}, {"error", last.message}});
      in_sync_[copy] = false;
      continue;
    }
    found[copy] = std::move(*recovered);
    if (!best || found[copy]->end() > found[*best]->end()) best = copy;
  }
  if (!best) {  // the broker starts without this partition rather than not at all
    log_error("a partition is offline: no copy can be opened",
              {{"topic", topic()}, {"partition", index()}, {"error", last.message}});
    return {};
  }
  Recovered chosen = std::move(*found[*best]);
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (copy == *best || !found[copy]) continue;
    bool same = found[copy]->end() == chosen.end() &&
                found[copy]->segments.size() == chosen.segments.size();
    for (size_t i = 0; same && i < chosen.segments.size(); ++i) {
      same = found[copy]->segments[i].base_offset == chosen.segments[i].base_offset &&
             found[copy]->segments[i].bytes == chosen.segments[i].bytes;
      if (same) {
        chosen.segments[i].files[copy] = found[copy]->segments[i].files[copy];
        chosen.segments[i].index_saved[copy] = found[copy]->segments[i].index_saved[copy];
      }
    }
    if (same) continue;
    // It is brought back by the broker's tick; until then it misses writes, so that must be on
    // record (I5).
    log_warn(
        "a copy is behind",
        {{"topic", topic()}, {"copy", copy}, {"end", found[copy]->end()}, {"other", chosen.end()}});
    for (Segment& segment : chosen.segments) segment.files[copy].reset();
    RETURN_IF_ERROR(
        copy_failed(copy, Error{Code::conflict, "behind", "it is behind the other copy"}));
  }
  return adopt(std::move(chosen));
}

Status Partition::adopt(Recovered found) {
  uint64_t scanned = found.scanned;
  {
    std::lock_guard lock(mutex_);
    segments_ = std::move(found.segments);
    log_start_ = found.log_start;
    epochs_ = std::move(found.epochs);
    producers_ = std::move(found.producers);
    if (!segments_.empty()) high_watermark_ = segments_.back().end_offset;
    bytes_since_checkpoint_ = scanned;
  }
  if (segments_.empty()) {
    high_watermark_ = log_start();
    RETURN_IF_ERROR(add_segment(log_start()));
    return checkpoint(true);
  }
  std::lock_guard lock(mutex_);
  Segment& active = segments_.back();
  active.first_append_millis = clock_.wall_millis();
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy) || active.files[copy]) continue;
    ASSIGN_OR_RETURN(
        active.files[copy],
        disk_.open(segment_path(options_.directories[copy], active.base_offset), OpenMode::write));
  }
  return {};
}

// Walks the batches behind `segment.bytes`, checksums included, and cuts the file where they end.
Status Partition::scan_tail(Recovered& found, Segment& segment, File& file) {
  ASSIGN_OR_RETURN(uint64_t size, file.size());
  uint64_t position = segment.bytes;
  std::string window;
  uint64_t window_at = position;
  uint64_t wanted = wire::kBatchHeaderBytes;
  while (position < size) {
    if (position + wanted > window_at + window.size()) {
      window.resize(
          static_cast<size_t>(std::min(std::max(wanted, kScanWindowBytes), size - position)));
      ASSIGN_OR_RETURN(size_t got, file.read_at(position, window.data(), window.size()));
      window.resize(got);
      window_at = position;
    }
    std::string_view rest = std::string_view(window).substr(position - window_at);
    auto header = wire::read_batch_header(rest);
    if (!header || header->bytes() > size - position || header->base_offset != segment.end_offset)
      break;
    wanted = header->bytes();
    if (wanted > rest.size()) continue;  // the window ends inside the batch
    wanted = wire::kBatchHeaderBytes;
    if (!wire::check_batch(rest)) break;
    segment.add(*header, position);
    if (found.epochs.empty() || found.epochs.back().first < header->leader_epoch) {
      found.epochs.emplace_back(header->leader_epoch, header->base_offset);
    }
    found.producers.appended(*header, header->max_timestamp);
    found.producers.keep();
    found.scanned += header->bytes();
    position += header->bytes();
  }
  if (position == size) return {};
  log_info("cut what follows the last whole batch off a segment", {{"topic", topic()},
                                                                   {"partition", index()},
                                                                   {"segment", segment.base_offset},
                                                                   {"bytes", size - position}});
  RETURN_IF_ERROR(file.truncate(position));
  return file.sync();
}

// `known` is what the checkpoint says of the segment; `sealed` that it says so of a later one too.
Result<Segment> Partition::recover_segment(Recovered& found, size_t copy, int64_t base,
                                           const Json* known, bool sealed) {
  const std::string& directory = options_.directories[copy];
  ASSIGN_OR_RETURN(auto file, disk_.open(segment_path(directory, base), OpenMode::write));
  Segment segment;
  segment.base_offset = segment.end_offset = base;
  if (known != nullptr) {
    ASSIGN_OR_RETURN(uint64_t size, file->size());
    segment.bytes = static_cast<uint64_t>((*known)["bytes"].as_int());
    if (size < segment.bytes) {  // the checkpoint cannot be believed: look at every batch
      log_error("a segment is shorter than its checkpoint",
                {{"topic", topic()}, {"partition", index()}, {"segment", base}});
      segment.bytes = 0;
      known = nullptr;
      sealed = false;
    }
  }
  if (known != nullptr) {
    segment.end_offset = (*known)["end"].as_int();
    segment.max_timestamp = (*known)["max_timestamp"].as_int(-1);
    segment.index_count = static_cast<uint64_t>((*known)["index"].as_int());
    segment.index_saved[copy] = segment.index_count;
    segment.index_loaded = segment.bytes == 0;
  }
  if (sealed) return segment;
  if (!segment.index_loaded) {
    auto bytes = disk_.read_file(index_path(directory, base));
    segment.index_loaded = true;
    if (bytes && bytes->size() >= segment.index_count * kIndexEntryBytes) {
      bytes->resize(segment.index_count * kIndexEntryBytes);
      segment.index = decode_index(*bytes);
    } else {  // read it all again
      segment.bytes = 0;
      segment.end_offset = base;
      segment.max_timestamp = -1;
      segment.index_saved[copy] = 0;
    }
  }
  RETURN_IF_ERROR(scan_tail(found, segment, *file));
  segment.files[copy] = std::move(file);
  return segment;
}

Result<Partition::Recovered> Partition::recover_copy(size_t copy) {
  const std::string& directory = options_.directories[copy];
  Recovered found;
  Json checkpoint;
  if (auto text = disk_.read_file(checkpoint_path(directory))) {
    if (auto json = Json::parse(*text)) checkpoint = std::move(*json);
  }
  found.log_start = checkpoint["log_start"].as_int();
  for (const Json& pair : checkpoint["epochs"].as_array()) {
    if (pair.as_array().size() != 2) continue;
    found.epochs.emplace_back(static_cast<int32_t>(pair.as_array()[0].as_int()),
                              pair.as_array()[1].as_int());
  }
  found.producers.from_json(checkpoint["producers"]);
  std::map<int64_t, const Json*> known;
  for (const Json& item : checkpoint["segments"].as_array()) known[item["base"].as_int()] = &item;

  ASSIGN_OR_RETURN(auto entries, disk_.list(directory));
  std::vector<int64_t> bases;
  for (const DirectoryEntry& entry : entries) {
    if (!entry.name.ends_with(".log") || entry.name.size() != 24) continue;
    int64_t base = 0;
    auto [end, error] = std::from_chars(entry.name.data(), entry.name.data() + 20, base);
    if (error == std::errc() && end == entry.name.data() + 20) bases.push_back(base);
  }
  std::sort(bases.begin(), bases.end());
  int64_t last_known = known.empty() ? -1 : known.rbegin()->first;
  for (int64_t base : bases) {
    auto item = known.find(base);
    bool orphan =
        item == known.end() && base <= last_known;  // retention had dropped it from the checkpoint
    bool behind_gap = !found.segments.empty() && base != found.segments.back().end_offset;
    if (orphan || behind_gap) {
      log_warn("removed a segment that belongs to no log", {{"topic", topic()}, {"segment", base}});
      RETURN_IF_ERROR(disk_.remove(segment_path(directory, base)));
      continue;
    }
    const Json* json = item == known.end() ? nullptr : item->second;
    ASSIGN_OR_RETURN(Segment segment, recover_segment(found, copy, base, json, base < last_known));
    found.segments.push_back(std::move(segment));
  }
  if (!found.segments.empty())
    found.log_start = std::max(found.log_start, found.segments.front().base_offset);
  return found;
}

// With the mutex held.
Json Partition::checkpoint_json() const {
  Json segments = Json::array();
  for (const Segment& segment : segments_) {
    segments.push(
        Json::object()
            .set("base", segment.base_offset)
            .set("bytes", static_cast<int64_t>(segment.bytes))
            .set("end", segment.end_offset)
            .set("max_timestamp", segment.max_timestamp)
            .set("index", static_cast<int64_t>(segment.index_loaded ? segment.index.size()
                                                                    : segment.index_count)));
  }
  Json epochs = Json::array();
  for (const auto& [epoch, offset] : epochs_)
    epochs.push(Json::array().push(int64_t{epoch}).push(offset));
  return Json::object()
      .set("format", int64_t{1})
      .set("log_start", log_start())
      .set("epochs", std::move(epochs))
      .set("producers", producers_.to_json())
      .set("segments", std::move(segments));
}

// Appends to each index file what it does not have yet.
Status Partition::save_index(size_t copy) {
  struct Part {
    int64_t base = 0;
    size_t from = 0;
    std::string bytes;
  };
  std::vector<Part> parts;
  {
    std::lock_guard lock(mutex_);
    for (Segment& segment : segments_) {
      size_t from = segment.index_saved[copy];
      if (!segment.index_loaded || from >= segment.index.size()) continue;
      parts.push_back({segment.base_offset, from, encode_index(segment.index, from)});
    }
  }
  for (const Part& part : parts) {
    ASSIGN_OR_RETURN(
        auto file, disk_.open(index_path(options_.directories[copy], part.base), OpenMode::create));
    RETURN_IF_ERROR(file->write_at(part.from * kIndexEntryBytes, part.bytes));
    RETURN_IF_ERROR(file->sync());
    std::lock_guard lock(mutex_);
    for (Segment& segment : segments_) {
      if (segment.base_offset == part.base)
        segment.index_saved[copy] = part.from + part.bytes.size() / kIndexEntryBytes;
    }
  }
  return {};
}

Status Partition::checkpoint(bool force) {
  std::lock_guard one_at_a_time(checkpoint_mutex_);
  std::string text;
  std::shared_ptr<File> active[kCopiesMax];
  bool relaxed = false;
  {
    std::lock_guard lock(mutex_);
    if (!force && !checkpoint_due_ && bytes_since_checkpoint_ < kCheckpointEveryBytes) {
      relaxed = next_config_.relaxed && bytes_since_checkpoint_ > 0;
      if (!relaxed) return {};
    }
    if (segments_.empty()) return {};
    text = checkpoint_json().dump();
    bytes_since_checkpoint_ = 0;
    checkpoint_due_ = false;
    relaxed = next_config_.relaxed || config_.relaxed;
    for (size_t copy = 0; copy < kCopiesMax; ++copy) active[copy] = segments_.back().files[copy];
  }
  Status result;
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy)) continue;
    Status written;
    if (relaxed && active[copy]) written = active[copy]->sync();  // I4
    if (written) written = save_index(copy);
    if (written) written = disk_.replace_file(checkpoint_path(options_.directories[copy]), text);
    if (!written) result = written;
  }
  if (!result) {
    std::lock_guard lock(mutex_);
    checkpoint_due_ = true;
  }
  return result;
}

Status Partition::copy_segment(size_t from, size_t to, int64_t base_offset, uint64_t bytes) {
  ASSIGN_OR_RETURN(auto source, disk_.open(segment_path(options_.directories[from], base_offset),
                                           OpenMode::read));
  ASSIGN_OR_RETURN(auto target, disk_.open(segment_path(options_.directories[to], base_offset),
                                           OpenMode::create));
  RETURN_IF_ERROR(target->truncate(0));
  std::string chunk;
  for (uint64_t at = 0; at < bytes; at += chunk.size()) {
    chunk.resize(static_cast<size_t>(std::min(kCopyChunkBytes, bytes - at)));
    ASSIGN_OR_RETURN(size_t got, source->read_at(at, chunk.data(), chunk.size()));
    if (got != chunk.size())
      return fail(Code::corrupt, "segment", "a segment is shorter than it should be");
    RETURN_IF_ERROR(target->write_at(at, chunk));
  }
  return target->sync();
}

Status Partition::heal(size_t copy,
                       const std::function<Status(std::function<Status()>)>& exclusive) {
  size_t other = 1 - copy;
  if (!has_copy(copy) || in_sync(copy) || !in_sync(other)) return {};
  const std::string& directory = options_.directories[copy];
  RETURN_IF_ERROR(disk_.remove_all(directory));
  RETURN_IF_ERROR(disk_.make_directories(directory));
  std::map<int64_t, uint64_t> copied;
  auto copy_missing = [&](bool sealed_only) -> Status {
    std::vector<std::pair<int64_t, uint64_t>> wanted;
    {
      std::lock_guard lock(mutex_);
      for (const Segment& segment : segments_)
        wanted.emplace_back(segment.base_offset, segment.bytes);
    }
    if (sealed_only) wanted.pop_back();
    for (auto [base, bytes] : wanted) {
      if (auto done = copied.find(base); done != copied.end() && done->second == bytes) continue;
      RETURN_IF_ERROR(copy_segment(other, copy, base, bytes));
      copied[base] = bytes;
    }
    return {};
  };
  RETURN_IF_ERROR(copy_missing(true));
  return exclusive(
      [&]() -> Status {  // no append runs now: the rest, and from here on it takes part
        RETURN_IF_ERROR(copy_missing(false));
        RETURN_IF_ERROR(disk_.sync_directory(directory));
        {
          std::lock_guard lock(mutex_);
          for (Segment& segment : segments_) {
            segment.index_saved[copy] = 0;
            ASSIGN_OR_RETURN(
                segment.files[copy],
                disk_.open(segment_path(directory, segment.base_offset), OpenMode::write));
          }
        }
        if (options_.regain_copy) RETURN_IF_ERROR(options_.regain_copy(*this, copy));
        in_sync_[copy] = true;
        std::lock_guard lock(mutex_);
        checkpoint_due_ = true;
        log_info("a copy is in sync again",
                 {{"topic", topic()}, {"partition", index()}, {"copy", copy}});
        return {};
      });
}

}  // namespace aichemy::broker
