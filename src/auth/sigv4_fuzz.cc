#include "auth/sigv4.h"

using namespace aichemy;
using namespace aichemy::auth;

// First line: Authorization value; second: date; third: query; the rest: path.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::string fields[4];
  for (size_t i = 0, at = 0; i < 4 && at <= text.size(); ++i) {
    size_t end = i == 3 ? text.size() : std::min(text.find('\n', at), text.size());
    fields[i] = text.substr(at, end - at);
    at = end + 1;
  }
  SignedRequest request{
      "GET",
      fields[3],
      fields[2],
      {{"host", "h"}, {"x-amz-date", fields[1]}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}};
  if (!fields[0].empty()) request.headers.emplace_back("authorization", fields[0]);
  auto secret = [](std::string_view) { return std::optional<std::string>("secret"); };
  (void)verify_signature(request, secret, WallTime(std::chrono::seconds(1'795'000'000)),
                         "us-east-1");
  return 0;
}
