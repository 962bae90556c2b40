#include "serve/hms/reply_cache.h"

#include <algorithm>

#include "base/bytes.h"
#include "wire/thrift.h"

namespace aichemy::serve::hms {

namespace {

namespace thrift = wire::thrift;

// Functions of the store and their arguments: nothing of the session, no clock, no locks.
constexpr std::string_view kRepeatable[] = {
    "get_table",
    "get_table_req",
    "get_database",
    "get_database_req",
    "get_partition_by_name",
    "get_partitions_by_names",
    "get_fields",
    "get_schema",
};
constexpr size_t kReplyBytesMax = 64 << 10;
constexpr size_t kEntryBytes = 128;  // of an entry beside its texts
constexpr size_t kSequenceBytes = 4;

}  // namespace

bool is_repeatable(std::string_view method) {
  return std::ranges::find(kRepeatable, method) != std::end(kRepeatable);
}

size_t sequence_offset(std::string_view message) {
  if (message.size() < 8 || static_cast<uint8_t>(message[0]) != 0x80) return 0;
  size_t offset = 8 + size_t{load_big<uint32_t>(message.data() + 4)};
  return offset + kSequenceBytes < message.size() ? offset : 0;
}

bool may_be_kept(std::string_view reply) {
  size_t offset = sequence_offset(reply);
  if (offset == 0 || reply.size() > kReplyBytesMax) return false;
  std::string_view field = reply.substr(offset + kSequenceBytes);
  return reply[3] == static_cast<char>(thrift::MessageKind::reply) && field.size() > 3 &&
         field[0] != 0 && field[1] == 0 && field[2] == 0;
}

ReplyCache::Reply ReplyCache::find(int64_t version, const std::string& question) {
  std::lock_guard lock(mutex_);
  if (version != version_) {
    replies_.clear();
    bytes_ = 0;
    version_ = version;
  }
  auto found = replies_.find(question);
  return found == replies_.end() ? nullptr : found->second;
}

void ReplyCache::keep(int64_t version, std::string question, Reply reply) {
  size_t bytes = question.size() + reply->size() + kEntryBytes;
  std::lock_guard lock(mutex_);
  if (version != version_ || bytes > bytes_max_) return;
  if (bytes_ + bytes > bytes_max_) {
    replies_.clear();
    bytes_ = 0;
  }
  if (replies_.emplace(std::move(question), std::move(reply)).second) bytes_ += bytes;
}

}  // namespace aichemy::serve::hms
