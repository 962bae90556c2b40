#include <gtest/gtest.h>

#include <fstream>

#include "auth/access_keys.h"
#include "auth/aws_chunked.h"
#include "auth/session_keys.h"
#include "auth/sigv4.h"
#include "auth/users.h"
#include "base/bytes.h"
#include "base/json.h"
#include "runtime/fault_disk.h"

namespace aichemy::auth {
namespace {

std::optional<std::string> golden_secret(std::string_view access_key) {
  if (access_key == "admin") return "password123";
  return std::nullopt;
}

struct GoldenRequest {
  std::string line, path, query, expect;
  Json json;
  SignedRequest request;
  WallTime now;
};

std::vector<std::unique_ptr<GoldenRequest>> golden_requests() {
  std::ifstream file(std::string(AICHEMY_GOLDEN_DIR) + "/s3/signatures.jsonl");
  std::vector<std::unique_ptr<GoldenRequest>> all;
  for (std::string line; std::getline(file, line);) {
    auto golden = std::make_unique<GoldenRequest>();
    golden->json = *Json::parse(line);
    const Json& json = golden->json;
    std::string target(json["target"].as_string());
    size_t question = target.find('?');
    golden->path = target.substr(0, question);
    if (question != std::string::npos) golden->query = target.substr(question + 1);
    golden->expect = std::string(json["expect"].as_string());
    golden->request.method = json["method"].as_string();
    golden->request.path = golden->path;
    golden->request.query = golden->query;
    for (const Json& header : json["headers"].as_array()) {
      golden->request.headers.emplace_back(header.as_array()[0].as_string(),
                                           header.as_array()[1].as_string());
    }
    golden->now = *parse_amz_date(json["date"].as_string());
    golden->line = std::to_string(json["n"].as_int()) + " " +
                   std::string(json["client"].as_string()) + " " +
                   std::string(json["step"].as_string());
    all.push_back(std::move(golden));
  }
  return all;
}

const std::pair<const char*, const char*> kWords[] = {
    {"InvalidAccessKeyId", "invalid_access_key"},
    {"SignatureDoesNotMatch", "signature_mismatch"},
    {"RequestTimeTooSkewed", "request_time_skewed"},
    {"AuthorizationHeaderMalformed", "authorization_malformed"}};

TEST(SigV4, RecordedRequestsOfRealClients) {
  auto all = golden_requests();
  ASSERT_GT(all.size(), 50u);
  int bodies = 0;
  for (const auto& golden : all) {
    auto verified = verify_signature(golden->request, golden_secret, golden->now, "us-east-1");
    if (golden->expect != "ok") {
      // Errors that depend on the server's clock cannot be replayed at the request's own time.
      for (const auto& [word, what] : kWords) {
        if (golden->expect == word && golden->expect != "RequestTimeTooSkewed") {
          ASSERT_FALSE(verified) << golden->line;
          EXPECT_TRUE(verified.error().is(what))
              << golden->line << ": " << verified.error().message;
        }
      }
      continue;
    }
    ASSERT_TRUE(verified) << golden->line << ": " << verified.error().message;
    EXPECT_EQ(verified->access_key, "admin");

    // Every change of what is signed is noticed.
    SignedRequest other = golden->request;
    other.method = other.method == "GET" ? "PUT" : "GET";
    EXPECT_TRUE(
        verify_signature(other, golden_secret, golden->now, "").error().is("signature_mismatch"));
    std::string path = golden->path + "x";
    other = golden->request;
    other.path = path;
    EXPECT_TRUE(
        verify_signature(other, golden_secret, golden->now, "").error().is("signature_mismatch"));
    auto wrong = [](std::string_view) { return std::optional<std::string>("other"); };
    EXPECT_TRUE(
        verify_signature(golden->request, wrong, golden->now, "").error().is("signature_mismatch"));
    auto late = golden->now + std::chrono::hours(24 * 8);
    auto refused = verify_signature(golden->request, golden_secret, late, "");
    EXPECT_TRUE(refused.error().is(verified->presigned ? "expired" : "request_time_skewed"));

    auto body = from_base64(golden->json["body_b64"].as_string());
    if (!body || body->empty()) continue;
    ++bodies;
    auto length = std::stoull(std::string(golden->request.header("x-amz-decoded-content-length")));
    bool has_keys = verified->payload != PayloadKind::unsigned_chunks_trailer;
    bool has_trailer = verified->payload != PayloadKind::signed_chunks;
    for (size_t step : {size_t{1}, size_t{7}, body->size()}) {
      ChunkDecoder decoder(has_keys ? std::optional(verified->chunk_keys) : std::nullopt,
                           has_trailer, length);
      std::string payload;
      for (size_t at = 0; at < body->size(); at += step) {
        auto fed =
            decoder.feed(std::string_view(*body).substr(at, step), [&](std::string_view bytes) {
              payload += bytes;
              return Status{};
            });
        ASSERT_TRUE(fed) << golden->line << ": " << fed.error().message;
      }
      ASSERT_TRUE(decoder.finish()) << golden->line;
      EXPECT_EQ(payload.size(), length);
      EXPECT_EQ(decoder.trailers().empty(), !has_trailer) << golden->line;
    }
    // Cut short, and (where signed) changed.
    ChunkDecoder cut(std::nullopt, has_trailer, length);
    auto drop = [](std::string_view) { return Status{}; };
    Status status = cut.feed(std::string_view(*body).substr(0, body->size() / 2), drop);
    EXPECT_FALSE(status && cut.finish()) << golden->line;
    if (has_keys && length > 0) {
      std::string changed = *body;
      changed[changed.find("\r\n") + 2] ^= 1;
      ChunkDecoder decoder(verified->chunk_keys, has_trailer, length);
      status = decoder.feed(changed, drop);
      EXPECT_TRUE(!status && status.error().is("signature_mismatch")) << golden->line;
    }
  }
  EXPECT_GT(bodies, 2);
}

struct BadRow {
  const char* authorization;
  const char* query;
  const char* what;
};

const BadRow kBadRows[] = {
    {"", "", "missing_signature"},
    {"AWS admin:abc", "", "signature_version"},
    {"AWS4-HMAC-SHA256", "", "authorization_malformed"},
    {"AWS4-HMAC-SHA256 Credential=admin", "", "authorization_malformed"},
    {"AWS4-HMAC-SHA256 Credential=admin/20261122/us-east-1/s3/aws4_request", "",
     "authorization_malformed"},
    {"AWS4-HMAC-SHA256 Credential=admin/20261122/us-east-1/ec2/aws4_request, SignedHeaders=host, "
     "Signature=0",
     "", "authorization_malformed"},
    {"AWS4-HMAC-SHA256 Credential=admin/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, "
     "Signature=0",
     "", "authorization_malformed"},
    {"AWS4-HMAC-SHA256 Credential=admin/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, "
     "Signature=0",
     "", "unsigned_headers"},
    {"AWS4-HMAC-SHA256 Credential=nobody/20261122/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0",
     "", "invalid_access_key"},
    {"AWS4-HMAC-SHA256 Credential=admin/20261122/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=0",
     "", "signature_mismatch"},
    {"", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0", "authorization_query"},
    {"", "X-Amz-Algorithm=OTHER&X-Amz-Signature=0", "authorization_query"},
    {"",
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=admin%2F20261122%2Fus-east-1%2Fs3%2Faws4_"
     "request&X-Amz-Date="
     "20261122T153909Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
     "authorization_query"},
    {"",
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=admin%2F20261122%2Fus-east-1%2Fs3%2Faws4_"
     "request&X-Amz-Date="
     "20261122T140000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
     "expired"},
};

TEST(SigV4, RefusalsNameTheirReason) {
  for (const BadRow& row : kBadRows) {
    SignedRequest request{"GET",
                          "/b/k",
                          row.query,
                          {{"Host", "h"},
                           {"X-Amz-Date", "20261122T153909Z"},
                           {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}};
    if (row.authorization[0]) request.headers.emplace_back("Authorization", row.authorization);
    auto verified =
        verify_signature(request, golden_secret, *parse_amz_date("20261122T153909Z"), "us-east-1");
    ASSERT_FALSE(verified) << row.authorization << row.query;
    EXPECT_STREQ(verified.error().what, row.what) << row.authorization << row.query;
  }
}

TEST(SigV4, WhatWeSignWeAccept) {
  WallTime now = *parse_amz_date("20261122T153909Z");
  std::string date = format_amz_date(now);
  EXPECT_EQ(date, "20261122T153909Z");
  SignedRequest request{
      "PUT",
      "/b/a%20b",
      "z=1&a=%2F",
      {{"host", "h:9000"}, {"x-amz-date", date}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}};
  auto header = authorization_header(request, {"host", "x-amz-content-sha256", "x-amz-date"},
                                     "admin", "password123", "us-east-1", "UNSIGNED-PAYLOAD");
  ASSERT_TRUE(header);
  request.headers.emplace_back("authorization", *header);
  EXPECT_TRUE(verify_signature(request, golden_secret, now, "us-east-1"));
  EXPECT_FALSE(parse_amz_date("20261322T153909Z"));
  EXPECT_FALSE(parse_amz_date("2026-11-22"));
}

TEST(Users, PasswordsAreHashedCheckedAndRemembered) {
  FaultDisk disk(1);
  SystemRandom random;
  auto users = UserStore::open(disk, random, "/secrets/users", 4);
  ASSERT_TRUE(users);
  EXPECT_TRUE((*users)->empty());
  EXPECT_TRUE((*users)->check_password("admin", "admin123").error().is("bad_credentials"));
  ASSERT_TRUE((*users)->set_password("admin", "admin123"));
  EXPECT_TRUE((*users)->check_password("admin", "admin123"));
  EXPECT_TRUE((*users)->is_remembered("admin", "admin123"));
  EXPECT_FALSE((*users)->check_password("admin", "admin124"));
  EXPECT_FALSE((*users)->check_password("admin", ""));
  EXPECT_FALSE((*users)->set_password("a:b", "x"));
  EXPECT_FALSE((*users)->set_password("a", std::string(73, 'x')));
  // As htpasswd -nbB made it.
  ASSERT_TRUE((*users)->import_hash(
      "user1", "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"));
  EXPECT_FALSE((*users)->import_hash("user2", "{SHA}abc"));
  ASSERT_TRUE((*users)->set_password("admin", "changed"));
  EXPECT_FALSE((*users)->is_remembered("admin", "admin123"));
  EXPECT_FALSE((*users)->check_password("admin", "admin123"));
  disk.crash();
  auto again = UserStore::open(disk, random, "/secrets/users", 4);
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)->check_password("admin", "changed"));
  EXPECT_EQ((*again)->names(), (std::vector<std::string>{"admin", "user1"}));
  ASSERT_TRUE((*again)->remove("user1"));
  EXPECT_TRUE((*again)->remove("user1").error().is("no_such_user"));
  auto text = disk.read_file("/secrets/users");
  EXPECT_TRUE(text->starts_with("admin:$2y$04$")) << *text;
}

TEST(AccessKeys, KeepAcrossRestartAndRefuseUnknown) {
  FaultDisk disk(1);
  auto keys = AccessKeys::open(disk, "/secrets/access_keys");
  ASSERT_TRUE(keys);
  EXPECT_FALSE((*keys)->find("admin"));
  ASSERT_TRUE((*keys)->set({"admin", "password123", "admin"}));
  EXPECT_FALSE((*keys)->set({"with space", "password123", "admin"}));
  disk.crash();
  auto again = AccessKeys::open(disk, "/secrets/access_keys");
  EXPECT_EQ((*again)->find("admin")->secret, "password123");
  ASSERT_TRUE((*again)->remove("admin"));
  EXPECT_FALSE((*again)->find("admin"));
}

TEST(SessionKeysTest, SayWhatTheyAreFor) {
  SessionKeys keys(std::string(64, 'k'));
  WallTime now = *parse_amz_date("20261122T153909Z");
  SessionKey issued =
      keys.issue({"ann", {"lake/s/t/", "other/x/"}, now + std::chrono::milliseconds(3'600'500)});
  auto opened = keys.open(issued.token, now);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->id, issued.id);
  EXPECT_EQ(opened->secret, issued.secret);
  EXPECT_EQ(opened->grant.user, "ann");
  EXPECT_EQ(opened->grant.until, now + std::chrono::hours(1));
  struct Row {
    const char *bucket, *key;
    bool allowed;
  };
  for (const Row& row : {Row{"lake", "s/t/data/1.parquet", true}, Row{"lake", "s/t/", true},
                         Row{"other", "x/y", true}, Row{"lake", "s/t", false},
                         Row{"lake", "s/t2/data/1.parquet", false}, Row{"lake", "x/y", false},
                         Row{"lake/s", "t/1", false}, Row{"", "", false}})
    EXPECT_EQ(opened->grant.allows(row.bucket, row.key), row.allowed)
        << row.bucket << " " << row.key;
}

TEST(SessionKeysTest, CannotBeChangedNorOutliveTheirTime) {
  SessionKeys keys(std::string(64, 'k'));
  WallTime now = *parse_amz_date("20261122T153909Z");
  SessionKey issued = keys.issue({"ann", {"lake/s/t/"}, now + std::chrono::seconds(10)});
  EXPECT_TRUE(keys.open(issued.token, now + std::chrono::seconds(10)).error().is("expired_token"));
  EXPECT_TRUE(SessionKeys("another").open(issued.token, now).error().is("invalid_token"));
  for (size_t i = 0; i < issued.token.size(); ++i) {
    std::string changed = issued.token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    auto opened = keys.open(changed, now);
    ASSERT_FALSE(opened) << i;
    EXPECT_TRUE(opened.error().is("invalid_token")) << i;
  }
  for (const char* text : {"", ".", "a.b", "=.=", "e30="})
    EXPECT_TRUE(keys.open(text, now).error().is("invalid_token")) << text;
  EXPECT_FALSE(keys.open(std::string(100'000, 'a') + ".b", now));
}

}  // namespace
}  // namespace aichemy::auth
