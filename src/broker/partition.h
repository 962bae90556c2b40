// One partition: a log of record batches cut into segments, kept in one or two copies
// (directories), with its idempotent producers and its readers' view.
//
// Files of a copy, in <copy>/<topic>-<partition>/:
//   <base offset, 20 digits>.log     the batches, as they arrived but for base offset and leader
//   epoch <base offset, 20 digits>.index   24-byte entries (offset, position, largest timestamp
//   before), little-endian checkpoint                       JSON: what is known to be good without
//   looking (docs/formats/broker-log.md)
//
// Invariants:
//  I1  Bytes below Segment::bytes never change. All copies that are in sync hold them, byte for
//  byte. I2  In strict mode the high watermark covers only bytes that were synced in every copy in
//  sync. I3  Base offsets grow from batch to batch; a batch lies in one segment; a segment's name
//  is the offset its
//      first batch has.
//  I4  The checkpoint speaks only of bytes that were synced before it was written.
//  I5  A copy that missed a write is marked out of sync, durably, before that write is
//  acknowledged. I6  After a failed write or sync the bytes behind the high watermark are unknown:
//  they are cut off before
//      anything is appended again.
//  I7  Behind its end the active segment's file may hold zeros (partition_zeros.cc); a batch never
//  begins with
//      them, so recovery cuts them off like a torn tail.
//
// Threads: appends come from one committer thread (stage, write, sync, publish). Everything else
// may be called by any thread; the mutex is never held across a disk call, but for opening files.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "broker/producers.h"
#include "broker/segment.h"
#include "broker/topic_config.h"
#include "runtime/disk.h"
#include "wire/schema.h"

namespace aichemy::broker {

// Woken once: when the log grew, shrank from the front, or the partition went away.
using Waiter = std::shared_ptr<std::function<void()>>;

// Bytes in a file: whole batches.
struct Slice {
  std::shared_ptr<File> file;
  uint64_t position = 0;
  uint32_t bytes = 0;
};

struct ReadResult {
  Slice slice;  // empty at the end of the log
  int64_t high_watermark = 0;
  int64_t log_start = 0;
};

struct Appended {
  int64_t base_offset = -1;
  int64_t append_millis = -1;  // log-append time, -1 when the producer's times stay
  int64_t log_start = 0;
  bool duplicate = false;
};

struct Append {
  SharedBytes batch;  // one whole batch, its checksum already verified
  wire::BatchHeader header;
  bool wants_all_copies = true;                // acks=all: at least min.insync.replicas
  std::function<void(Result<Appended>)> done;  // called on the committer's thread, exactly once
};

struct TimestampOffset {
  int64_t timestamp = -1;
  int64_t offset = -1;
  int32_t leader_epoch = -1;
};

class Partition {
 public:
  struct Options {
    std::string topic;
    int32_t index = 0;
    std::array<std::string, kCopiesMax>
        directories;  // of this partition; "" when this copy is not wanted
    std::array<bool, kCopiesMax> out_of_sync = {false, false};
    int32_t leader_epoch = 0;
    TopicConfig config;
    // Records durably that a copy missed a write (I5).
    std::function<Status(Partition&, size_t copy)> lose_copy;
    // Records durably that it has everything again.
    std::function<Status(Partition&, size_t copy)> regain_copy;
  };
  static Result<std::shared_ptr<Partition>> open(Options options, Disk& disk, Clock& clock);

  const std::string& topic() const { return options_.topic; }
  int32_t index() const { return options_.index; }
  int32_t leader_epoch() const { return options_.leader_epoch; }

  // Readers.
  int64_t high_watermark() const { return high_watermark_.load(std::memory_order_acquire); }
  int64_t log_start() const { return log_start_.load(std::memory_order_acquire); }
  // At least one whole batch when there is one, else whole batches up to bytes_max. The first may
  // begin below `offset`. invalid ("offset_out_of_range"), unavailable ("storage").
  Result<ReadResult> read(int64_t offset, uint32_t bytes_max);
  // First record with a timestamp of at least `millis`; offset -1 when there is none.
  Result<TimestampOffset> find_timestamp(int64_t millis);
  Result<TimestampOffset> find_largest_timestamp();
  // Where `epoch` ends: the largest known epoch not above it, and the first offset after it.
  std::pair<int32_t, int64_t> epoch_end(int32_t epoch) const;
  int32_t epoch_of(int64_t offset) const;
  void on_change(const Waiter& waiter);
  uint64_t bytes() const;

  // Copies.
  bool has_copy(size_t copy) const { return !options_.directories[copy].empty(); }
  bool in_sync(size_t copy) const { return in_sync_[copy].load(std::memory_order_acquire); }
  size_t copies_in_sync() const;
  void drop_copy(size_t copy);  // it is gone from outside: stop using it
  // Brings a copy back from the other one. `exclusive` runs a function on the committer's thread
  // and waits.
  Status heal(size_t copy, const std::function<Status(std::function<Status()>)>& exclusive);

  // The committer's steps; only its thread. Appends that fail are answered by stage(); the rest by
  // publish().
  void stage(std::vector<Append> appends);
  Status write();            // into every copy in sync
  Status sync(size_t copy);  // may run for two copies at once
  bool wants_sync() const { return staged_bytes_ > 0 && !config_.relaxed; }
  bool sync_failed(size_t copy, const Error& error);  // false: no copy is left
  void publish();
  void abandon(const Error& error);  // answers what was staged with the error; I6
  // After a round: whether zeros should be written ahead, which zero_ahead() then does, on any
  // thread.
  bool wants_zeros();
  void zero_ahead();

  // Maintenance, from the broker's tick.
  void apply(const TopicConfig& config);
  Status trim(int64_t now_millis);       // retention
  Status delete_before(int64_t offset);  // -1: everything; durable when it returns
  Status checkpoint(bool force);
  void close();   // no more appends; wakes waiters
  void finish();  // at the end, when nothing is appended any more: checkpoint, tidy files
  bool closed() const { return closed_.load(); }

 private:
  struct Staged {
    Append append;
    Appended result;
    wire::BatchHeader header;  // with its offset
    uint64_t position = 0;
    char prefix[16] = {};   // base offset, length, leader epoch as they go to disk
    std::string rewritten;  // log-append time: the whole batch
  };

  Partition(Options options, Disk& disk, Clock& clock);

  Options options_;
  Disk& disk_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<Segment> segments_;  // the last one is active
  std::deque<std::pair<int64_t, uint64_t>>
      recent_;  // (offset, position) of the newest batches of the active one
  std::vector<std::pair<int32_t, int64_t>> epochs_;  // (epoch, first offset)
  std::vector<std::weak_ptr<std::function<void()>>> waiters_;
  Producers producers_;
  TopicConfig config_;
  TopicConfig next_config_;  // taken over by the committer between rounds
  std::atomic<int64_t> high_watermark_{0};
  std::atomic<int64_t> log_start_{0};
  std::array<std::atomic<bool>, kCopiesMax> in_sync_{};
  std::atomic<bool> closed_{false};
  std::mutex checkpoint_mutex_;
  uint64_t bytes_since_checkpoint_ = 0;
  bool checkpoint_due_ = false;

  // The zeros ahead of the active segment's end.
  std::mutex zero_mutex_;
  std::condition_variable zero_done_;
  bool zero_running_ = false;
  uint64_t zero_begin_ = 0;  // of the run on its way
  uint64_t zero_target_ = 0;
  uint64_t zero_end_ = 0;  // zeros (or batches) reach this far

  // The committer's own.
  std::vector<Staged> staged_;
  uint64_t staged_bytes_ = 0;
  bool dirty_tail_ = false;

  // partition.cc
  Status roll_if_needed(uint64_t incoming);
  Status add_segment(int64_t base_offset);
  Status clean_tail();
  bool stage_one(Append append, int64_t& next_offset, uint64_t& position);
  Status copy_failed(size_t copy, const Error& error);
  void wake(std::vector<std::weak_ptr<std::function<void()>>> waiters);
  // partition_zeros.cc
  void wait_for_zeros(uint64_t until);
  void cut_zeros();
  // partition_read.cc
  struct Place {
    std::shared_ptr<File> file;
    uint64_t position = 0;  // of a batch at or before the offset
    uint64_t end = 0;       // where to stop, a batch boundary
    uint64_t readable = 0;  // end of the segment for readers
    bool exact = false;
  };
  Result<Place> locate(int64_t offset, uint32_t bytes_max);
  Status load_index(Segment& segment);
  std::shared_ptr<File> readable_file(Segment& segment);
  Result<TimestampOffset> first_in_batch(const Slice& slice, int64_t millis);
  // partition_recovery.cc
  struct Recovered;
  Status recover();
  Result<Recovered> recover_copy(size_t copy);
  Result<Segment> recover_segment(Recovered& found, size_t copy, int64_t base, const Json* known,
                                  bool sealed);
  Status scan_tail(Recovered& found, Segment& segment, File& file);
  Status adopt(Recovered found);
  Json checkpoint_json() const;
  Status save_index(size_t copy);
  Status copy_segment(size_t from, size_t to, int64_t base_offset, uint64_t bytes);
};

}  // namespace aichemy::broker
