#include <algorithm>
#include <bit>
#include <cstring>

#include "objectstore/store_core.h"

namespace aichemy::objectstore {

ExtentWriter::ExtentWriter(StoreCore& core, std::optional<uint64_t> size_hint)
    : core_(core), size_hint_(size_hint), id_(core.next_id()) {
  core_.writing_file(id_, true);
}

ExtentWriter::~ExtentWriter() {
  for (Slot& slot : slots_) {
    slot.writes.wait();
    core_.buffers().give(std::move(slot.buffer));
  }
  if (!kept_) {
    for (int i = 0; i < kShards; ++i) {
      auto& file = files_[static_cast<size_t>(i)];
      if (!file) continue;
      file.reset();
      (void)core_.drive(i).remove_file(id_);
    }
  }
  core_.writing_file(id_, false);
}

void ExtentWriter::note_failure(int drive, const Error& error) {
  std::lock_guard lock(failures_mutex_);
  failed_ |= static_cast<uint8_t>(1 << drive);
  failure_ = error;
  if (error.code != Code::exhausted) core_.drive_failed(drive, error);
}

Status ExtentWriter::enough_drives() {
  if (std::popcount(static_cast<uint8_t>(~failed_ & 0x0f)) >= kDataShards) return {};
  std::lock_guard lock(failures_mutex_);
  if (failure_) return std::unexpected(*failure_);
  return fail(Code::unavailable, "too_few_drives", "fewer than two drives can be written");
}

Status ExtentWriter::begin() {
  for (int i = 0; i < kShards; ++i) {
    if (!core_.drive(i).online()) {
      failed_ |= static_cast<uint8_t>(1 << i);
      continue;
    }
    auto file = core_.drive(i).create_file(id_);
    if (file) {
      files_[static_cast<size_t>(i)] = std::move(*file);
    } else {
      note_failure(i, file.error());
    }
  }
  plan_stripe();
  return enough_drives();
}

// The last stripe splits its bytes in two equal halves; knowing the size ahead saves moving them
// later.
void ExtentWriter::plan_stripe() {
  payload_planned_ = kPayloadBytesMax;
  if (!size_hint_ || *size_hint_ <= stripe_ * kStripeBytes) return;
  payload_planned_ = stripe_shape(*size_hint_, stripe_).payload_bytes;
}

Status ExtentWriter::append(std::string_view bytes) {
  if (size_ == 0 && !bytes.empty()) RETURN_IF_ERROR(begin());
  while (!bytes.empty()) {
    Slot& slot = slots_[stripe_ % slots_.size()];
    if (!slot.buffer) slot.buffer = core_.buffers().take();
    if (in_stripe_ == 0) slot.writes.wait();
    size_t shard = in_stripe_ / payload_planned_;
    if (shard >= kDataShards) {
      if (payload_planned_ == kPayloadBytesMax) {
        RETURN_IF_ERROR(flush_stripe());
        continue;
      }
      // More bytes than announced: lay the stripe out for the full size.
      std::memcpy(slot.buffer->frame(0) + payload_planned_, slot.buffer->frame(1),
                  std::min(payload_planned_, kPayloadBytesMax - payload_planned_));
      size_t moved = std::min(payload_planned_, kPayloadBytesMax - payload_planned_);
      std::memmove(slot.buffer->frame(1), slot.buffer->frame(1) + moved, payload_planned_ - moved);
      payload_planned_ = kPayloadBytesMax;
      continue;
    }
    size_t at = in_stripe_ % payload_planned_;
    size_t count = std::min(bytes.size(), payload_planned_ - at);
    std::memcpy(slot.buffer->frame(static_cast<int>(shard)) + at, bytes.data(), count);
    bytes.remove_prefix(count);
    in_stripe_ += count;
    size_ += count;
  }
  if (in_stripe_ == kStripeBytes) return flush_stripe();
  return {};
}

Status ExtentWriter::flush_stripe() {
  if (in_stripe_ == 0) return {};
  Slot& slot = slots_[stripe_ % slots_.size()];
  StripeBuffer& buffer = *slot.buffer;
  StripeShape shape = last_stripe_shape(in_stripe_, stripe_);
  if (size_t payload = shape.payload_bytes; payload < payload_planned_) {
    // Fewer bytes than planned for: the first shard's tail belongs to the second.
    size_t in_second = in_stripe_ > payload_planned_ ? in_stripe_ - payload_planned_ : 0;
    size_t in_first = in_stripe_ - in_second;
    size_t moving = in_first - std::min(in_first, payload);
    std::memmove(buffer.frame(1) + moving, buffer.frame(1), in_second);
    std::memcpy(buffer.frame(1), buffer.frame(0) + payload, moving);
  }
  if (shape.object_bytes < kDataShards * shape.payload_bytes)
    buffer.frame(1)[shape.payload_bytes - 1] = 0;
  encode_parity({buffer.frame(0), buffer.frame(1), buffer.frame(2), buffer.frame(3)},
                shape.payload_bytes);
  for (int shard = 0; shard < kShards; ++shard) {
    int drive = drive_of_shard(id_, shard);
    File* file = files_[static_cast<size_t>(drive)].get();
    if (!file || failed_ & 1 << drive) continue;
    slot.writes.add();
    core_.drive(drive).run(
        [this, &slot, file, shape, shard, drive, frame = buffer.frame(shard), stripe = stripe_] {
          seal_frame(frame, shape.payload_bytes, id_, stripe, shard);
          Status written =
              file->write_at(shape.frame_offset, std::string_view(frame, shape.frame_bytes));

          if (!written) note_failure(drive, written.error());
          slot.writes.count_down();
        });
  }
  ++stripe_;
  in_stripe_ = 0;
  plan_stripe();
  return enough_drives();
}

Result<uint8_t> ExtentWriter::finish() {
  if (size_ == 0) return fail(Code::invalid, "empty_extent", "an extent has at least one byte");
  RETURN_IF_ERROR(flush_stripe());
  for (Slot& slot : slots_) slot.writes.wait();
  Countdown done;
  for (int i = 0; i < kShards; ++i) {
    File* file = files_[static_cast<size_t>(i)].get();
    if (!file || failed_ & 1 << i) continue;
    done.add();
    core_.drive(i).run([this, i, file, &done] {
      Status synced = file->sync();
      if (synced) synced = core_.drive(i).sync_file_directory(id_);
      if (!synced) note_failure(i, synced.error());
      done.count_down();
    });
  }
  done.wait();
  RETURN_IF_ERROR(enough_drives());
  return static_cast<uint8_t>(~failed_ & 0x0f);
}

}  // namespace aichemy::objectstore
