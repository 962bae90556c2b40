// The inside of the embedded store, shared by its writers, readers, the healer and the public face.
//
// Locks, in this order: bucket gate (shared by commits, exclusive for bucket changes) -> key lock
// (striped) -> membership gate (shared by a commit while it is applied, exclusive while a drive
// joins). None is held while a body arrives.
//
// I1  A commit is one atomic batch per drive and carries a journal entry naming its slots. The
// entry stays until
//     all drives have the commit, so the union of the journals names every slot in which drives may
//     differ.
// I2  What a commit replaces is removed only after the commit is durable on every drive that took
// part. I3  An in-sync drive holds every acknowledged commit; metadata is read from in-sync drives
// only, one key always
//     from the same one while membership does not change.
// I4  A commit counts with kDataShards drives or more; with fewer it is taken back and fails.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "objectstore/drive.h"
#include "objectstore/embedded_store.h"
#include "objectstore/erasure.h"
#include "objectstore/record.h"
#include "objectstore/shard_file.h"

namespace aichemy::objectstore {

inline constexpr size_t kReplicatedBytesMax = 8 << 10;
inline constexpr size_t kInlineBytesMax = 128 << 10;
// Of objects that are put together (put_all): one that is inline waits for no shard files first.
inline constexpr size_t kTogetherBytesMax = 512 << 10;
inline constexpr size_t kAllTogetherBytesMax = 4 << 20;
inline constexpr size_t kPartBytesMin = 5 << 20;

// A shared_mutex whose exclusive side does not starve.
class Gate {
 public:
  void lock_shared() {
    {
      std::lock_guard turn(turnstile_);
    }
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }
  void lock() {
    turnstile_.lock();
    mutex_.lock();
  }
  void unlock() {
    mutex_.unlock();
    turnstile_.unlock();
  }

 private:
  std::mutex turnstile_;
  std::shared_mutex mutex_;
};

// Shard files that readers hold open are removed when the last of them is done.
class FileLeases {
 public:
  void acquire(uint64_t id);
  // True when the file was doomed meanwhile and this was the last lease.
  bool release(uint64_t id);
  // True when it may be removed now; else release() says so later.
  bool doom(uint64_t id);

 private:
  struct Lease {
    int readers = 0;
    bool doomed = false;
  };
  std::mutex mutex_;
  std::unordered_map<uint64_t, Lease> leases_;
};

// Memory for one stripe: the four frames, aligned for direct I/O.
class StripeBuffer {
 public:
  StripeBuffer();
  ~StripeBuffer();
  StripeBuffer(const StripeBuffer&) = delete;
  StripeBuffer& operator=(const StripeBuffer&) = delete;
  char* frame(int shard) { return memory_ + static_cast<size_t>(shard) * kFrameBytes; }

 private:
  char* memory_;
};

// Keeps a few stripe buffers between requests: mapping and clearing 2 MiB costs as much as encoding
// it.
class StripeBuffers {
 public:
  std::unique_ptr<StripeBuffer> take();
  void give(std::unique_ptr<StripeBuffer> buffer);
  void trim();  // drops what was not used since the last trim

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<StripeBuffer>> free_;
  size_t least_ = 0;
};

struct Found {
  uint64_t generation = 0;
  Record record;
};

struct SlotWrite {
  std::string slot;
  Record record;
};

// Bytes beside the records, with their values by shard (replicated: all the same).
struct InlineBytes {
  Extent extent;
  std::array<SharedBytes, kShards> values;
};

struct Commit {
  uint64_t generation = 0;
  std::vector<SlotWrite> puts;
  std::vector<InlineBytes> inlined;
  std::vector<uint64_t> new_files;
  std::vector<std::pair<std::string, uint64_t>> superseded;  // slot, generation
  std::vector<Extent> dead;                                  // bytes nothing refers to any more
  uint8_t drives =
      0x0f;  // those that may take part (they have their shard files); after: that took it
  bool ambiguous = false;  // it failed and could not be taken back everywhere: it may come to life
};

class StoreCore {
 public:
  StoreCore(const EmbeddedStoreOptions& options, Disk& disk, Clock& clock, Random& random,
            Metrics& metrics);
  ~StoreCore();
  Status start();
  void stop();

  // Ids and generations: one counter, never reused (a crash skips some).
  uint64_t next_id();

  // The newest entry of a slot, removed ones included.
  Result<std::optional<Found>> newest(const std::string& slot);
  // The newest live entry; nullopt when absent or removed.
  Result<std::optional<Found>> live(const std::string& slot);
  // The drives that hold one entry of a slot.
  uint8_t holders(const std::string& slot, uint64_t generation);
  // Inline bytes; not_found ("gone") when a newer generation has replaced them.
  Result<std::string> read_inline(const Extent& extent);

  // Applies a commit on all drives; drives that took it. Under I4.
  Result<int> apply(Commit& commit);
  // apply() and, when it counted, the removal of what it replaced.
  Result<int> commit(Commit& commit);
  void supersede(Commit& commit, const std::string& slot, const Found& old,
                 bool keep_bytes = false);

  std::mutex& key_lock(std::string_view slot);  // one for an object, its uploads and their parts
  Gate& bucket_gate() { return bucket_gate_; }

  bool has_bucket(const std::string& bucket);
  Status require_bucket(const std::string& bucket);
  std::vector<BucketInfo> buckets();
  void set_bucket(const std::string& bucket, std::optional<WallTime> created);

  uint8_t online_drives() const;
  Drive& drive(int index) { return *drives_[static_cast<size_t>(index)]; }
  // A drive failed an operation: it goes offline until the monitor opens it again. Want of space
  // does not count.
  void drive_failed(int index, const Error& error);
  Status require_space();

  // A drive to read metadata from: in sync, by preference number `at`; null when there is none.
  std::shared_ptr<MetadataDb> metadata_db(size_t at);

  void remove_shard_files(uint64_t id);  // when no reader holds them
  void release_file(uint64_t id);
  FileLeases& leases() { return leases_; }
  void writing_file(uint64_t id, bool begin);  // orphan collection leaves these alone
  StripeBuffers& buffers() { return buffers_; }

  // heal.cc. One round of the background work: directories gone or back, healing, orphans.
  void poll_drives();
  void heal();
  StoreStatus status();
  // A read found bytes missing or damaged: the background looks at the object.
  void suspect(const std::string& slot);

  const EmbeddedStoreOptions options;
  Clock& clock;
  Random& random;

 private:
  Disk& disk_;
  MetadataMemory memory_;
  std::array<std::unique_ptr<Drive>, kShards> drives_;
  std::string store_id_;
  std::atomic<uint64_t> next_id_{1};
  std::atomic<uint64_t> reserved_until_{0};
  std::mutex reserve_mutex_;
  std::atomic<uint64_t> boot_first_id_{0};
  std::array<uint64_t, kShards> orphan_floor_{};

  Gate bucket_gate_;
  Gate membership_;
  std::array<std::mutex, 1024> key_locks_;
  std::mutex buckets_mutex_;
  std::map<std::string, WallTime> buckets_;
  FileLeases leases_;
  StripeBuffers buffers_;
  std::mutex writing_mutex_;
  std::unordered_set<uint64_t> writing_;

  std::atomic<int64_t> space_checked_millis_{0};
  std::atomic<bool> space_low_{false};
  std::array<std::atomic<bool>, kShards> needs_resume_{};
  std::array<std::atomic<uint64_t>, kShards> healing_left_{};
  std::array<bool, kShards> orphans_checked_{};
  std::atomic<bool> journals_left_{false};
  std::mutex suspects_mutex_;
  std::unordered_set<std::string> suspects_;
  std::array<bool, kShards> full_heal_{};

  std::thread background_;
  std::mutex background_mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};

  struct Instruments {
    Counter& commits;
    Counter& degraded_commits;
    Counter& healed_slots;
    Counter& corrupt_reads;
    Histogram& commit_micros;
  };
  Instruments instruments_;

  // store_start.cc
  Status open_drives();
  Status form_store(std::array<std::optional<DriveIdentity>, kShards>& identities,
                    const std::array<bool, kShards>& present);
  Status open_drive(int index);
  Status load_counters();
  Status extend_reservation(uint64_t at_least);
  Status settle_journals();
  Status load_buckets();

  WriteOps drive_ops(const Commit& commit, const std::vector<SharedBytes>& values, int drive) const;
  void take_back(Commit& commit, uint8_t from);
  void trim(const Commit& commit, uint8_t done);

  // heal.cc
  struct SlotState;
  // Makes all online drives agree on a slot; true when all four then do.
  Result<bool> reconcile(const std::string& slot, bool lock_key);
  Result<SlotState> slot_state(const std::string& slot);
  static bool holds(const SlotState& state, const Extent& extent, int drive_index);
  Status bring_to(const std::string& slot, const SlotState& state, const void* target,
                  int drive_index);
  Status rebuild_bytes(const Extent& extent, int drive_index, WriteOps& ops);
  bool bytes_intact(const Extent& extent, int drive_index);
  Status repair(const std::string& slot);
  Status reconcile_journal(uint64_t id, int give_to, bool lock_key, bool drop);
  Status rebuild_file(const Extent& extent, int drive_index);
  Status heal_drive(int index);
  Status heal_all_slots(int index);
  Status heal_journal(int index, bool lock_key, size_t* healed);
  void trim_journals();
  void try_open(int index);
  void collect_garbage(int index);
  void collect_orphans(int index);
  std::array<std::vector<uint64_t>, kShards> journal_ids();
  void background_loop();
};

// The bytes of a shard file, with its checksums proven. For one extent of layout `files`.
class ExtentReader {
 public:
  // not_found ("gone") when too few shard files exist.
  static Result<std::unique_ptr<ExtentReader>> open(StoreCore& core, const Extent& extent);
  ~ExtentReader();
  // Exactly count bytes at offset of the extent. Thread safe.
  Status read(uint64_t offset, char* to, size_t count);
  // A whole shard payload of a stripe, rebuilt where needed (healing).
  Status read_shard(uint64_t stripe, int shard, char* to);
  bool degraded() const { return degraded_; }

 private:
  ExtentReader(StoreCore& core, const Extent& extent) : core_(core), extent_(extent) {}
  StoreCore& core_;
  Extent extent_;
  std::array<std::unique_ptr<File>, kShards> files_;
  std::atomic<uint8_t> bad_{0};  // shards that failed a read
  std::atomic<bool> degraded_{false};
  std::atomic<uint64_t> hinted_{0};  // stripes below it were announced to the system

  // The frames of this stripe and the next ones: a large read is under way and more will follow.
  void read_ahead(uint64_t stripe);
  // Payload bytes [from, from+count) of a shard, chunk aligned at `from`; checks every chunk
  // touched.
  Status read_chunks(const StripeShape& shape, uint64_t stripe, int shard, size_t from,
                     size_t count, char* to);
  Status rebuild_chunks(const StripeShape& shape, uint64_t stripe, int shard, size_t from,
                        size_t count, char* to);
  Status read_piece(const StripeShape& shape, uint64_t stripe, int shard, size_t from, size_t count,
                    char* to);
};

// Writes the shard files of one extent on all online drives, encoding and writing behind append().
class ExtentWriter {
 public:
  ExtentWriter(StoreCore& core, std::optional<uint64_t> size_hint);
  ~ExtentWriter();  // without finish(): leaves nothing behind
  Status append(std::string_view bytes);
  // Everything is synced; the drives that have it, at least kDataShards of them.
  Result<uint8_t> finish();
  // The record that refers to the files is committed: they stay.
  void keep() { kept_ = true; }
  Extent extent() const { return {Layout::files, id_, size_}; }

 private:
  struct Slot {
    std::unique_ptr<StripeBuffer> buffer;
    Countdown writes;
  };
  StoreCore& core_;
  const std::optional<uint64_t> size_hint_;
  const uint64_t id_;
  uint64_t size_ = 0;
  uint64_t stripe_ = 0;
  size_t in_stripe_ = 0;
  size_t payload_planned_ = 0;
  bool kept_ = false;
  std::array<Slot, 2> slots_;
  std::array<std::unique_ptr<File>, kShards> files_;  // by drive
  std::mutex failures_mutex_;
  std::atomic<uint8_t> failed_{0};  // by drive
  std::optional<Error> failure_;

  Status begin();
  Status flush_stripe();
  void plan_stripe();
  void note_failure(int drive, const Error& error);
  Status enough_drives();
};

}  // namespace aichemy::objectstore
