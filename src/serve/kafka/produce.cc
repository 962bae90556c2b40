// Produce: checks each batch, hands it to its partition's committer, and answers when the last one
// is durable.
#include <atomic>

#include "base/log.h"
#include "serve/kafka/errors.h"
#include "serve/kafka/handlers.h"
#include "wire/messages_data.h"
#include "wire/record_batch.h"

namespace aichemy::serve::kafka {
namespace {

constexpr int16_t kFirstVersionWithBatches = 3;
constexpr int16_t kFirstVersionWithZstd = 7;

// One request on its way. The last partition to finish answers.
struct Pending {
  wire::ProduceResponse response;
  std::atomic<int> left{1};
  std::function<void(Reply)> done;
  SharedBytes frame;
  wire::RequestHeader header;
  bool flexible = false;
  bool silent = false;

  void finish_one(Services& services, Client& client) {
    if (left.fetch_sub(1) != 1) return;
    Reply reply;
    if (silent) {
      reply.none = true;
    } else {
      Context context{services, client, header, flexible, {}, {}, {}};
      reply = make_reply(context, wire::ProduceResponse::kTable, &response);
    }
    done(std::move(reply));
  }
};

struct Refusal {
  int16_t error = kNone;
  std::string message;
};

// What must hold of a batch besides its checksum.
Refusal check(std::string_view records, int16_t version, wire::BatchHeader& header) {
  if (version < kFirstVersionWithBatches || (records.size() > 16 && records[16] != 2)) {
    return {kUnsupportedForMessageFormat,
            "only record batches of magic 2 are taken (producers since 0.11)"};
  }
  auto checked = wire::check_batch(records);
  if (!checked) return {kCorruptMessage, checked.error().message};
  header = *checked;
  if (header.bytes() != records.size())
    return {kInvalidRecord, "a partition's records must be one batch"};
  if (header.count < 1 || header.count != header.last_offset_delta + 1) {
    return {kInvalidRecord, "the batch's offsets are not dense"};
  }
  if (header.is_control()) return {kInvalidRecord, "clients may not write control batches"};
  if (header.is_transactional()) return {kInvalidTxnState, "transactions are not served"};
  if (header.codec_bits() > static_cast<int>(wire::Codec::zstd))
    return {kInvalidRecord, "unknown compression codec"};
  if (header.codec() == wire::Codec::zstd && version < kFirstVersionWithZstd) {
    return {kUnsupportedCompression, "zstd needs Produce version 7"};
  }
  if (header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0)) {
    return {kInvalidRecord, "a producer id without a sequence"};
  }
  return {};
}

}  // namespace

Status produce(Context& context, std::function<void(Reply)> done) {
  wire::ProduceRequest request;
  auto used = wire::decode(wire::ProduceRequest::kTable, context.header.version, context.flexible,
                           context.body, &request);
  if (!used) return std::unexpected(used.error());
  auto pending = std::make_shared<Pending>();
  pending->done = std::move(done);
  pending->frame = context.frame;
  pending->header = context.header;
  pending->flexible = context.flexible;
  pending->silent = request.acks == 0;
  pending->response.responses.resize(request.topic_data.size());
  for (size_t i = 0; i < request.topic_data.size();
       ++i) {  // sized first: callbacks write into it from elsewhere
    pending->response.responses[i].name = request.topic_data[i].name;
    pending->response.responses[i].partition_responses.resize(
        request.topic_data[i].partition_data.size());
  }
  Services& services = context.services;
  Client& client = context.client;
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    auto topic = services.broker.find_topic(request.topic_data[i].name);
    for (size_t j = 0; j < request.topic_data[i].partition_data.size(); ++j) {
      const auto& data = request.topic_data[i].partition_data[j];
      auto& answer = pending->response.responses[i].partition_responses[j];
      answer.index = data.index;
      answer.base_offset = -1;
      wire::BatchHeader header;
      Refusal refusal;
      if (request.acks < -1 || request.acks > 1) {
        refusal = {kInvalidRequiredAcks, "acks must be -1, 0 or 1"};
      } else if (!topic || data.index < 0 ||
                 static_cast<size_t>(data.index) >= topic->partitions.size()) {
        refusal = {kUnknownTopicOrPartition, "no such topic or partition"};
      } else if (topic->internal) {
        refusal = {kInvalidTopic, "internal topics are written by the broker only"};
      } else {
        refusal = check(data.records.bytes, context.header.version, header);
      }
      if (refusal.error != kNone) {
        answer.error_code = refusal.error;
        answer.error_message = std::move(refusal.message);
        continue;
      }
      size_t at = static_cast<size_t>(data.records.bytes.data() - context.frame.view().data());
      pending->left.fetch_add(1);
      auto finished = [pending, &answer, &services, &client](Result<broker::Appended> result) {
        if (result) {
          answer.base_offset = result->base_offset;
          answer.log_append_time_ms = result->append_millis;
          answer.log_start_offset = result->log_start;
        } else {
          answer.error_code = error_number(result.error());
          answer.error_message = result.error().message;
        }
        pending->finish_one(services, client);
      };
      services.broker.append(topic->partitions[static_cast<size_t>(data.index)],
                             broker::Append{context.frame.slice(at, data.records.bytes.size()),
                                            header, request.acks == -1, std::move(finished)});
    }
  }
  pending->finish_one(services, client);
  return {};
}

}  // namespace aichemy::serve::kafka
