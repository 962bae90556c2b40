// What a partition remembers of idempotent producers: per producer id the epoch and its last five
// batches, which is how many requests a client may have in flight. Not thread safe: the partition's
// writer owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "wire/record_batch.h"

namespace aichemy::broker {

class Producers {
 public:
  // Looks at a batch about to be appended. A value: it was appended before, at that offset. none:
  // append it. Errors: invalid "out_of_order_sequence", "producer_fenced" (an older epoch).
  Result<std::optional<int64_t>> check(const wire::BatchHeader& batch) const;
  // The batch was given its offset. Undo goes back to the last keep().
  void appended(const wire::BatchHeader& batch, int64_t millis);
  void keep() { undo_.clear(); }
  void undo();

  void expire(int64_t before_millis);
  Json to_json() const;
  void from_json(const Json& json);
  size_t size() const { return states_.size(); }

 private:
  struct Batch {
    int32_t first_sequence = 0;
    int32_t last_sequence = 0;
    int64_t base_offset = 0;
  };
  struct State {
    int16_t epoch = -1;
    int64_t last_millis = 0;
    std::deque<Batch> batches;  // oldest first
  };
  std::map<int64_t, State> states_;
  std::map<int64_t, std::optional<State>> undo_;  // as they were at the last keep()
};

}  // namespace aichemy::broker
