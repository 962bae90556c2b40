#include "serve/s3/s3.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <set>

#include "auth/sigv4.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/log.h"
#include "objectstore/embedded_store.h"
#include "serve/s3/error_table.h"
#include "serve/s3/exchange.h"
#include "serve/s3/routes.h"
#include "serve/s3/xml.h"

namespace aichemy::serve::s3 {
namespace {

TEST(ErrorTable, EveryCodeHasARow) {
  for (int code = 0; code < kCodeCount; ++code) {
    const ErrorRow& row = error_row({static_cast<Code>(code), "something else", ""});
    EXPECT_STREQ(row.what, "") << code;
    EXPECT_GE(row.status, 300);
  }
  std::set<std::pair<Code, std::string>> seen;
  for (const ErrorRow& row : error_table()) {
    EXPECT_TRUE(seen.emplace(row.code, row.what).second) << row.what << " twice";
    EXPECT_EQ(&error_row({row.code, row.what, ""}), &row);
  }
}

TEST(Routes, EveryAbsentSubresourceHasAnError) {
  for (const Subresource& row : subresources()) {
    if (row.absent[0])
      EXPECT_STREQ(error_row({Code::not_found, row.absent, ""}).what, row.absent) << row.parameter;
  }
  for (const Route& row : routes()) EXPECT_NE(row.handler, nullptr);
}

struct RangeRow {
  const char* header;
  uint64_t size;
  int64_t offset;  // -1: the whole; -2: invalid_range
  uint64_t count;
};

const RangeRow kRangeRows[] = {
    {"", 10, -1, 0},
    {"bytes=0-4", 10, 0, 5},
    {"bytes=3-", 10, 3, 7},
    {"bytes=-3", 10, 7, 3},
    {"bytes=-30", 10, 0, 10},
    {"bytes=5-99", 10, 5, 5},
    {"bytes=10-", 10, -2, 0},
    {"bytes=-0", 10, -2, 0},
    {"bytes=0-0", 0, -2, 0},
    {"bytes=0-1,3-4", 10, -1, 0},
    {"bytes=4-2", 10, -1, 0},
    {"lines=1-2", 10, -1, 0},
    {"bytes=a-b", 10, -1, 0},
    {"bytes=-", 10, -1, 0},
    {"bytes=99999999999999999999-", 10, -1, 0},
};

TEST(Ranges, AsInRfc9110) {
  for (const RangeRow& row : kRangeRows) {
    auto range = parse_range(row.header, row.size);
    if (row.offset == -2) {
      EXPECT_TRUE(!range && range.error().is("invalid_range")) << row.header;
      continue;
    }
    ASSERT_TRUE(range) << row.header;
    EXPECT_EQ(range->has_value(), row.offset >= 0) << row.header;
    if (row.offset < 0 || !*range) continue;
    EXPECT_EQ((*range)->offset, static_cast<uint64_t>(row.offset)) << row.header;
    EXPECT_EQ((*range)->count, row.count) << row.header;
  }
}

TEST(Xml, ReadsWhatClientsSendAndRefusesTheRest) {
  auto node = parse_xml(
      "<?xml version='1.0'?><!-- c --><a:Delete "
      "xmlns:a=\"x\"><Object><Key>a&amp;b&#x41;<![CDATA[<c>]]></Key></Object>"
      "<Quiet>true</Quiet><Empty/></a:Delete>\n");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->name, "Delete");
  EXPECT_EQ(node->children[0].text_of("Key"), "a&bA<c>");
  EXPECT_EQ(node->text_of("Quiet"), "true");
  for (const char* bad :
       {"", "<", "<a>", "<a></b>", "<a>&x;</a>", "<a>&#0;</a>", "<a b></a>", "<a/><b/>", "x<a/>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a b='1></a>", "<a>\xff</a>"}) {
    EXPECT_FALSE(parse_xml(bad)) << bad;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_xml(deep));
  XmlWriter xml;
  std::string text = xml.open("r").text("k", "<&\"'>\t\x01").close("r").take();
  EXPECT_EQ(parse_xml(text)->text_of("k"), "<&\"'>\t\xef\xbf\xbd");
}

// --- the real server on a real store
// ----------------------------------------------------------------------

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class S3ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    configure_log(LogLevel::off, LogFormat::human);
    char name[] = "/tmp/aichemy-s3-XXXXXX";
    root_ = ::mkdtemp(name);
    objectstore::EmbeddedStoreOptions store_options;
    for (int i = 0; i < 4; ++i)
      store_options.drives.push_back(root_ + "/drives/" + std::to_string(i));
    auto store = objectstore::EmbeddedStore::start(store_options, disk_, clock_, random_, metrics_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    keys_ = std::move(*auth::AccessKeys::open(disk_, root_ + "/secrets/access_keys"));
    ASSERT_TRUE(keys_->set({"admin", "password123", "admin"}));
    S3Options options;
    options.port = 0;
    options.domain = "s3.test";
    auto server = S3Server::start(io_, pool_, metrics_, clock_, random_, *store_, *keys_, options);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void TearDown() override {
    if (server_) server_->stop(std::chrono::milliseconds(100));
    server_.reset();
    io_.stop();
    pool_.stop();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  Answer raw(const std::string& text) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
    socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    std::string got;
    asio::read(socket, asio::dynamic_buffer(got), ignored);
    Answer answer;
    size_t end = got.find("\r\n\r\n");
    if (end == std::string::npos) return answer;
    answer.status = std::atoi(got.c_str() + 9);
    answer.head = got.substr(0, end);
    answer.body = got.substr(end + 4);
    return answer;
  }

  using Extra = std::vector<std::pair<std::string, std::string>>;
  Answer call(const std::string& method, const std::string& target, const std::string& body = "",
              const Extra& extra = {}, const std::string& host = "localhost") {
    std::string hash = to_hex(digest(DigestKind::sha256, body));
    for (const auto& [name, value] : extra) {
      if (name == "x-amz-content-sha256") hash = value;
    }
    std::string date = auth::format_amz_date(clock_.wall_now());
    size_t question = target.find('?');
    std::string path = target.substr(0, question);
    std::string query = question == std::string::npos ? "" : target.substr(question + 1);
    auth::SignedRequest request{
        method,
        path,
        query,
        {{"host", host}, {"x-amz-date", date}, {"x-amz-content-sha256", hash}}};
    std::vector<std::string> names{"host", "x-amz-content-sha256", "x-amz-date"};
    std::string head = method + " " + target + " HTTP/1.1\r\nhost: " + host +
                       "\r\nx-amz-date: " + date + "\r\nx-amz-content-sha256: " + hash +
                       "\r\nconnection: close\r\n";
    for (const auto& [name, value] : extra) {
      if (name == "x-amz-content-sha256") continue;
      head += name + ": " + value + "\r\n";
      if (!name.starts_with("x-amz-")) continue;
      request.headers.emplace_back(name, value);
      names.push_back(name);
    }
    std::ranges::sort(names);
    auto header =
        auth::authorization_header(request, names, "admin", "password123", "us-east-1", hash);
    EXPECT_TRUE(header);
    head += "authorization: " + *header + "\r\n";
    if (!body.empty() || method == "PUT" || method == "POST")
      head += "content-length: " + std::to_string(body.size()) + "\r\n";
    return raw(head + "\r\n" + body);
  }
  static std::string code_of(const Answer& answer) {
    auto xml = parse_xml(answer.body);
    return xml ? std::string(xml->text_of("Code")) : "no XML: " + answer.body;
  }

  std::string root_;
  PosixDisk disk_;
  SystemClock clock_;
  SystemRandom random_;
  Metrics metrics_;
  IoThreads io_{2};
  Pool pool_{{"s3", 8, 64}};
  std::unique_ptr<objectstore::EmbeddedStore> store_;
  std::unique_ptr<auth::AccessKeys> keys_;
  std::unique_ptr<S3Server> server_;
};

TEST_F(S3ServerTest, ObjectsGoInAndComeOut) {
  EXPECT_EQ(call("PUT", "/bucket").status, 200);
  std::string body(3'000'000, 'x');
  Answer put = call("PUT", "/bucket/dir/k%20%2B%C3%A9", body);
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_NE(put.head.find(to_hex(digest(DigestKind::md5, body))), std::string::npos);
  Answer got = call("GET", "/bucket/dir/k%20%2B%C3%A9");
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == body);
  got = call("GET", "/bucket/dir/k%20%2B%C3%A9", "", {{"range", "bytes=2999990-"}});
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.body, "xxxxxxxxxx");
  EXPECT_NE(call("GET", "/bucket?list-type=2&prefix=dir%2F").body.find("<Size>3000000</Size>"),
            std::string::npos);
  // Virtual-host style.
  got = call("GET", "/dir/k%20%2B%C3%A9", "", {}, "bucket.s3.test");
  EXPECT_EQ(got.body.size(), body.size());
  EXPECT_EQ(call("HEAD", "/bucket/dir/k%20%2B%C3%A9").status, 200);
  EXPECT_EQ(call("DELETE", "/bucket/dir/k%20%2B%C3%A9").status, 204);
  EXPECT_EQ(code_of(call("GET", "/bucket/dir/k%20%2B%C3%A9")), "NoSuchKey");
}

TEST_F(S3ServerTest, ChunkedBodiesWithTrailers) {
  ASSERT_EQ(call("PUT", "/bucket").status, 200);
  std::string crc = to_base64([] {
    std::string raw;
    append_big(raw, crc32(0, "hello world"));
    return raw;
  }());
  auto put = [&](const std::string& sum, const std::string& length) {
    std::string body = "6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32:" + sum + "\r\n\r\n";
    return call("PUT", "/bucket/k", body,
                {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                 {"x-amz-decoded-content-length", length},
                 {"x-amz-trailer", "x-amz-checksum-crc32"},
                 {"content-encoding", "aws-chunked"}});
  };
  Answer answer = put(crc, "11");
  EXPECT_EQ(answer.status, 200) << answer.body;
  Answer got = call("GET", "/bucket/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(got.body, "hello world");
  EXPECT_NE(got.head.find("x-amz-checksum-crc32: " + crc), std::string::npos) << got.head;
  EXPECT_EQ(got.head.find("aws-chunked"), std::string::npos);
  EXPECT_EQ(code_of(put("AAAAAA==", "11")), "XAmzContentChecksumMismatch");
  EXPECT_EQ(code_of(put(crc, "12")), "IncompleteBody");
  EXPECT_EQ(code_of(put(crc, "10")), "InvalidRequest");
}

struct RefusedRow {
  const char* method;
  const char* target;
  const char* body;
  const char* header;
  const char* value;
  int status;
  const char* code;
};

const RefusedRow kRefusedRows[] = {
    {"PUT", "/bucket", "", "", "", 409, "BucketAlreadyOwnedByYou"},
    {"PUT", "/Bad_Name", "", "", "", 400, "InvalidBucketName"},
    {"PUT", "/absent-bucket/k", "x", "", "", 404, "NoSuchBucket"},
    {"GET", "/bucket/absent", "", "", "", 404, "NoSuchKey"},
    {"GET", "/bucket/k?versionId=zzz", "", "", "", 400, "InvalidArgument"},
    {"PUT", "/bucket/k", "x", "content-md5", "zz", 400, "InvalidDigest"},
    {"PUT", "/bucket/k", "x", "content-md5", "MDAwMDAwMDAwMDAwMDAwMA==", 400, "BadDigest"},
    {"PUT", "/bucket/k", "x", "x-amz-checksum-crc32", "AAAAAA==", 400,
     "XAmzContentChecksumMismatch"},
    {"PUT", "/bucket/k", "x", "if-none-match", "*", 412, "PreconditionFailed"},
    {"PUT", "/bucket/k", "x", "x-amz-server-side-encryption", "AES256", 501, "NotImplemented"},
    {"PUT", "/bucket/k", "x", "x-amz-storage-class", "FROZEN", 400, "InvalidStorageClass"},
    {"PUT", "/bucket/k", "", "x-amz-copy-source", "nothing", 400, "InvalidArgument"},
    {"PUT", "/bucket/k", "", "x-amz-copy-source", "/bucket/k", 400, "InvalidRequest"},
    {"PUT", "/bucket/k?partNumber=1&uploadId=00", "x", "", "", 404, "NoSuchUpload"},
    {"PUT", "/bucket/k?partNumber=10001&uploadId=00", "x", "", "", 400, "InvalidArgument"},
    {"POST", "/bucket/k?uploadId=00", "<Complete", "", "", 400, "MalformedXML"},
    {"POST", "/bucket?delete", "<x/>", "", "", 400, "MalformedXML"},
    {"GET", "/bucket?list-type=2&max-keys=many", "", "", "", 400, "InvalidArgument"},
    {"GET", "/bucket?list-type=2&continuation-token=%2A%2A", "", "", "", 400, "InvalidArgument"},
    {"GET", "/bucket?policy", "", "", "", 404, "NoSuchBucketPolicy"},
    {"PUT", "/bucket?policy", "{}", "", "", 501, "NotImplemented"},
    {"PUT", "/bucket?versioning", "<x/>", "", "", 501, "NotImplemented"},
    {"PATCH", "/bucket/k", "", "", "", 405, "MethodNotAllowed"},
    {"GET", "/bucket/k", "", "range", "bytes=100-", 416, "InvalidRange"},
    {"DELETE", "/bucket", "", "", "", 409, "BucketNotEmpty"},
};

TEST_F(S3ServerTest, RefusalsUseS3sWords) {
  ASSERT_EQ(call("PUT", "/bucket").status, 200);
  ASSERT_EQ(call("PUT", "/bucket/k", "hello").status, 200);
  for (const RefusedRow& row : kRefusedRows) {
    Extra extra;
    if (row.header[0]) extra.emplace_back(row.header, row.value);
    Answer answer = call(row.method, row.target, row.body, extra);
    EXPECT_EQ(answer.status, row.status) << row.method << row.target << answer.body;
    EXPECT_EQ(code_of(answer), row.code) << row.method << row.target << row.header;
    auto xml = parse_xml(answer.body);
    if (xml) EXPECT_NE(xml->text_of("RequestId"), "");
    EXPECT_NE(answer.head.find("x-amz-request-id"), std::string::npos);
  }
  EXPECT_EQ(call("GET", "/bucket/k").body, "hello");
  EXPECT_EQ(code_of(raw("GET /bucket/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")),
            "AccessDenied");
  EXPECT_EQ(raw("GET /minio/health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").status,
            200);
  EXPECT_EQ(
      raw("GET /minio/health/cluster HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").status,
      200);
  // The payload digest is proven.
  Answer lied = call("PUT", "/bucket/k", "other", {{"x-amz-content-sha256", std::string(64, 'a')}});
  EXPECT_EQ(code_of(lied), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(call("GET", "/bucket/k").body, "hello");
}

}  // namespace
}  // namespace aichemy::serve::s3
