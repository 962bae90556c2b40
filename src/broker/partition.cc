#include "broker/partition.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace aichemy::broker {
namespace {

constexpr size_t kRecentBatches = 1024;
constexpr size_t kWaitersBeforePurge = 64;

}  // namespace

Partition::Partition(Options options, Disk& disk, Clock& clock)
    : options_(std::move(options)),
      disk_(disk),
      clock_(clock),
      config_(options_.config),
      next_config_(options_.config) {
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    in_sync_[copy] = has_copy(copy) && !options_.out_of_sync[copy];
  }
}

size_t Partition::copies_in_sync() const {
  return static_cast<size_t>(in_sync(0)) + static_cast<size_t>(in_sync(1));
}

uint64_t Partition::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.bytes;
  return sum;
}

// Opens the files of a new active segment in every copy in sync. The caller is the committer (or
// recovery).
Status Partition::add_segment(int64_t base_offset) {
  Segment segment;
  segment.base_offset = segment.end_offset = base_offset;
  segment.first_append_millis = clock_.wall_millis();
  size_t made = 0;
  Error last{Code::unavailable, "storage", "no copy of " + topic() + " can be written"};
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy)) continue;
    const std::string& directory = options_.directories[copy];
    auto made_file = [&]() -> Result<std::shared_ptr<File>> {
      ASSIGN_OR_RETURN(auto file,
                       disk_.open(segment_path(directory, base_offset), OpenMode::create));
      RETURN_IF_ERROR(file->truncate(0));
      RETURN_IF_ERROR(file->sync());
      RETURN_IF_ERROR(disk_.sync_directory(directory));
      return std::shared_ptr<File>(std::move(file));
    }();
    if (made_file) {
      segment.files[copy] = std::move(*made_file);
      ++made;
      continue;
    }
    last = made_file.error();
    if (copies_in_sync() > 1) RETURN_IF_ERROR(copy_failed(copy, last));
  }
  if (made == 0) return std::unexpected(last);
  std::lock_guard lock(mutex_);
  segments_.push_back(std::move(segment));
  recent_.clear();
  checkpoint_due_ = true;
  return {};
}

Status Partition::roll_if_needed(uint64_t incoming) {
  bool roll = false;
  int64_t end = 0;
  {
    std::lock_guard lock(mutex_);
    const Segment& active = segments_.back();
    end = active.end_offset;
    bool full = active.bytes + incoming > static_cast<uint64_t>(config_.segment_bytes);
    bool old = clock_.wall_millis() - active.first_append_millis > config_.segment_millis;
    roll = active.bytes > 0 && (full || old);
  }
  if (!roll) return {};
  cut_zeros();
  if (config_.relaxed) {  // a sealed segment is always on disk, in either mode
    for (size_t copy = 0; copy < kCopiesMax; ++copy) {
      if (in_sync(copy)) RETURN_IF_ERROR(sync(copy));
    }
  }
  return add_segment(end);
}

// I6: what lies behind the end in a file is unknown after a failure.
Status Partition::clean_tail() {
  if (!dirty_tail_) return {};
  cut_zeros();
  std::shared_ptr<File> files[kCopiesMax];
  uint64_t end = 0;
  {
    std::lock_guard lock(mutex_);
    end = segments_.back().bytes;
    for (size_t copy = 0; copy < kCopiesMax; ++copy) files[copy] = segments_.back().files[copy];
  }
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy) || !files[copy]) continue;
    Status cut = files[copy]->truncate(end);
    if (cut) cut = files[copy]->sync();
    if (cut) continue;
    if (copies_in_sync() < 2) return cut;
    RETURN_IF_ERROR(copy_failed(copy, cut.error()));
  }
  dirty_tail_ = false;
  return {};
}

Status Partition::copy_failed(size_t copy, const Error& error) {
  log_warn("copy of a partition lost",
           {{"topic", topic()}, {"partition", index()}, {"copy", copy}, {"error", error.message}});
  in_sync_[copy] = false;
  Status noted = options_.lose_copy ? options_.lose_copy(*this, copy) : Status{};
  if (!noted) in_sync_[copy] = true;  // nothing may be acknowledged without it, so it stays counted
  return noted;
}

// Gives one append its place, or answers it at once; true when it was staged.
bool Partition::stage_one(Append append, int64_t& next_offset, uint64_t& position) {
  if (append.wants_all_copies &&
      static_cast<int64_t>(copies_in_sync()) < config_.copies_in_sync_min &&
      config_.copies_in_sync_min <=
          static_cast<int64_t>(has_copy(0)) + static_cast<int64_t>(has_copy(1))) {
    append.done(fail(Code::unavailable, "not_enough_copies",
                     "only " + std::to_string(copies_in_sync()) + " copies are in sync"));
    return false;
  }
  if (append.header.bytes() > static_cast<uint64_t>(config_.message_bytes_max)) {
    append.done(fail(Code::invalid, "message_too_large",
                     "the batch has " + std::to_string(append.header.bytes()) +
                         " bytes, max.message.bytes is " +
                         std::to_string(config_.message_bytes_max)));
    return false;
  }
  auto known = producers_.check(append.header);
  if (!known) {
    append.done(std::unexpected(known.error()));
    return false;
  }
  Staged staged;
  staged.append = std::move(append);
  staged.header = staged.append.header;
  staged.result.log_start = log_start();
  if (known->has_value()) {  // answered with the round it may belong to
    staged.result.base_offset = **known;
    staged.result.duplicate = true;
    staged_.push_back(std::move(staged));
    return true;
  }
  staged.header.base_offset = next_offset;
  staged.header.leader_epoch = leader_epoch();
  staged.result.base_offset = next_offset;
  staged.position = position;
  int64_t now = clock_.wall_millis();
  if (config_.append_time) {
    staged.rewritten = std::string(staged.append.batch.view());
    wire::set_batch_append_time(staged.rewritten.data(), staged.rewritten.size(), now);
    wire::set_batch_offset(staged.rewritten.data(), next_offset, leader_epoch());
    staged.header.max_timestamp = now;
    staged.result.append_millis = now;
  } else {
    std::memcpy(staged.prefix, staged.append.batch.view().data(), sizeof(staged.prefix));
    wire::set_batch_offset(staged.prefix, next_offset, leader_epoch());
  }
  producers_.appended(staged.header, now);
  next_offset = staged.header.next_offset();
  position += staged.header.bytes();
  staged_bytes_ += staged.header.bytes();
  staged_.push_back(std::move(staged));
  return true;
}

void Partition::stage(std::vector<Append> appends) {
  CHECK(staged_.empty());
  uint64_t incoming = 0;
  for (const Append& append : appends) incoming += append.batch.size();
  {
    std::lock_guard lock(mutex_);
    config_ = next_config_;
  }
  Status ready = closed() ? fail(Code::not_found, "no_such_partition", topic() + " was deleted")
                          : clean_tail();
  if (ready && copies_in_sync() == 0)
    ready = fail(Code::unavailable, "storage", "no copy of " + topic() + " is left");
  if (ready) ready = roll_if_needed(incoming);
  if (!ready) {
    for (Append& append : appends) append.done(std::unexpected(ready.error()));
    return;
  }
  int64_t next_offset = 0;
  uint64_t position = 0;
  {
    std::lock_guard lock(mutex_);
    next_offset = segments_.back().end_offset;
    position = segments_.back().bytes;
  }
  staged_.reserve(appends.size());
  for (Append& append : appends) stage_one(std::move(append), next_offset, position);
}

Status Partition::write() {
  if (staged_bytes_ == 0) return {};
  std::vector<std::string_view> parts;
  parts.reserve(staged_.size() * 2);
  uint64_t position = 0;
  for (Staged& staged : staged_) {
    if (staged.result.duplicate) continue;
    if (parts.empty()) position = staged.position;
    if (!staged.rewritten.empty()) {
      parts.push_back(staged.rewritten);
      continue;
    }
    parts.push_back(std::string_view(staged.prefix, sizeof(staged.prefix)));
    parts.push_back(staged.append.batch.view().substr(
        sizeof(staged.prefix), staged.header.bytes() - sizeof(staged.prefix)));
  }
  wait_for_zeros(position + staged_bytes_);
  std::shared_ptr<File> files[kCopiesMax];
  {
    std::lock_guard lock(mutex_);
    for (size_t copy = 0; copy < kCopiesMax; ++copy) files[copy] = segments_.back().files[copy];
  }
  for (size_t copy = 0; copy < kCopiesMax; ++copy) {
    if (!in_sync(copy)) continue;
    Status written = files[copy]->write_parts_at(position, parts);
    if (written) continue;
    dirty_tail_ = true;
    // A full disk is full for everybody and passes: fail the write and keep the copy.
    if (written.error().code == Code::exhausted || copies_in_sync() < 2) return written;
    RETURN_IF_ERROR(copy_failed(copy, written.error()));
  }
  return {};
}

Status Partition::sync(size_t copy) {
  std::shared_ptr<File> file;
  {
    std::lock_guard lock(mutex_);
    file = segments_.back().files[copy];
  }
  return file->sync();
}

bool Partition::sync_failed(size_t copy, const Error& error) {
  dirty_tail_ = true;
  if (copies_in_sync() < 2) return false;
  return copy_failed(copy, error).has_value();
}

void Partition::publish() {
  std::vector<std::weak_ptr<std::function<void()>>> waiters;
  {
    std::lock_guard lock(mutex_);
    Segment& active = segments_.back();
    for (const Staged& staged : staged_) {
      if (staged.result.duplicate) continue;
      active.add(staged.header, staged.position);
      recent_.emplace_back(staged.header.base_offset, staged.position);
    }
    while (recent_.size() > kRecentBatches) recent_.pop_front();
    if (epochs_.empty() || epochs_.back().first < leader_epoch()) {
      if (staged_bytes_ > 0) epochs_.emplace_back(leader_epoch(), high_watermark());
    }
    producers_.keep();
    bytes_since_checkpoint_ += staged_bytes_;
    high_watermark_.store(active.end_offset, std::memory_order_release);
    if (staged_bytes_ > 0) waiters.swap(waiters_);
  }
  std::vector<Staged> done;
  done.swap(staged_);
  staged_bytes_ = 0;
  for (Staged& staged : done) staged.append.done(staged.result);
  wake(std::move(waiters));
}

void Partition::abandon(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    producers_.undo();
  }
  std::vector<Staged> failed;
  failed.swap(staged_);
  staged_bytes_ = 0;
  for (Staged& staged : failed) staged.append.done(std::unexpected(error));
}

void Partition::on_change(const Waiter& waiter) {
  std::lock_guard lock(mutex_);
  if (waiters_.size() >= kWaitersBeforePurge && (waiters_.size() & (waiters_.size() - 1)) == 0) {
    std::erase_if(waiters_, [](const auto& waiting) { return waiting.expired(); });
  }
  waiters_.push_back(waiter);
}

void Partition::wake(std::vector<std::weak_ptr<std::function<void()>>> waiters) {
  for (auto& waiting : waiters) {
    if (Waiter waiter = waiting.lock()) (*waiter)();
  }
}

void Partition::apply(const TopicConfig& config) {
  std::lock_guard lock(mutex_);
  next_config_ = config;
}

void Partition::drop_copy(size_t copy) { in_sync_[copy] = false; }

Status Partition::trim(int64_t now_millis) {
  std::vector<Segment> dropped;
  {
    std::lock_guard lock(mutex_);
    const TopicConfig& config = next_config_;
    uint64_t total = 0;
    for (const Segment& segment : segments_) total += segment.bytes;
    auto may_go = [&](const Segment& segment) {
      if (segment.end_offset <= log_start()) return true;
      if (!config.deletes) return false;
      if (config.retention_bytes >= 0 &&
          total - segment.bytes >= static_cast<uint64_t>(config.retention_bytes))
        return true;
      return config.retention_millis >= 0 && segment.max_timestamp >= 0 &&
             segment.max_timestamp < now_millis - config.retention_millis;
    };
    while (segments_.size() > 1 && may_go(segments_.front())) {
      total -= segments_.front().bytes;
      log_start_ = std::max(log_start(), segments_.front().end_offset);
      dropped.push_back(std::move(segments_.front()));
      segments_.pop_front();
      checkpoint_due_ = true;
    }
    producers_.expire(now_millis - 86'400'000);
  }
  if (dropped.empty()) return {};
  RETURN_IF_ERROR(checkpoint(true));  // the new start is durable before the files go
  for (const Segment& segment : dropped) {
    for (size_t copy = 0; copy < kCopiesMax; ++copy) {
      if (!has_copy(copy)) continue;
      (void)disk_.remove(segment_path(options_.directories[copy], segment.base_offset));
      (void)disk_.remove(index_path(options_.directories[copy], segment.base_offset));
    }
  }
  return {};
}

Status Partition::delete_before(int64_t offset) {
  {
    std::lock_guard lock(mutex_);
    if (offset == -1) offset = high_watermark();
    if (offset < 0 || offset > high_watermark()) {
      return fail(Code::invalid, "offset_out_of_range",
                  "the log ends at " + std::to_string(high_watermark()));
    }
    if (offset <= log_start()) return {};
    log_start_ = offset;
  }
  RETURN_IF_ERROR(checkpoint(true));
  return trim(clock_.wall_millis());
}

void Partition::finish() {
  cut_zeros();
  if (Status saved = checkpoint(true); !saved) {
    log_warn("no checkpoint at the end", {{"topic", topic()}, {"error", saved.error().message}});
  }
}

void Partition::close() {
  closed_ = true;
  std::vector<std::weak_ptr<std::function<void()>>> waiters;
  {
    std::lock_guard lock(mutex_);
    waiters.swap(waiters_);
  }
  wake(std::move(waiters));
}

}  // namespace aichemy::broker
