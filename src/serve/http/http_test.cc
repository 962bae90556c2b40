#include "serve/http/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <numeric>

namespace aichemy::serve::http {
namespace {

// A blocking client that sends exactly the bytes it is given.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(put));
    }
  }
  void half_close() { ::shutdown(socket_, SHUT_WR); }

  // Reads until the text contains `mark`, or to the end.
  std::string read_until(std::string_view mark) {
    while (mark.empty() || received_.find(mark) == std::string::npos) {
      char raw[65536];
      ssize_t got = ::recv(socket_, raw, sizeof raw, 0);
      if (got <= 0) break;
      received_.append(raw, static_cast<size_t>(got));
    }
    return std::exchange(received_, {});
  }
  std::string read_to_end() { return read_until({}); }

 private:
  int socket_;
  std::string received_;
};

class HttpTest : public testing::Test {
 protected:
  void SetUp() override {
    auto handler = [this](Request& request, Response& response) {
      return answer(request, response);
    };
    server_ = Server::start(io_, metrics_, {.name = "test"}, handler).value();
  }

  Async<void> answer(Request& request, Response& response) {
    if (request.path == "/throw") throw std::runtime_error("handler");
    if (request.path == "/nothing") co_return;
    if (request.path == "/stream") {
      co_await response.begin(std::nullopt);
      for (const char* part : {"one", "two"}) co_await response.write(part);
      co_await response.end();
      co_return;
    }
    if (request.path == "/large") {
      std::string part(1 << 20, 'x');
      co_await response.begin(part.size() * 8);
      for (int i = 0; i < 8; ++i) {
        if (!co_await response.write(part)) co_return;
      }
      co_await response.end();
      co_return;
    }
    if (request.path == "/ignore-body") {
      co_await response.send("ignored");
      co_return;
    }
    auto body = co_await request.read_all(10 << 20);
    if (!body) {
      response.status = body.error().code == Code::exhausted ? 413 : 400;
      co_await response.send(body.error().message);
      co_return;
    }
    response.headers.set("X-Method", request.method);
    auto sum = std::accumulate(body->begin(), body->end(), 0u);
    std::string name = request.parameter("name").value_or("nobody");
    co_await response.send(name + " " + std::to_string(body->size()) + " " + std::to_string(sum));
  }

  IoThreads io_{2};
  Metrics metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpTest, KeepsConnectionsAndPipelines) {
  RawClient client(server_->port());
  client.send(
      "GET /?name=a%20b HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
      "3\r\n\r\nabc");
  std::string text = client.read_until("nobody 3 294");
  EXPECT_NE(text.find("a b 0 0"), std::string::npos) << text;
  EXPECT_NE(text.find("X-Method: POST"), std::string::npos) << text;
}

TEST_F(HttpTest, ChunkedAndContinue) {
  RawClient client(server_->port());
  client.send(
      "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_NE(client.read_until("\r\n\r\n").find("100 Continue"), std::string::npos);
  client.send("3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n");
  EXPECT_NE(client.read_until("nobody 8 804").find("200 OK"), std::string::npos);
}

TEST_F(HttpTest, LargeBodiesBothWays) {
  RawClient client(server_->port());
  std::string body(5 << 20, 'a');
  client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  EXPECT_NE(client.read_until("nobody 5242880 ").find("200 OK"), std::string::npos);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_GT(client.read_to_end().size(), size_t{8} << 20);
}

TEST_F(HttpTest, StreamsWithoutLength) {
  RawClient client(server_->port());
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(client.read_until("0\r\n\r\n").find("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"),
            std::string::npos);
  RawClient old(server_->port());
  old.send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.read_to_end().ends_with("\r\n\r\nonetwo"));
}

TEST_F(HttpTest, HeadHasNoBody) {
  RawClient client(server_->port());
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string text = client.read_to_end();
  EXPECT_NE(text.find("Content-Length: 10"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST_F(HttpTest, BrokenInputIsAnsweredOrClosed) {
  struct Row {
    const char* bytes;
    const char* expect;
  };
  std::string huge = "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n";
  for (Row row :
       {Row{"\x16\x03\x01 garbage\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"},
        {"GET / HTTP/9.9\r\n\r\n", "400"},
        {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
        {"PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n", "413"},
        {"GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n", "500"},
        {"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", "500"},
        {huge.c_str(), "431"}}) {
    RawClient client(server_->port());
    client.send(row.bytes);
    EXPECT_NE(client.read_until("\r\n\r\n").find(std::string("HTTP/1.1 ") + row.expect),
              std::string::npos)
        << row.bytes;
  }
}

TEST_F(HttpTest, CutShortBodyAndUnreadBody) {
  RawClient cut(server_->port());
  cut.send("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  cut.half_close();
  EXPECT_NE(cut.read_to_end().find("400"), std::string::npos);

  RawClient small(server_->port());
  small.send("PUT /ignore-body HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(small.read_until("nobody 0 0").find("ignored"), std::string::npos);

  RawClient large(server_->port());
  large.send("PUT /ignore-body HTTP/1.1\r\nContent-Length: 99000000\r\n\r\n" +
             std::string(4 << 20, 'x'));
  EXPECT_NE(large.read_to_end().find("ignored"), std::string::npos);
}

TEST_F(HttpTest, TwoThousandIdleConnectionsThenStop) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 2000; ++i) clients.push_back(std::make_unique<RawClient>(server_->port()));
  clients.back()->send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_NE(clients.back()->read_until("nobody").find("200"), std::string::npos);
  server_->stop(std::chrono::seconds(5));
  EXPECT_EQ(clients.front()->read_to_end(), "");
}

TEST(HttpServer, TakenPortAndBadAddress) {
  IoThreads io(1);
  Metrics metrics;
  auto handler = [](Request&, Response& response) -> Async<void> { co_await response.send(); };
  auto first = Server::start(io, metrics, {.name = "a"}, handler).value();
  EXPECT_STREQ(
      Server::start(io, metrics, {.name = "b", .port = first->port()}, handler).error().what,
      "port_taken");
  EXPECT_STREQ(
      Server::start(io, metrics, {.name = "c", .address = "nowhere"}, handler).error().what,
      "address");
  TlsFiles broken{.certificate_pem = "x", .key_pem = "y"};
  EXPECT_STREQ(Server::start(io, metrics, {.name = "d", .tls = broken}, handler).error().what,
               "tls");
}

}  // namespace
}  // namespace aichemy::serve::http
