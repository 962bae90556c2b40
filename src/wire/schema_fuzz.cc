// Any bytes as a request of any key and version, and as a record batch: an error or a value that
// encodes back.
#include "wire/messages_admin.h"
#include "wire/messages_data.h"
#include "wire/messages_group.h"
#include "wire/record_batch.h"

namespace {

using namespace aichemy::wire;

template <class T>
void one(int16_t version, bool flexible, std::string_view body) {
  T value;
  auto used = decode(T::kTable, version, flexible, body, &value);
  if (!used) return;
  Encoded encoded;
  encode(T::kTable, version, flexible, &value, encoded);
  T again;
  if (!decode(T::kTable, version, flexible, encoded.bytes, &again)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view body(reinterpret_cast<const char*>(data + 2), size - 2);
  auto version = static_cast<int16_t>(data[1] & 31);
  bool flexible = (data[1] & 128) != 0;
  switch (data[0] & 15) {
    case 0: one<ProduceRequest>(version, flexible, body); break;
    case 1: one<FetchRequest>(version, flexible, body); break;
    case 2: one<MetadataRequest>(version, flexible, body); break;
    case 3: one<JoinGroupRequest>(version, flexible, body); break;
    case 4: one<OffsetFetchRequest>(version, flexible, body); break;
    case 5: one<CreateTopicsRequest>(version, flexible, body); break;
    case 6: one<DescribeTopicPartitionsRequest>(version, flexible, body); break;
    case 7: one<FetchResponse>(version, flexible, body); break;
    case 8: one<ApiVersionsResponse>(version, flexible, body); break;
    default: {
      RequestHeader header;
      (void)decode_header(body, flexible, header);
      std::string storage;
      auto records = read_records(body, storage, 1 << 20);
      if (!records) break;
      for (const Record& record : *records) (void)read_record_headers(record.headers);
    }
  }
  return 0;
}
