#include "broker/producers.h"

namespace aichemy::broker {
namespace {

constexpr size_t kBatchesRemembered = 5;

// Sequence numbers wrap from 2^31 - 1 to 0.
int32_t advance(int32_t sequence, int32_t by) {
  return static_cast<int32_t>((static_cast<uint32_t>(sequence) + static_cast<uint32_t>(by)) &
                              0x7fffffffu);
}

}  // namespace

Result<std::optional<int64_t>> Producers::check(const wire::BatchHeader& batch) const {
  if (batch.producer_id < 0) return std::nullopt;
  auto found = states_.find(batch.producer_id);
  if (found == states_.end()) return std::nullopt;  // unknown or expired: any sequence may start
  const State& state = found->second;
  if (batch.producer_epoch < state.epoch) {
    return fail(Code::invalid, "producer_fenced",
                "the producer's epoch " + std::to_string(batch.producer_epoch) + " is older than " +
                    std::to_string(state.epoch));
  }
  if (batch.producer_epoch > state.epoch) {
    if (batch.base_sequence == 0) return std::nullopt;
    return fail(Code::invalid, "out_of_order_sequence",
                "a new producer epoch must start at sequence 0");
  }
  int32_t last = advance(batch.base_sequence, batch.last_offset_delta);
  for (const Batch& known : state.batches) {
    if (known.first_sequence == batch.base_sequence && known.last_sequence == last)
      return known.base_offset;
  }
  if (state.batches.empty()) return std::nullopt;
  int32_t expected = advance(state.batches.back().last_sequence, 1);
  if (batch.base_sequence == expected) return std::nullopt;
  return fail(Code::invalid, "out_of_order_sequence",
              "producer " + std::to_string(batch.producer_id) + " sent sequence " +
                  std::to_string(batch.base_sequence) + ", expected " + std::to_string(expected));
}

void Producers::appended(const wire::BatchHeader& batch, int64_t millis) {
  if (batch.producer_id < 0) return;
  auto found = states_.find(batch.producer_id);
  undo_.try_emplace(batch.producer_id,
                    found == states_.end() ? std::nullopt : std::optional<State>(found->second));
  State& state = states_[batch.producer_id];
  if (batch.producer_epoch != state.epoch) {
    state.epoch = batch.producer_epoch;
    state.batches.clear();
  }
  state.last_millis = millis;
  state.batches.push_back({batch.base_sequence,
                           advance(batch.base_sequence, batch.last_offset_delta),
                           batch.base_offset});
  if (state.batches.size() > kBatchesRemembered) state.batches.pop_front();
}

void Producers::undo() {
  for (auto& [id, before] : undo_) {
    if (before) {
      states_[id] = std::move(*before);
    } else {
      states_.erase(id);
    }
  }
  undo_.clear();
}

void Producers::expire(int64_t before_millis) {
  std::erase_if(states_, [&](const auto& item) { return item.second.last_millis < before_millis; });
}

Json Producers::to_json() const {
  Json all = Json::array();
  for (const auto& [id, state] : states_) {
    Json batches = Json::array();
    for (const Batch& batch : state.batches) {
      batches.push(Json::array()
                       .push(batch.first_sequence)
                       .push(batch.last_sequence)
                       .push(batch.base_offset));
    }
    all.push(Json::object()
                 .set("id", id)
                 .set("epoch", int64_t{state.epoch})
                 .set("millis", state.last_millis)
                 .set("batches", std::move(batches)));
  }
  return all;
}

void Producers::from_json(const Json& json) {
  states_.clear();
  undo_.clear();
  for (const Json& item : json.as_array()) {
    State& state = states_[item["id"].as_int()];
    state.epoch = static_cast<int16_t>(item["epoch"].as_int());
    state.last_millis = item["millis"].as_int();
    for (const Json& batch : item["batches"].as_array()) {
      const Json::Array& numbers = batch.as_array();
      if (numbers.size() != 3) continue;
      state.batches.push_back({static_cast<int32_t>(numbers[0].as_int()),
                               static_cast<int32_t>(numbers[1].as_int()), numbers[2].as_int()});
    }
  }
}

}  // namespace aichemy::broker
