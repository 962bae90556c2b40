#include "auth/aws_chunked.h"

#include "base/check.h"

using namespace aichemy;
using namespace aichemy::auth;

// The same bytes in one piece and in small ones decode to the same payload or the same refusal.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  bool with_keys = data[0] & 1;
  bool with_trailer = data[0] & 2;
  size_t step = data[1] % 16 + 1u;
  std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string payloads[2];
  bool accepted[2];
  for (int round = 0; round < 2; ++round) {
    std::optional<ChunkKeys> keys;
    if (with_keys)
      keys = ChunkKeys{"key", "20261122T153909Z", "20261122/us-east-1/s3/aws4_request", "00"};
    ChunkDecoder decoder(keys, with_trailer, 64);
    std::string& out = payloads[round];
    Status status;
    size_t count = round == 0 ? body.size() : step;
    for (size_t at = 0; at < body.size() && status; at += count) {
      status = decoder.feed(body.substr(at, count), [&](std::string_view payload) {
        out += payload;
        return Status{};
      });
    }
    if (status) status = decoder.finish();
    accepted[round] = status.has_value();
    CHECK(out.size() <= 64);
  }
  CHECK(accepted[0] == accepted[1] && (!accepted[0] || payloads[0] == payloads[1]));
  return 0;
}
