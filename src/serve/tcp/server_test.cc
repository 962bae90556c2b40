#include "serve/tcp/server.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace aichemy::serve::tcp {
namespace {

using Tcp = asio::ip::tcp;

// Says hello with the number of its listener and stays until it is closed.
class Greeter : public Connection {
 public:
  Greeter(Tcp::socket socket, size_t listener, Gauge& open)
      : socket_(std::move(socket)), listener_(listener), open_(open) {
    open_.add(1);
  }
  ~Greeter() override { open_.add(-1); }

  void start() override {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(std::to_string(listener_)), ignored);
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  void close_if_late(SteadyTime) override {}
  bool is_closed() const override { return !socket_.is_open(); }

 private:
  Tcp::socket socket_;
  size_t listener_;
  Gauge& open_;
};

class ServerTest : public testing::Test {
 protected:
  Options options(size_t connections_max) {
    return {io_, clock_, open_, connections_max, [this](Tcp::socket socket, size_t listener) {
              return std::make_shared<Greeter>(std::move(socket), listener, open_);
            }};
  }
  // What the server says first; "" when it closes instead.
  static std::string greeting(Tcp::socket& client) {
    char text = 0;
    boost::system::error_code error;
    asio::read(client, asio::buffer(&text, 1), error);
    return error ? "" : std::string(1, text);
  }
  Tcp::socket client_of(uint16_t port) {
    Tcp::socket client(own_);
    client.connect({asio::ip::make_address("127.0.0.1"), port});
    return client;
  }

  IoThreads io_{2};
  asio::io_context own_;
  SystemClock clock_;
  Gauge open_;
};

TEST_F(ServerTest, AConnectionKnowsItsListener) {
  Server server(options(10));
  auto first = server.listen("127.0.0.1", 0, "test.port");
  auto second = server.listen("localhost", 0, "test.other_port");
  ASSERT_TRUE(first && second);
  server.start();
  Tcp::socket a = client_of(*first), b = client_of(*second), c = client_of(*first);
  EXPECT_EQ(greeting(a) + greeting(b) + greeting(c), "010");
  server.stop();
  EXPECT_EQ(greeting(a) + greeting(b) + greeting(c), "") << "all are closed";
  EXPECT_EQ(open_.value(), 0);
}

TEST_F(ServerTest, OneTooManyIsClosed) {
  Server server(options(1));
  auto port = server.listen("127.0.0.1", 0, "test.port");
  ASSERT_TRUE(port);
  server.start();
  Tcp::socket a = client_of(*port);
  EXPECT_EQ(greeting(a), "0");
  Tcp::socket b = client_of(*port);
  EXPECT_EQ(greeting(b), "");
}

TEST_F(ServerTest, AddressesThatCannotBe) {
  Server server(options(1));
  auto named = server.listen("nowhere.example", 0, "test.host");
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().message, "test.host: nowhere.example is not an IP address");
  auto port = server.listen("127.0.0.1", 0, "test.port");
  ASSERT_TRUE(port);
  Server other(options(1));
  auto taken = other.listen("127.0.0.1", *port, "test.port");
  ASSERT_FALSE(taken);
  EXPECT_TRUE(taken.error().is("port_taken"));
}

}  // namespace
}  // namespace aichemy::serve::tcp
