// Replies that may be given again: those of methods whose answer depends on nothing but their
// arguments and the metadata store, for as long as the store's version stays. So a client that asks
// for a table again is answered on its io loop, without a worker and without a statement.
//
// A reply is kept under the version that was asked for before the store was read: a commit between
// the two makes it unreachable, never stale. Thread safe. Private to the module.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aichemy::serve::hms {

class ReplyCache {
 public:
  explicit ReplyCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  using Reply = std::shared_ptr<const std::string>;
  // The reply to this call without its sequence number; null when there is none of this version.
  Reply find(int64_t version, const std::string& question);
  void keep(int64_t version, std::string question, Reply reply);

 private:
  const size_t bytes_max_;
  std::mutex mutex_;
  int64_t version_ = 0;
  size_t bytes_ = 0;
  std::unordered_map<std::string, Reply> replies_;
};

bool is_repeatable(std::string_view method);

// Where the sequence number of a strict message is; 0 for other messages.
size_t sequence_offset(std::string_view message);
// An answer of the method's, not an exception, and small enough to be kept.
bool may_be_kept(std::string_view reply);

}  // namespace aichemy::serve::hms
