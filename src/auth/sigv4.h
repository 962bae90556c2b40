// AWS Signature Version 4 as S3 servers check it (docs.aws.amazon.com, "Authenticating Requests"):
// Authorization header and presigned query. Pure functions over the request's text; body digests
// are checked by whoever reads the body (PayloadKind says how).
//
// Errors (what): missing_signature, unsigned_headers, expired, request_time_skewed (denied);
// invalid_access_key, signature_mismatch, signature_version (unauthenticated);
// authorization_malformed, authorization_query, content_sha256 (invalid).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace aichemy::auth {

struct SignedRequest {
  std::string_view method;
  std::string_view path;   // as received, encoded
  std::string_view query;  // as received, encoded, without '?'
  std::vector<std::pair<std::string_view, std::string_view>> headers;

  std::string_view header(
      std::string_view name) const;  // case-insensitive, the first, "" when absent
};

enum class PayloadKind : uint8_t {
  digest,  // SHA-256 of the body is payload_digest
  unsigned_payload,
  signed_chunks,  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  signed_chunks_trailer,
  unsigned_chunks_trailer,
};

// What chunk signatures continue from.
struct ChunkKeys {
  std::string signing_key;
  std::string date;       // 20261122T153909Z
  std::string scope;      // 20261122/us-east-1/s3/aws4_request
  std::string signature;  // of the request, hex
};

struct Verified {
  std::string access_key;
  PayloadKind payload = PayloadKind::unsigned_payload;
  std::string payload_digest;  // hex, for PayloadKind::digest
  ChunkKeys chunk_keys;
  bool presigned = false;
};

// The secret of an access key, nullopt when unknown.
using SecretLookup = std::function<std::optional<std::string>(std::string_view access_key)>;

// `region`: requests signed for another one are refused, naming it; "" accepts any.
Result<Verified> verify_signature(const SignedRequest& request, const SecretLookup& secrets,
                                  WallTime now, std::string_view region);

// Whether the request carries any kind of signature.
bool is_signed(const SignedRequest& request);

// Building blocks, also used to sign in tests and clients.
std::string signing_key(std::string_view secret, std::string_view day, std::string_view region,
                        std::string_view service);
Result<std::string> canonical_query(std::string_view query);
Result<WallTime> parse_amz_date(std::string_view text);  // 20261122T153909Z
std::string format_amz_date(WallTime time);
// Authorization header value over the given signed headers (lower case, sorted).
Result<std::string> authorization_header(const SignedRequest& request,
                                         const std::vector<std::string>& signed_headers,
                                         std::string_view access_key, std::string_view secret,
                                         std::string_view region, std::string_view payload_hash);

}  // namespace aichemy::auth
