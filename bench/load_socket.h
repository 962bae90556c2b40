// The kept connection of a load generator: whole sends, small packets at once.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

// One thread's. When it cannot connect it says so and ends the program: a load of fewer connections is not the load
// that was asked for.
class LoadSocket {
 public:
  // `host`: an IPv4 address.
  LoadSocket(const char* host, int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET, host, &to.sin_addr);
    int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) return;
    std::perror("connect");
    std::exit(1);
  }
  ~LoadSocket() { ::close(socket_); }
  LoadSocket(const LoadSocket&) = delete;
  LoadSocket& operator=(const LoadSocket&) = delete;

  // False when the connection broke.
  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Bytes that came, 0 when the connection broke or ended.
  size_t receive(char* into, size_t bytes_max) {
    ssize_t got = ::recv(socket_, into, bytes_max, 0);
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

 private:
  int socket_;
};

}  // namespace bench
