#include "auth/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::auth {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr auto kSkewMax = 15min;
constexpr int64_t kExpirySecondsMax = 604'800;
constexpr size_t kSignedHeadersMax = 200;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Trimmed, runs of spaces as one.
void append_header_value(std::string& to, std::string_view value) {
  bool space = false;
  for (char c : trim(value)) {
    if (c == ' ' && space) continue;
    space = c == ' ';
    to.push_back(c);
  }
}

struct Credential {
  std::string access_key;
  std::string day, region, service;
  std::string scope() const { return fmt::format("{}/{}/{}/aws4_request", day, region, service); }
};

std::unexpected<Error> malformed(const std::string& message) {
  return fail(Code::invalid, "authorization_malformed",
              "The authorization header is malformed; " + message);
}

Result<Credential> parse_credential(std::string_view text, std::string_view region) {
  // The access key may hold slashes no more; the last four parts are the scope.
  auto parts = split(text, '/');
  if (parts.size() < 5)
    return malformed(
        "the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  size_t n = parts.size();
  Credential credential;
  credential.access_key =
      std::string(text.substr(0, static_cast<size_t>(parts[n - 4].data() - text.data()) - 1));
  credential.day = std::string(parts[n - 4]);
  credential.region = std::string(parts[n - 3]);
  credential.service = std::string(parts[n - 2]);
  if (parts[n - 1] != "aws4_request")
    return malformed("incorrect terminal, expecting 'aws4_request'.");
  if (credential.service != "s3" && credential.service != "sts") {
    return malformed("incorrect service \"" + credential.service +
                     "\". This endpoint belongs to \"s3\".");
  }
  if (credential.day.size() != 8)
    return malformed(
        "incorrect date format. This date in the credential must be in the format \"yyyyMMdd\".");
  // "US" is what s3cmd signs with when it makes a bucket; the admin clients leave the region out.
  bool ours = region.empty() || credential.region == region || credential.region == "us-east-1" ||
              credential.region == "US" || credential.region.empty();
  if (!ours) {
    return malformed(fmt::format("the region is wrong; expecting '{}'.", region));
  }
  return credential;
}

struct Parsed {
  Credential credential;
  std::vector<std::string> signed_headers;
  std::string signature;
};

Result<Parsed> parse_header(std::string_view header, std::string_view region) {
  header.remove_prefix(kAlgorithm.size());
  Parsed parsed;
  bool credential = false;
  for (std::string_view field : split(header, ',')) {
    field = trim(field);
    size_t equals = field.find('=');
    if (equals == std::string_view::npos) return malformed("a field has no value.");
    std::string_view name = field.substr(0, equals);
    std::string_view value = field.substr(equals + 1);
    if (name == "Credential") {
      ASSIGN_OR_RETURN(parsed.credential, parse_credential(value, region));
      credential = true;
    } else if (name == "SignedHeaders") {
      for (std::string_view each : split(value, ';'))
        parsed.signed_headers.push_back(lower_case(each));
    } else if (name == "Signature") {
      parsed.signature = std::string(value);
    }
  }
  if (!credential || parsed.signature.empty() || parsed.signed_headers.empty() ||
      parsed.signed_headers.size() > kSignedHeadersMax) {
    return malformed("the authorization header requires Credential, SignedHeaders and Signature.");
  }
  return parsed;
}

Result<std::string> canonical_request(const SignedRequest& request,
                                      const std::vector<std::string>& signed_headers,
                                      std::string_view payload_hash) {
  ASSIGN_OR_RETURN(std::string path, percent_decode(request.path));
  ASSIGN_OR_RETURN(std::string query, canonical_query(request.query));
  std::string text = fmt::format("{}\n{}\n{}\n", request.method, percent_encode(path, "/"), query);
  for (const std::string& name : signed_headers) {
    text += name;
    char before = ':';
    bool found = false;
    for (const auto& [header, value] : request.headers) {
      if (!same_name(header, name)) continue;
      text.push_back(before);
      append_header_value(text, value);
      before = ',';
      found = true;
    }
    if (!found) text.push_back(':');
    text.push_back('\n');
  }
  text.push_back('\n');
  text += fmt::format("{}\n{}", fmt::join(signed_headers, ";"), payload_hash);
  return text;
}

std::string sign(std::string_view key, std::string_view date, std::string_view scope,
                 std::string_view canonical) {
  std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope,
                                    to_hex(digest(DigestKind::sha256, canonical)));
  return to_hex(hmac_sha256(key, to_sign));
}

Result<PayloadKind> payload_kind(std::string_view word, bool has_body) {
  struct Row {
    std::string_view word;
    PayloadKind kind;
  };
  static constexpr Row kRows[] = {
      {"UNSIGNED-PAYLOAD", PayloadKind::unsigned_payload},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PayloadKind::signed_chunks},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PayloadKind::signed_chunks_trailer},
      {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PayloadKind::unsigned_chunks_trailer},
  };
  for (const Row& row : kRows) {
    if (row.word == word) return row.kind;
  }
  if (word.starts_with("STREAMING-AWS4-ECDSA")) {
    return fail(Code::unsupported, "sigv4a",
                "A header you provided implies functionality that is not implemented");
  }
  auto raw = from_hex(word);
  if (raw && raw->size() == 32) return PayloadKind::digest;
  (void)has_body;
  return fail(Code::invalid, "content_sha256",
              "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
              "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
              "valid sha256 value.");
}

std::unexpected<Error> mismatch() {
  return fail(Code::unauthenticated, "signature_mismatch",
              "The request signature we calculated does not match the signature you provided. "
              "Check your key and "
              "signing method.");
}

Result<std::string> find_secret(const SecretLookup& secrets, const std::string& access_key) {
  auto secret = secrets(access_key);
  if (secret) return std::move(*secret);
  return fail(Code::unauthenticated, "invalid_access_key",
              "The Access Key Id you provided does not exist in our records.");
}

Result<Verified> verify_header(const SignedRequest& request, std::string_view authorization,
                               const SecretLookup& secrets, WallTime now, std::string_view region) {
  ASSIGN_OR_RETURN(Parsed parsed, parse_header(authorization, region));
  std::string_view date = request.header("x-amz-date");
  std::string from_date;
  if (date.empty()) {
    return fail(Code::denied, "missing_date",
                "AWS authentication requires a valid Date or x-amz-date header");
  }
  auto signed_at = parse_amz_date(date);
  if (!signed_at)
    return fail(Code::denied, "missing_date",
                "AWS authentication requires a valid Date or x-amz-date header");
  if (*signed_at > now + kSkewMax || *signed_at < now - kSkewMax) {
    return fail(Code::denied, "request_time_skewed",
                "The difference between the request time and the server's time is too large.");
  }
  if (parsed.credential.day != date.substr(0, 8))
    return malformed("the date in the credential is not that of the request.");
  auto is_listed = [&](std::string_view name) {
    return std::ranges::find(parsed.signed_headers, lower_case(name)) !=
           parsed.signed_headers.end();
  };
  bool all_signed = is_listed("host");
  for (const auto& [name, value] : request.headers) {
    if (name.size() > 6 && same_name(name.substr(0, 6), "x-amz-")) all_signed &= is_listed(name);
  }
  if (!all_signed) {
    return fail(Code::denied, "unsigned_headers",
                "There were headers present in the request which were not signed");
  }
  std::string_view payload = request.header("x-amz-content-sha256");
  if (payload.empty()) {
    return fail(Code::invalid, "missing_content_sha256",
                "Missing required header for this request: x-amz-content-sha256");
  }
  Verified verified;
  ASSIGN_OR_RETURN(verified.payload, payload_kind(payload, true));
  ASSIGN_OR_RETURN(std::string secret, find_secret(secrets, parsed.credential.access_key));
  ASSIGN_OR_RETURN(std::string canonical,
                   canonical_request(request, parsed.signed_headers, payload));
  std::string key = signing_key(secret, parsed.credential.day, parsed.credential.region,
                                parsed.credential.service);
  std::string scope = parsed.credential.scope();
  if (!equal_constant_time(sign(key, date, scope, canonical), parsed.signature)) return mismatch();
  verified.access_key = parsed.credential.access_key;
  if (verified.payload == PayloadKind::digest) verified.payload_digest = lower_case(payload);
  verified.chunk_keys = {std::move(key), std::string(date), std::move(scope), parsed.signature};
  return verified;
}

std::unexpected<Error> bad_query(const char* message) {
  return fail(Code::invalid, "authorization_query", message);
}

Result<Verified> verify_query(const SignedRequest& request, const SecretLookup& secrets,
                              WallTime now, std::string_view region) {
  std::string algorithm, credential_text, date, expires, headers, signature, payload;
  std::string rest;  // the query without the signature
  for (std::string_view pair : split(request.query, '&')) {
    size_t equals = std::min(pair.find('='), pair.size());
    ASSIGN_OR_RETURN(std::string name, percent_decode(pair.substr(0, equals), true));
    ASSIGN_OR_RETURN(std::string value,
                     percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    if (name == "X-Amz-Signature") {
      signature = std::move(value);
      continue;
    }
    if (!rest.empty()) rest.push_back('&');
    rest += pair;
    if (name == "X-Amz-Algorithm")
      algorithm = std::move(value);
    else if (name == "X-Amz-Credential")
      credential_text = std::move(value);
    else if (name == "X-Amz-Date")
      date = std::move(value);
    else if (name == "X-Amz-Expires")
      expires = std::move(value);
    else if (name == "X-Amz-SignedHeaders")
      headers = std::move(value);
    else if (name == "X-Amz-Content-Sha256")
      payload = std::move(value);
  }
  if (algorithm != kAlgorithm)
    return bad_query("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  if (credential_text.empty() || date.empty() || expires.empty() || headers.empty() ||
      signature.empty()) {
    return bad_query(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  auto credential = parse_credential(credential_text, region);
  if (!credential) {
    return fail(Code::invalid, "authorization_query",
                "Error parsing the X-Amz-Credential parameter; " + credential.error().message);
  }
  auto signed_at = parse_amz_date(date);
  if (!signed_at)
    return bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(expires.data(), expires.data() + expires.size(), seconds);
  if (error != std::errc() || end != expires.data() + expires.size())
    return bad_query("X-Amz-Expires should be a number");
  if (seconds < 0) return bad_query("X-Amz-Expires must be non-negative");
  if (seconds > kExpirySecondsMax)
    return bad_query(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
        "must be less than 604800 seconds");
  if (*signed_at > now + kSkewMax)
    return fail(Code::denied, "not_yet_valid", "Request is not valid yet");
  if (*signed_at + std::chrono::seconds(seconds) < now)
    return fail(Code::denied, "expired", "Request has expired");

  std::vector<std::string> signed_headers;
  for (std::string_view name : split(headers, ';')) signed_headers.push_back(lower_case(name));
  if (std::ranges::find(signed_headers, "host") == signed_headers.end() ||
      signed_headers.size() > kSignedHeadersMax) {
    return fail(Code::denied, "unsigned_headers",
                "There were headers present in the request which were not signed");
  }
  if (payload.empty()) payload = std::string(request.header("x-amz-content-sha256"));
  if (payload.empty()) payload = "UNSIGNED-PAYLOAD";
  Verified verified;
  verified.presigned = true;
  ASSIGN_OR_RETURN(verified.payload, payload_kind(payload, true));
  if (verified.payload == PayloadKind::digest) verified.payload_digest = lower_case(payload);
  ASSIGN_OR_RETURN(std::string secret, find_secret(secrets, credential->access_key));
  SignedRequest unsigned_request = request;
  unsigned_request.query = rest;
  ASSIGN_OR_RETURN(std::string canonical,
                   canonical_request(unsigned_request, signed_headers, payload));
  std::string key = signing_key(secret, credential->day, credential->region, credential->service);
  std::string scope = credential->scope();
  if (!equal_constant_time(sign(key, date, scope, canonical), signature)) return mismatch();
  verified.access_key = credential->access_key;
  verified.chunk_keys = {std::move(key), std::move(date), std::move(scope), std::move(signature)};
  return verified;
}

}  // namespace

std::string_view SignedRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return trim(value);
  }
  return {};
}

std::string signing_key(std::string_view secret, std::string_view day, std::string_view region,
                        std::string_view service) {
  std::string key = hmac_sha256("AWS4" + std::string(secret), day);
  key = hmac_sha256(key, region);
  key = hmac_sha256(key, service);
  return hmac_sha256(key, "aws4_request");
}

Result<std::string> canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!query.empty()) {
    for (std::string_view pair : split(query, '&')) {
      if (pair.empty()) continue;
      size_t equals = std::min(pair.find('='), pair.size());
      ASSIGN_OR_RETURN(std::string name, percent_decode(pair.substr(0, equals), true));
      ASSIGN_OR_RETURN(std::string value,
                       percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
      pairs.emplace_back(percent_encode(name), percent_encode(value));
    }
  }
  std::ranges::sort(pairs);
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text.push_back('&');
    text += name + "=" + value;
  }
  return text;
}

Result<WallTime> parse_amz_date(std::string_view text) {
  auto number = [&](size_t at, size_t count) {
    int value = -1;
    if (at + count <= text.size())
      std::from_chars(text.data() + at, text.data() + at + count, value);
    return value;
  };
  bool shaped =
      text.size() == 16 && text[8] == 'T' && text[15] == 'Z' &&
      std::ranges::all_of(text.substr(0, 8), [](char c) { return c >= '0' && c <= '9'; }) &&
      std::ranges::all_of(text.substr(9, 6), [](char c) { return c >= '0' && c <= '9'; });
  if (!shaped) return fail(Code::invalid, "date", "expected a date as 20261122T153909Z");
  std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                  std::chrono::month(static_cast<unsigned>(number(4, 2))),
                                  std::chrono::day(static_cast<unsigned>(number(6, 2)))};
  if (!day.ok()) return fail(Code::invalid, "date", "expected a date as 20261122T153909Z");
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(number(9, 2)) +
         std::chrono::minutes(number(11, 2)) + std::chrono::seconds(number(13, 2));
}

std::string format_amz_date(WallTime time) {
  std::string iso = format_iso8601(time);  // 2026-11-22T15:39:09.123Z
  std::string text;
  for (char c : iso.substr(0, 19)) {
    if (c != '-' && c != ':') text.push_back(c);
  }
  return text + "Z";
}

bool is_signed(const SignedRequest& request) {
  return !request.header("authorization").empty() ||
         request.query.find("X-Amz-Signature=") != std::string_view::npos ||
         request.query.find("X-Amz-Credential=") != std::string_view::npos ||
         request.query.find("X-Amz-Algorithm=") != std::string_view::npos ||
         request.query.find("AWSAccessKeyId=") != std::string_view::npos;
}

Result<Verified> verify_signature(const SignedRequest& request, const SecretLookup& secrets,
                                  WallTime now, std::string_view region) {
  std::string_view authorization = request.header("authorization");
  if (authorization.starts_with(kAlgorithm))
    return verify_header(request, authorization, secrets, now, region);
  if (!authorization.empty()) {
    if (authorization.starts_with("AWS4-ECDSA")) {
      return fail(Code::unsupported, "sigv4a",
                  "A header you provided implies functionality that is not implemented");
    }
    return fail(Code::invalid, "signature_version",
                "The authorization mechanism you have provided is not supported. Please use "
                "AWS4-HMAC-SHA256.");
  }
  if (!is_signed(request)) return fail(Code::denied, "missing_signature", "Access Denied.");
  return verify_query(request, secrets, now, region);
}

Result<std::string> authorization_header(const SignedRequest& request,
                                         const std::vector<std::string>& signed_headers,
                                         std::string_view access_key, std::string_view secret,
                                         std::string_view region, std::string_view payload_hash) {
  std::string date(request.header("x-amz-date"));
  std::string day = date.substr(0, 8);
  ASSIGN_OR_RETURN(std::string canonical, canonical_request(request, signed_headers, payload_hash));
  std::string scope = fmt::format("{}/{}/s3/aws4_request", day, region);
  std::string signature = sign(signing_key(secret, day, region, "s3"), date, scope, canonical);
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm, access_key,
                     scope, fmt::join(signed_headers, ";"), signature);
}

}  // namespace aichemy::auth
